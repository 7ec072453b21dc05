"""Calendars, blackouts and backfills."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CALENDARS = """
CREATE TABLE cronzimus.calendars (
    id           text        NOT NULL,
    version      integer     NOT NULL,
    document     jsonb       NOT NULL,
    -- What the calendar names itself, without the calendars it includes.
    own          jsonb       NOT NULL,
    includes     text[]      NOT NULL,
    refreshed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    trouble      text,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT calendars_pkey PRIMARY KEY (id),
    CONSTRAINT calendars_id_is_a_slug CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$')
);

-- The days a calendar came to, once for every time they changed; kept when the calendar goes.
CREATE TABLE cronzimus.calendar_versions (
    calendar_id text        NOT NULL,
    version     integer     NOT NULL,
    days        jsonb       NOT NULL,
    timezone    text,
    changed_by  text        NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT calendar_versions_pkey PRIMARY KEY (calendar_id, version)
);

-- A version of a job means a version of its calendar: what was decided under it can be computed again.
ALTER TABLE cronzimus.job_versions ADD COLUMN calendar_version integer;
ALTER TABLE cronzimus.job_versions DROP CONSTRAINT job_versions_operation_known;
ALTER TABLE cronzimus.job_versions ADD CONSTRAINT job_versions_operation_known
    CHECK (operation IN ('create', 'replace', 'calendar', 'delete'));
ALTER TABLE cronzimus.jobs ADD COLUMN calendar text, ADD COLUMN calendar_version integer,
    ADD CONSTRAINT fk_jobs_calendars FOREIGN KEY (calendar) REFERENCES cronzimus.calendars (id),
    ADD CONSTRAINT jobs_calendar_has_a_version CHECK ((calendar IS NULL) = (calendar_version IS NULL));
-- Which jobs use a calendar, and which of them have not taken up its last version.
CREATE INDEX idx_jobs_calendar ON cronzimus.jobs (calendar, calendar_version) WHERE calendar IS NOT NULL;

ALTER TABLE cronzimus.firings ADD COLUMN note text;
"""

BLACKOUTS = """
CREATE SEQUENCE cronzimus.blackout_revisions AS bigint;
CREATE TABLE cronzimus.blackouts (
    id         text        NOT NULL,
    document   jsonb       NOT NULL,
    revision   bigint      NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at timestamptz,
    CONSTRAINT blackouts_pkey PRIMARY KEY (id)
);
-- The leader asks at each wake-up for the last revision only.
CREATE UNIQUE INDEX idx_blackouts_revision ON cronzimus.blackouts (revision);
"""

BACKFILLS = """
CREATE TABLE cronzimus.backfills (
    id          uuid        NOT NULL,
    job_id      text        NOT NULL,
    job_version integer     NOT NULL,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,
    outcomes    text[]      NOT NULL,
    max_running integer     NOT NULL,
    reverse     boolean     NOT NULL,
    params      jsonb,
    state       text        NOT NULL DEFAULT 'running',
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    CONSTRAINT backfills_pkey PRIMARY KEY (id),
    CONSTRAINT backfills_state_known CHECK (state IN ('running', 'paused', 'done', 'cancelled')),
    CONSTRAINT backfills_ended_when_final CHECK ((ended_at IS NULL) = (state IN ('running', 'paused'))),
    CONSTRAINT backfills_range_is_ordered CHECK (from_at <= to_at),
    CONSTRAINT backfills_run_something CHECK (max_running >= 1)
);
CREATE INDEX idx_backfills_state ON cronzimus.backfills (state) WHERE state IN ('running', 'paused');

CREATE TABLE cronzimus.backfill_items (
    backfill_id uuid        NOT NULL,
    due_at      timestamptz NOT NULL,
    place       integer     NOT NULL,
    was         text        NOT NULL,
    run_id      uuid,
    outcome     text,
    CONSTRAINT backfill_items_once_per_instant PRIMARY KEY (backfill_id, due_at),
    CONSTRAINT backfill_items_ended_was_opened CHECK (outcome IS NULL OR run_id IS NOT NULL),
    CONSTRAINT fk_backfill_items_backfills FOREIGN KEY (backfill_id)
        REFERENCES cronzimus.backfills (id) ON DELETE CASCADE
);
-- The next instants to open, in their order.
CREATE INDEX idx_backfill_items_place ON cronzimus.backfill_items (backfill_id, place) WHERE run_id IS NULL;
-- Those whose runs have not ended.
CREATE INDEX idx_backfill_items_open ON cronzimus.backfill_items (backfill_id)
    WHERE run_id IS NOT NULL AND outcome IS NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    for statements in (CALENDARS, BLACKOUTS, BACKFILLS):
        op.execute(statements)


def downgrade() -> None:
    """Drop the tables, the newest first."""
    for table in ("backfill_items", "backfills", "blackouts"):
        op.execute(f"DROP TABLE cronzimus.{table}")
    op.execute("DROP SEQUENCE cronzimus.blackout_revisions")
    op.execute("ALTER TABLE cronzimus.firings DROP COLUMN note")
    op.execute("ALTER TABLE cronzimus.jobs DROP COLUMN calendar, DROP COLUMN calendar_version")
    op.execute("UPDATE cronzimus.job_versions SET operation = 'replace' WHERE operation = 'calendar'")
    op.execute("ALTER TABLE cronzimus.job_versions DROP CONSTRAINT job_versions_operation_known")
    op.execute(
        "ALTER TABLE cronzimus.job_versions ADD CONSTRAINT job_versions_operation_known"
        " CHECK (operation IN ('create', 'replace', 'delete'))"
    )
    op.execute("ALTER TABLE cronzimus.job_versions DROP COLUMN calendar_version")
    for table in ("calendar_versions", "calendars"):
        op.execute(f"DROP TABLE cronzimus.{table}")
