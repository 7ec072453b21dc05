"""What runs said: lines of their functions and programs, by weeks that are dropped whole."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WEEKS = """
-- One partition a week, beginning on Monday, of any table that is partitioned by a time. Rows that came early lie
-- in the default partition and move over.
CREATE FUNCTION cronzimus.ensure_week(parent text, day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('week', day)::date;
    name  text := parent || '_' || to_char(first, 'YYYYMMDD');
    clock text;
BEGIN
    IF to_regclass(format('cronzimus.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE cronzimus.%I IN SHARE ROW EXCLUSIVE MODE', parent);
    IF to_regclass(format('cronzimus.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    SELECT a.attname INTO STRICT clock
    FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = format('cronzimus.%I', parent)::regclass;
    EXECUTE format('CREATE TABLE cronzimus.%I (LIKE cronzimus.%I INCLUDING ALL)', name, parent);
    EXECUTE format(
        'WITH early AS (DELETE FROM cronzimus.%I WHERE %I >= %L AND %I < %L RETURNING *) '
        'INSERT INTO cronzimus.%I SELECT * FROM early',
        parent || '_default', clock, first::timestamptz, clock, (first + 7)::timestamptz, name);
    EXECUTE format(
        'ALTER TABLE cronzimus.%I ATTACH PARTITION cronzimus.%I FOR VALUES FROM (%L) TO (%L)',
        parent, name, first::timestamptz, (first + 7)::timestamptz);
    RETURN true;
END $$;

CREATE FUNCTION cronzimus.drop_week(parent text, name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF name !~ ('^' || parent || '_[0-9]{8}$') OR NOT EXISTS (
        SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(format('cronzimus.%I', parent)))
    THEN
        RAISE EXCEPTION '% is no week of %', name, parent;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS cronzimus.%I', name);
END $$;
"""

RUN_LOGS = """
CREATE SEQUENCE cronzimus.run_logs_seq CACHE 1;

CREATE TABLE cronzimus.run_logs (
    run_id  uuid        NOT NULL,
    job_id  text        NOT NULL,
    attempt integer     NOT NULL,
    seq     bigint      NOT NULL DEFAULT nextval('cronzimus.run_logs_seq'),
    at      timestamptz NOT NULL,
    stream  text        NOT NULL,
    level   text,
    logger  text,
    line    text        NOT NULL,
    CONSTRAINT run_logs_pkey PRIMARY KEY (run_id, seq, at),
    CONSTRAINT run_logs_stream_known CHECK (stream IN ('log', 'stdout', 'stderr', 'system')),
    CONSTRAINT run_logs_level_known CHECK (
        level IN ('TRACE', 'DEBUG', 'INFO', 'SUCCESS', 'WARNING', 'ERROR', 'CRITICAL'))
) PARTITION BY RANGE (at);
-- The search walks from the newest line back, through all runs or those of one job.
CREATE INDEX idx_run_logs_at_seq ON cronzimus.run_logs (at, seq);
CREATE INDEX idx_run_logs_job_id_at_seq ON cronzimus.run_logs (job_id, at, seq);
CREATE TABLE cronzimus.run_logs_default PARTITION OF cronzimus.run_logs DEFAULT;

SELECT cronzimus.ensure_week('run_logs', (now() + make_interval(weeks => n))::date) FROM generate_series(-1, 4) n;
"""


def upgrade() -> None:
    """Create the tables."""
    for statements in (WEEKS, RUN_LOGS):
        op.execute(statements)


def downgrade() -> None:
    """Drop the tables, the newest first."""
    op.execute("DROP TABLE cronzimus.run_logs")
    op.execute("DROP SEQUENCE cronzimus.run_logs_seq")
    op.execute("DROP FUNCTION cronzimus.ensure_week, cronzimus.drop_week")
