"""Dispatch: what must wait for a word before it starts, where it went, and what holds it back."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RANK = """
-- What waits is taken in the order of its rank: the moment it was asked for, earlier by a minute for each point of
-- priority. A rank never changes, so whatever waits long enough comes first. Runs of backfills come after all others.
CREATE FUNCTION cronzimus.rank_of(priority integer, cause text) RETURNS timestamptz
LANGUAGE sql VOLATILE
AS $$
    SELECT clock_timestamp() - make_interval(mins => priority)
         + CASE cause WHEN 'backfill' THEN interval '36500 days' ELSE interval '0' END
$$;
"""

RUNS = """
ALTER TABLE cronzimus.runs
    -- Only the dispatcher lets it start: it runs on a worker, or takes of what is limited.
    ADD COLUMN gated         boolean NOT NULL DEFAULT false,
    -- Workers and the pool beside the scheduler are two lines: who waits in one does not stand before the other.
    ADD COLUMN for_workers   boolean NOT NULL DEFAULT false,
    ADD COLUMN ranked_at     timestamptz,
    -- When the dispatcher gave it to the worker it names; until then nobody may claim it.
    ADD COLUMN dispatched_at timestamptz,
    -- What it waits for: queue:NAME, mutex:KEY, pool:NAME, rate:KEY, worker:WISHES, job:ID.
    ADD COLUMN held_by       text,
    -- What it takes of what is limited, from its dispatch to its end.
    ADD COLUMN takes         jsonb,
    -- The one worker that may have it.
    ADD COLUMN pinned_to     text,
    ADD COLUMN part          integer,
    ADD COLUMN parts         integer,
    ADD COLUMN inputs        jsonb,
    ADD CONSTRAINT runs_gated_have_a_rank CHECK (NOT gated OR ranked_at IS NOT NULL),
    ADD CONSTRAINT runs_dispatched_to_a_worker CHECK (dispatched_at IS NULL OR (gated AND worker_id IS NOT NULL)),
    ADD CONSTRAINT runs_held_or_dispatched CHECK (held_by IS NULL OR (gated AND dispatched_at IS NULL)),
    ADD CONSTRAINT runs_part_of_parts CHECK ((part IS NULL) = (parts IS NULL) AND part < parts);
-- The dispatcher's questions: what comes next, what could be let go, what is out.
CREATE INDEX idx_runs_for_workers_ranked_at ON cronzimus.runs (for_workers, ranked_at)
    WHERE gated AND state = 'pending' AND dispatched_at IS NULL AND held_by IS NULL;
CREATE INDEX idx_runs_held_by_ranked_at ON cronzimus.runs (held_by, ranked_at)
    WHERE state = 'pending' AND held_by IS NOT NULL;
CREATE INDEX idx_runs_worker_id_dispatched ON cronzimus.runs (worker_id)
    WHERE dispatched_at IS NOT NULL AND state IN ('pending', 'running');
"""

LIMITS = """
CREATE TABLE cronzimus.queues (
    name       text        NOT NULL,
    status     text        NOT NULL DEFAULT 'active',
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT queues_pkey PRIMARY KEY (name),
    CONSTRAINT queues_status_known CHECK (status IN ('active', 'paused', 'draining'))
);
CREATE TABLE cronzimus.pools (
    name        text        NOT NULL,
    slots       integer     NOT NULL,
    description text        NOT NULL DEFAULT '',
    changed_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pools_pkey PRIMARY KEY (name),
    CONSTRAINT pools_slots_are_counted CHECK (slots BETWEEN 0 AND 1000000)
);
-- The starts that a rate still remembers.
CREATE TABLE cronzimus.rate_starts (
    key       text        NOT NULL,
    at        timestamptz NOT NULL,
    forget_at timestamptz NOT NULL,
    run_id    uuid        NOT NULL
);
CREATE INDEX idx_rate_starts_forget_at ON cronzimus.rate_starts (forget_at);
"""

WORKERS = """
ALTER TABLE cronzimus.workers
    -- Whose runs it executes: those of jobs that run on the scheduler, on workers, or both.
    ADD COLUMN takes              jsonb  NOT NULL DEFAULT '[]',
    -- Processor and memory it uses, and the runs it executes.
    ADD COLUMN load               jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN drain_requested_at timestamptz,
    -- Number of the last dispatch it was given: who waited longest is next in the round.
    ADD COLUMN last_dispatch      bigint NOT NULL DEFAULT 0;
CREATE SEQUENCE cronzimus.dispatches;
"""

DOWN = """
DROP SEQUENCE cronzimus.dispatches;
ALTER TABLE cronzimus.workers
    DROP COLUMN takes, DROP COLUMN load, DROP COLUMN drain_requested_at, DROP COLUMN last_dispatch;
DROP TABLE cronzimus.rate_starts, cronzimus.pools, cronzimus.queues;
ALTER TABLE cronzimus.runs
    DROP CONSTRAINT runs_part_of_parts,
    DROP CONSTRAINT runs_held_or_dispatched,
    DROP CONSTRAINT runs_dispatched_to_a_worker,
    DROP CONSTRAINT runs_gated_have_a_rank,
    DROP COLUMN gated, DROP COLUMN for_workers, DROP COLUMN ranked_at, DROP COLUMN dispatched_at,
    DROP COLUMN held_by, DROP COLUMN takes, DROP COLUMN pinned_to,
    DROP COLUMN part, DROP COLUMN parts, DROP COLUMN inputs;
DROP FUNCTION cronzimus.rank_of;
"""


def upgrade() -> None:
    """Let runs wait for the dispatcher, and say what is limited."""
    for statements in (RANK, RUNS, LIMITS, WORKERS):
        op.execute(statements)


def downgrade() -> None:
    """Forget where runs went; what waited for the dispatcher waits for anybody."""
    op.execute(DOWN)
