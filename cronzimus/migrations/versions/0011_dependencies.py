"""Dependencies: what goes before what, which ends are still to be judged, and what was skipped in which cycle."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

GRAPH = """
-- Kept in step with the definitions by the transaction that writes a version. It refers to `jobs` by name only: a
-- foreign key would be asked about at every firing, and the lock of whoever changes the graph guards both ends.
CREATE TABLE cronzimus.job_dependencies (
    job_id     text    NOT NULL,
    depends_on text    NOT NULL,
    condition  text    NOT NULL,
    -- Whether the job has due instants of its own; then its runs wait, else its dependencies start it.
    timed      boolean NOT NULL,
    CONSTRAINT job_dependencies_pkey PRIMARY KEY (job_id, depends_on),
    CONSTRAINT job_dependencies_on_others CHECK (job_id <> depends_on),
    CONSTRAINT job_dependencies_condition_known CHECK (condition IN ('success', 'failure', 'always'))
);
CREATE INDEX idx_job_dependencies_depends_on ON cronzimus.job_dependencies (depends_on);
"""

CYCLES = """
-- The runs of a cycle, by its trace. A scheduled run begins a trace under its own id and is found by that.
CREATE INDEX idx_runs_trace_id_job_id ON cronzimus.runs (trace_id, job_id)
    WHERE cause IN ('manual', 'retry', 'dependency') OR part IS NOT NULL;
-- However many judge at once, and however often: a job is released once in a cycle, or each part of it once.
CREATE UNIQUE INDEX runs_released_once_per_cycle ON cronzimus.runs (job_id, trace_id, coalesce(part, 0))
    WHERE cause = 'dependency';

CREATE TABLE cronzimus.skipped_steps (
    trace_id    text        NOT NULL,
    job_id      text        NOT NULL,
    due_at      timestamptz NOT NULL,
    reason      text        NOT NULL,
    note        text        NOT NULL,
    skipped_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The run that came of it after all.
    released_as uuid,
    CONSTRAINT skipped_steps_once_per_cycle PRIMARY KEY (trace_id, job_id)
);
CREATE INDEX idx_skipped_steps_skipped_at ON cronzimus.skipped_steps (skipped_at);
"""

CALLS = """
-- Runs that somebody must look at: those that ended and have others waiting, and those that were born waiting.
-- A row is deleted in the transaction that writes what came of it, so that no end is forgotten and none counts twice.
CREATE TABLE cronzimus.runs_to_judge (
    id       bigint      GENERATED ALWAYS AS IDENTITY,
    run_id   uuid        NOT NULL,
    judge_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT runs_to_judge_pkey PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION cronzimus.call_a_judge() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM noted) THEN
        PERFORM pg_notify('cronzimus_dependencies', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER call_a_judge AFTER INSERT ON cronzimus.runs_to_judge REFERENCING NEW TABLE AS noted
    FOR EACH STATEMENT EXECUTE FUNCTION cronzimus.call_a_judge();

-- A house without dependencies pays one look into an empty table for each statement.
CREATE FUNCTION cronzimus.note_ended_upstreams() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM cronzimus.job_dependencies) THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM after a JOIN cronzimus.job_dependencies d ON d.depends_on = a.job_id
                   WHERE a.ended_at IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO cronzimus.runs_to_judge (run_id)
    SELECT a.id FROM after a
    WHERE a.ended_at IS NOT NULL AND a.job_id IN (SELECT d.depends_on FROM cronzimus.job_dependencies d)
    ORDER BY a.id;
    RETURN NULL;
END $$;
CREATE TRIGGER note_ended_upstreams AFTER UPDATE ON cronzimus.runs REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION cronzimus.note_ended_upstreams();
"""

DOWN = """
DROP TRIGGER note_ended_upstreams ON cronzimus.runs;
DROP TABLE cronzimus.runs_to_judge, cronzimus.skipped_steps, cronzimus.job_dependencies;
DROP FUNCTION cronzimus.note_ended_upstreams, cronzimus.call_a_judge;
DROP INDEX cronzimus.runs_released_once_per_cycle, cronzimus.idx_runs_trace_id_job_id;
"""


def upgrade() -> None:
    """Let jobs wait for each other."""
    for statements in (GRAPH, CYCLES, CALLS):
        op.execute(statements)


def downgrade() -> None:
    """Forget what waits for what; runs that were held wait for the dispatcher."""
    op.execute("UPDATE cronzimus.runs SET held_by = NULL WHERE held_by LIKE 'job:%'")
    op.execute(DOWN)
