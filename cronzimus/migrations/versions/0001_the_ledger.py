"""The ledger: jobs and their versions, firings, runs, attempts, workers, the leader's term."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JOB_VERSIONS = """
CREATE TABLE cronzimus.job_versions (
    job_id     text        NOT NULL,
    version    integer     NOT NULL,
    definition jsonb,
    operation  text        NOT NULL,
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT job_versions_pkey PRIMARY KEY (job_id, version),
    CONSTRAINT job_versions_operation_known CHECK (operation IN ('create', 'replace', 'delete')),
    CONSTRAINT job_versions_delete_has_no_definition CHECK ((operation = 'delete') = (definition IS NULL))
);
"""

JOBS = """
-- The row that changes at every firing is narrow; the definition lies once, in job_versions.
CREATE TABLE cronzimus.jobs (
    id            text        NOT NULL,
    version       integer     NOT NULL,
    kind          text        NOT NULL,
    tags          text[]      NOT NULL,
    status        text        NOT NULL,
    status_reason text,
    source        text        NOT NULL,
    next_due_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT jobs_pkey PRIMARY KEY (id),
    CONSTRAINT fk_jobs_job_versions FOREIGN KEY (id, version) REFERENCES cronzimus.job_versions (job_id, version),
    CONSTRAINT jobs_id_is_a_slug CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    CONSTRAINT jobs_status_known CHECK (status IN ('active', 'paused', 'finished', 'broken')),
    CONSTRAINT jobs_source_known CHECK (source IN ('code', 'file', 'api')),
    CONSTRAINT jobs_finished_is_never_due CHECK (status <> 'finished' OR next_due_at IS NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- The leader's question at each wake-up: what is due, earliest first?
CREATE INDEX idx_jobs_next_due_at ON cronzimus.jobs (next_due_at) WHERE next_due_at IS NOT NULL;
"""

FIRINGS = """
CREATE TABLE cronzimus.firings (
    job_id       text        NOT NULL,
    due_at       timestamptz NOT NULL,
    first_due_at timestamptz NOT NULL,
    instants     integer     NOT NULL DEFAULT 1,
    decision     text        NOT NULL,
    reason       text,
    run_id       uuid,
    epoch        bigint      NOT NULL,
    decided_by   text        NOT NULL,
    decided_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    job_version  integer     NOT NULL,
    CONSTRAINT firings_once_per_due_instant PRIMARY KEY (job_id, due_at),
    CONSTRAINT firings_decision_known CHECK (decision IN ('fired', 'coalesced', 'skipped', 'missed')),
    CONSTRAINT firings_fired_has_a_run CHECK ((decision = 'fired') = (run_id IS NOT NULL)),
    CONSTRAINT firings_refusal_has_a_reason CHECK (decision = 'fired' OR reason IS NOT NULL),
    CONSTRAINT firings_range_is_ordered CHECK (first_due_at <= due_at AND instants >= 1)
) PARTITION BY RANGE (due_at);
CREATE TABLE cronzimus.firings_default PARTITION OF cronzimus.firings DEFAULT;

-- One partition a week, beginning on Monday. Rows that came early lie in the default one and move over.
CREATE FUNCTION cronzimus.ensure_firings_partition(day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('week', day)::date;
    name  text := 'firings_' || to_char(first, 'YYYYMMDD');
BEGIN
    IF to_regclass('cronzimus.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE cronzimus.firings IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass('cronzimus.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE cronzimus.%I (LIKE cronzimus.firings INCLUDING ALL)', name);
    EXECUTE format(
        'WITH early AS (DELETE FROM cronzimus.firings_default WHERE due_at >= %L AND due_at < %L RETURNING *) '
        'INSERT INTO cronzimus.%I SELECT * FROM early',
        first::timestamptz, (first + 7)::timestamptz, name);
    EXECUTE format(
        'ALTER TABLE cronzimus.firings ATTACH PARTITION cronzimus.%I FOR VALUES FROM (%L) TO (%L)',
        name, first::timestamptz, (first + 7)::timestamptz);
    RETURN true;
END $$;

CREATE FUNCTION cronzimus.drop_firings_partition(name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF name !~ '^firings_[0-9]{8}$' THEN
        RAISE EXCEPTION '% is no partition of the ledger', name;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS cronzimus.%I', name);
END $$;

SELECT cronzimus.ensure_firings_partition((now() + make_interval(weeks => n))::date) FROM generate_series(-1, 4) n;
"""

RUNS = """
CREATE TABLE cronzimus.runs (
    id                  uuid        NOT NULL,
    job_id              text        NOT NULL,
    job_version         integer     NOT NULL,
    due_at              timestamptz,
    cause               text        NOT NULL,
    state               text        NOT NULL DEFAULT 'pending',
    attempt             integer     NOT NULL DEFAULT 0,
    max_attempts        integer     NOT NULL DEFAULT 1,
    max_running         integer,
    priority            integer     NOT NULL DEFAULT 0,
    queue               text        NOT NULL DEFAULT 'default',
    worker_id           text,
    lease_until         timestamptz,
    not_before          timestamptz,
    cancel_requested_at timestamptz,
    params              jsonb,
    queued_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at          timestamptz,
    ended_at            timestamptz,
    result              jsonb,
    error               jsonb,
    metrics             jsonb,
    trace_id            text        NOT NULL,
    parent_run_id       uuid,
    code_revision       text,
    CONSTRAINT runs_pkey PRIMARY KEY (id),
    CONSTRAINT runs_cause_known CHECK (cause IN ('schedule', 'manual', 'dependency', 'retry', 'backfill')),
    CONSTRAINT runs_state_known CHECK (
        state IN ('pending', 'running', 'success', 'partial', 'failed', 'timeout', 'cancelled', 'lost')),
    CONSTRAINT runs_ended_when_final CHECK ((ended_at IS NULL) = (state IN ('pending', 'running'))),
    CONSTRAINT runs_leased_while_running CHECK (
        state <> 'running' OR (worker_id IS NOT NULL AND lease_until IS NOT NULL)),
    CONSTRAINT runs_attempts_bounded CHECK (attempt BETWEEN 0 AND max_attempts)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
-- The history of one job, newest first; ids are time-ordered.
CREATE INDEX idx_runs_job_id_id ON cronzimus.runs (job_id, id DESC);
-- Overlap and the claim ask which runs of a job are open; upkeep walks the open ones.
CREATE INDEX idx_runs_job_id_open ON cronzimus.runs (job_id, state) WHERE state IN ('pending', 'running');
-- Upkeep re-sends what nobody claimed, oldest first.
CREATE INDEX idx_runs_id_pending ON cronzimus.runs (id) WHERE state = 'pending';
-- A job that must not overlap itself cannot, whatever any process believes.
CREATE UNIQUE INDEX runs_one_running_per_exclusive_job ON cronzimus.runs (job_id)
    WHERE state = 'running' AND max_running = 1;

CREATE TABLE cronzimus.attempts (
    run_id     uuid        NOT NULL,
    attempt    integer     NOT NULL,
    worker_id  text        NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    state      text        NOT NULL,
    error      jsonb,
    CONSTRAINT attempts_pkey PRIMARY KEY (run_id, attempt),
    CONSTRAINT attempts_state_known CHECK (
        state IN ('running', 'success', 'partial', 'failed', 'timeout', 'cancelled', 'lost')),
    CONSTRAINT fk_attempts_runs FOREIGN KEY (run_id) REFERENCES cronzimus.runs (id) ON DELETE CASCADE
);
"""

PROCESSES = """
CREATE TABLE cronzimus.workers (
    id           text        NOT NULL,
    boot_id      uuid        NOT NULL,
    host         text        NOT NULL,
    pid          integer     NOT NULL,
    kinds        jsonb       NOT NULL DEFAULT '[]',
    queues       jsonb       NOT NULL DEFAULT '[]',
    labels       jsonb       NOT NULL DEFAULT '{}',
    capacity     integer     NOT NULL,
    running      integer     NOT NULL DEFAULT 0,
    status       text        NOT NULL DEFAULT 'alive',
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT workers_pkey PRIMARY KEY (id),
    CONSTRAINT workers_status_known CHECK (status IN ('alive', 'draining', 'down'))
);
CREATE INDEX idx_workers_status ON cronzimus.workers (status);

CREATE TABLE cronzimus.leaders (
    name          text        NOT NULL,
    holder        uuid        NOT NULL,
    holder_name   text        NOT NULL,
    epoch         bigint      NOT NULL,
    expires_at    timestamptz NOT NULL,
    session_pid   integer,
    session_start timestamptz,
    CONSTRAINT leaders_pkey PRIMARY KEY (name)
);
"""


def upgrade() -> None:
    """Create everything."""
    for statements in (JOB_VERSIONS, JOBS, FIRINGS, RUNS, PROCESSES):
        op.execute(statements)


def downgrade() -> None:
    """Drop everything, the newest first."""
    op.execute("DROP FUNCTION cronzimus.ensure_firings_partition, cronzimus.drop_firings_partition")
    for table in ("leaders", "workers", "attempts", "runs", "firings", "jobs", "job_versions"):
        op.execute(f"DROP TABLE cronzimus.{table}")
