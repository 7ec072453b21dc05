"""Who is told what, and what is still to be told."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RULES = """
CREATE TABLE cronzimus.alert_rules (
    id             text        NOT NULL,
    version        integer     NOT NULL DEFAULT 1,
    source         text        NOT NULL,
    owner_id       text,
    document       jsonb       NOT NULL,
    condition      text        NOT NULL,
    job_id         text,
    tag            text,
    seconds        float8,
    count          integer,
    factor         float8,
    excepted       text[]      NOT NULL DEFAULT '{}',
    enabled        boolean     NOT NULL,
    silenced_until timestamptz,
    judged_since   timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by     text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT alert_rules_pkey PRIMARY KEY (id),
    CONSTRAINT alert_rules_source_known CHECK (source IN ('api', 'file', 'job')),
    CONSTRAINT alert_rules_of_a_job_name_it CHECK ((source = 'job') = (owner_id IS NOT NULL)),
    CONSTRAINT alert_rules_one_scope CHECK (job_id IS NULL OR tag IS NULL)
);
CREATE INDEX idx_alert_rules_owner_id ON cronzimus.alert_rules (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX idx_alert_rules_job_id ON cronzimus.alert_rules (job_id) WHERE job_id IS NOT NULL;

CREATE INDEX idx_alert_rules_tag ON cronzimus.alert_rules (tag) WHERE job_id IS NULL;

-- The rules that watch a job. A function, so that a statement asks for the few jobs it has found: the planner would
-- rather join every rule with every job.
CREATE FUNCTION cronzimus.alert_rules_of(job text) RETURNS SETOF cronzimus.alert_rules
LANGUAGE plpgsql STABLE ROWS 3 AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM cronzimus.alert_rules r WHERE r.job_id = job AND r.enabled;
    RETURN QUERY SELECT r.* FROM cronzimus.jobs j JOIN cronzimus.alert_rules r ON r.tag = ANY (j.tags)
                 WHERE j.id = job AND r.job_id IS NULL AND r.enabled;
    RETURN QUERY SELECT r.* FROM cronzimus.jobs j CROSS JOIN cronzimus.alert_rules r
                 WHERE j.id = job AND r.job_id IS NULL AND r.tag IS NULL AND r.enabled;
END $$;
"""

ALERTS = """
-- An alert remembers what its rule said when it was raised: the rule may change or go before it is resolved.
CREATE TABLE cronzimus.alerts (
    id              uuid        NOT NULL,
    rule_id         text        NOT NULL,
    condition       text        NOT NULL,
    severity        text        NOT NULL,
    subject         text        NOT NULL,
    job_id          text,
    run_id          uuid,
    due_at          timestamptz,
    summary         text        NOT NULL,
    channels        text[]      NOT NULL,
    remind_every    interval,
    tell_recovery   boolean     NOT NULL,
    occurrences     integer     NOT NULL DEFAULT 1,
    has_news        boolean     NOT NULL DEFAULT false,
    opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at         timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    silenced_until  timestamptz,
    resolved_at     timestamptz,
    resolution      text,
    CONSTRAINT alerts_pkey PRIMARY KEY (id),
    CONSTRAINT alerts_severity_known CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT alerts_acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CONSTRAINT alerts_resolved_with_a_reason CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
-- One thing that is wrong is one alert, however often it is looked at and by whom.
CREATE UNIQUE INDEX alerts_one_open_per_subject ON cronzimus.alerts (rule_id, subject) WHERE resolved_at IS NULL;
CREATE INDEX idx_alerts_opened_at ON cronzimus.alerts (opened_at);
CREATE INDEX idx_alerts_job_id ON cronzimus.alerts (job_id, opened_at) WHERE job_id IS NOT NULL;
"""

NOTIFICATIONS = """
-- The outbox. A row is claimed by moving next_at ahead: whoever dies while sending is followed by somebody else.
CREATE TABLE cronzimus.notifications (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    seq          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    alert_id     uuid,
    channel      text        NOT NULL,
    kind         text        NOT NULL,
    others       integer     NOT NULL DEFAULT 0,
    message      jsonb,
    attempts     integer     NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    failed_at    timestamptz,
    error        text,
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_kind_known CHECK (kind IN ('raised', 'reminder', 'resolved', 'test')),
    CONSTRAINT notifications_tell_of_an_alert CHECK ((kind = 'test') = (alert_id IS NULL)),
    CONSTRAINT notifications_end_once CHECK (delivered_at IS NULL OR failed_at IS NULL),
    CONSTRAINT fk_notifications_alerts FOREIGN KEY (alert_id) REFERENCES cronzimus.alerts (id) ON DELETE CASCADE
);
CREATE INDEX idx_notifications_next_at ON cronzimus.notifications (channel, next_at)
    WHERE delivered_at IS NULL AND failed_at IS NULL;
CREATE INDEX idx_notifications_alert_id ON cronzimus.notifications (alert_id, channel, seq);
CREATE INDEX idx_notifications_seq ON cronzimus.notifications (seq);
"""

WATCH = """
-- What the last look at the ledger saw. The row is the right to look: whoever has it locked looks, nobody waits.
CREATE TABLE cronzimus.alert_watch (
    only_row         boolean     NOT NULL DEFAULT true,
    looked_at        timestamptz NOT NULL,
    looked_before    timestamptz NOT NULL,
    looked_by        text        NOT NULL,
    seen             pg_snapshot NOT NULL,
    seen_before      pg_snapshot NOT NULL,
    leaderless_since timestamptz,
    CONSTRAINT alert_watch_pkey PRIMARY KEY (only_row),
    CONSTRAINT alert_watch_only_row CHECK (only_row)
);
INSERT INTO cronzimus.alert_watch (looked_at, looked_before, looked_by, seen, seen_before)
VALUES (clock_timestamp(), clock_timestamp(), 'migration', pg_current_snapshot(), pg_current_snapshot());

-- A failure remembers its transaction: what a snapshot had not seen yet is then found exactly, however late it
-- was committed. Only failures pay for it.
ALTER TABLE cronzimus.runs ADD COLUMN failed_in xid8;
CREATE FUNCTION cronzimus.note_failure() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.failed_in := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER note_failure BEFORE UPDATE OF state ON cronzimus.runs
    FOR EACH ROW WHEN (NEW.state IN ('failed', 'timeout', 'lost')) EXECUTE FUNCTION cronzimus.note_failure();
CREATE INDEX idx_runs_failed_in ON cronzimus.runs (failed_in) WHERE failed_in IS NOT NULL;

-- What an expected run may have come to instead of success.
CREATE INDEX idx_runs_id_unsuccessful ON cronzimus.runs (id)
    WHERE state IN ('failed', 'timeout', 'lost', 'cancelled');
CREATE INDEX idx_firings_decided_at_refused ON cronzimus.firings (decided_at) WHERE decision IN ('skipped', 'missed');

-- The smallest time-ordered id of an instant.
CREATE FUNCTION cronzimus.first_id_of(instant timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(greatest(floor(extract(epoch FROM instant) * 1000), 0)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;
"""


def upgrade() -> None:
    """Create the tables."""
    for statements in (RULES, ALERTS, NOTIFICATIONS, WATCH):
        op.execute(statements)


def downgrade() -> None:
    """Drop the tables, the newest first."""
    op.execute("DROP FUNCTION cronzimus.first_id_of(timestamptz)")
    op.execute("DROP INDEX cronzimus.idx_firings_decided_at_refused, cronzimus.idx_runs_id_unsuccessful")
    op.execute("DROP TRIGGER note_failure ON cronzimus.runs")
    op.execute("DROP FUNCTION cronzimus.note_failure()")
    op.execute("ALTER TABLE cronzimus.runs DROP COLUMN failed_in")
    op.execute("DROP TABLE cronzimus.alert_watch, cronzimus.notifications, cronzimus.alerts")
    op.execute("DROP FUNCTION cronzimus.alert_rules_of(text)")
    op.execute("DROP TABLE cronzimus.alert_rules")
