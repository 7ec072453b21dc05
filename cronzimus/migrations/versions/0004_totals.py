"""Counts that agree with the ledger, whoever is asked."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TOTALS = """
-- What must agree with the ledger is counted by the ledger: in the transaction that changes it, and for good.
-- A writer takes a shard nobody else holds, so that counting never makes two transactions wait for each other.
CREATE TABLE cronzimus.totals (
    name   text             NOT NULL,
    labels text[]           NOT NULL,
    bucket smallint         NOT NULL,
    shard  integer          NOT NULL,
    count  bigint           NOT NULL,
    amount double precision NOT NULL,
    CONSTRAINT totals_pkey PRIMARY KEY (name, labels, bucket, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);

-- The kind lies with the run: its job may change or go while the run is remembered.
ALTER TABLE cronzimus.runs ADD COLUMN kind text;

-- What the leader last found when it recomputed the recent past.
CREATE TABLE cronzimus.ledger_checks (
    only_row   boolean     NOT NULL DEFAULT true,
    checked_at timestamptz NOT NULL,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    gaps       bigint      NOT NULL,
    surplus    bigint      NOT NULL,
    CONSTRAINT ledger_checks_pkey PRIMARY KEY (only_row),
    CONSTRAINT ledger_checks_only_row CHECK (only_row)
);
"""

BOUNDS = """
-- Upper bounds of a histogram's buckets, in seconds; a bucket is known by its number, the last one has no bound.
CREATE FUNCTION cronzimus.histogram_bounds(name text) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE name
        WHEN 'run_duration' THEN
            ARRAY[0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600]::float8[]
        WHEN 'firing_lateness' THEN
            ARRAY[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]::float8[]
        WHEN 'start_lateness' THEN
            ARRAY[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]::float8[]
        WHEN 'queue_wait' THEN
            ARRAY[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]::float8[]
    END
$$;
"""

SHARD = """
-- A shard that no other transaction counts in; with sixteen of them taken, one of this session's own.
CREATE FUNCTION cronzimus.free_shard() RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    mine integer := pg_backend_pid();
BEGIN
    FOR turn IN 0..15 LOOP
        IF pg_try_advisory_xact_lock(1668244073, (mine + turn) % 16) THEN
            RETURN (mine + turn) % 16;
        END IF;
    END LOOP;
    RETURN 1000 + mine;
END $$;
"""

# A bucket holds what is at most its bound; moments are told to the microsecond, so half of one settles the edge.
BUCKET = "width_bucket({seconds} - 0.0000005, cronzimus.histogram_bounds('{name}'))::smallint"

FIRINGS = f"""
    SELECT 'firings' AS name, ARRAY[decision, coalesce(reason, '')] AS labels, 0::smallint AS bucket,
           count(*) AS count, sum(instants)::float8 AS amount
    FROM {{source}}
    GROUP BY decision, reason
    UNION ALL
    SELECT 'firing_lateness', '{{{{}}}}', {BUCKET.format(seconds="seconds", name="firing_lateness")} AS bucket,
           count(*), sum(seconds)
    FROM (SELECT greatest(extract(epoch FROM decided_at - due_at), 0)::float8 AS seconds
          FROM {{source}} WHERE decision = 'fired') late
    GROUP BY bucket
"""  # nosec B608

OPENED = """
    SELECT 'runs_opened' AS name, ARRAY[kind, cause] AS labels, 0::smallint AS bucket, count(*) AS count,
           0::float8 AS amount
    FROM (SELECT {kind} AS kind, r.cause FROM {source} r) opened
    GROUP BY kind, cause
"""

# `changed` has every run that ended, and every first attempt that ended.
ENDED = f"""
    SELECT 'run_duration' AS name, ARRAY[kind, state] AS labels, bucket, count(*) AS count,
           coalesce(sum(seconds), 0) AS amount
    FROM (SELECT kind, state, seconds,
                 CASE WHEN seconds IS NULL THEN -1::smallint
                      ELSE {BUCKET.format(seconds="seconds", name="run_duration")} END AS bucket
          FROM changed WHERE ended) lasted
    GROUP BY kind, state, bucket
    UNION ALL
    SELECT 'queue_wait', ARRAY[queue], {BUCKET.format(seconds="waited", name="queue_wait")} AS bucket,
           count(*), sum(waited)
    FROM changed WHERE waited IS NOT NULL
    GROUP BY queue, bucket
    UNION ALL
    SELECT 'start_lateness', '{{}}', {BUCKET.format(seconds="late", name="start_lateness")} AS bucket,
           count(*), sum(late)
    FROM changed WHERE late IS NOT NULL
    GROUP BY bucket
    UNION ALL
    SELECT 'runs_retried', ARRAY[kind], 0::smallint, count(*), 0
    FROM changed WHERE retried
    GROUP BY kind
"""  # nosec B608

# Runs opened before this revision do not know their kind.
KIND = """coalesce(r.kind, (SELECT v.definition ->> 'kind' FROM cronzimus.job_versions v
                               WHERE v.job_id = r.job_id AND v.version = r.job_version), 'unknown')"""

WAITED = "greatest(extract(epoch FROM r.started_at - r.queued_at), 0)::float8"
LATE = "greatest(extract(epoch FROM r.started_at - r.due_at), 0)::float8"
LASTED = "greatest(extract(epoch FROM r.ended_at - r.started_at), 0)::float8"

CHANGED = f"""
    SELECT {KIND} AS kind, r.state, r.queue, r.ended_at IS NOT NULL AS ended,
           CASE WHEN o.state = 'running' AND r.ended_at IS NOT NULL THEN {LASTED} END AS seconds,
           CASE WHEN o.state = 'running' AND r.attempt = 1 THEN {WAITED} END AS waited,
           CASE WHEN o.state = 'running' AND r.attempt = 1 AND r.cause = 'schedule' THEN {LATE} END AS late,
           r.state = 'pending' AND r.attempt = o.attempt AS retried
    FROM after r JOIN before o ON o.id = r.id
    WHERE o.ended_at IS NULL AND r.state <> 'running' AND (r.ended_at IS NOT NULL OR o.state = 'running')
"""  # nosec B608

# What a schema without counts remembers; the waits of runs that were tried again are forgotten.
REMEMBERED = f"""
    SELECT {KIND} AS kind, r.state, r.queue, true AS ended, {LASTED} AS seconds,
           CASE WHEN r.attempt = 1 THEN {WAITED} END AS waited,
           CASE WHEN r.attempt = 1 AND r.cause = 'schedule' THEN {LATE} END AS late, false AS retried
    FROM cronzimus.runs r WHERE r.ended_at IS NOT NULL
"""  # nosec B608

ADD = """
    INSERT INTO cronzimus.totals AS t (name, labels, bucket, shard, count, amount)
    SELECT s.name, s.labels, s.bucket, {shard}, s.count, s.amount FROM ({source}) s
    ON CONFLICT (name, labels, bucket, shard) DO UPDATE
    SET count = t.count + excluded.count, amount = t.amount + excluded.amount;
"""

# Without nested loops: the plan made for one row must also do for a thousand.
COUNTER = """
CREATE FUNCTION cronzimus.{name}() RETURNS trigger
LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    mine integer;
BEGIN
    {unless}
    mine := cronzimus.free_shard();
    {add}
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {event} FOR EACH STATEMENT EXECUTE FUNCTION cronzimus.{name}();
"""
NOTHING_ENDED = "IF NOT EXISTS (SELECT FROM after WHERE state <> 'running') THEN RETURN NULL; END IF;"


def _counter(name: str, event: str, source: str, unless: str = "") -> str:
    return COUNTER.format(name=name, event=event, unless=unless, add=ADD.format(shard="mine", source=source))


def _remember(source: str) -> str:
    return ADD.format(shard=0, source=source)


def upgrade() -> None:
    """Create the counts, and begin them with what the ledger remembers."""
    for statements in (TOTALS, BOUNDS, SHARD):
        op.execute(statements)
    recorded = "INSERT ON cronzimus.firings REFERENCING NEW TABLE AS recorded"
    opened = "INSERT ON cronzimus.runs REFERENCING NEW TABLE AS opened"
    updated = "UPDATE ON cronzimus.runs REFERENCING OLD TABLE AS before NEW TABLE AS after"
    op.execute(_counter("count_firings", recorded, FIRINGS.format(source="recorded")))
    op.execute(_counter("count_opened_runs", opened, OPENED.format(source="opened", kind=KIND)))
    op.execute(_counter("count_ended_runs", updated, f"WITH changed AS ({CHANGED}) {ENDED}", NOTHING_ENDED))
    op.execute(_remember(FIRINGS.format(source="cronzimus.firings")))
    op.execute(_remember(OPENED.format(source="cronzimus.runs", kind=KIND)))
    op.execute(_remember(f"WITH changed AS ({REMEMBERED}) {ENDED}"))


def downgrade() -> None:
    """Drop the counts."""
    op.execute("DROP TRIGGER count_firings ON cronzimus.firings")
    for name in ("count_opened_runs", "count_ended_runs"):
        op.execute(f"DROP TRIGGER {name} ON cronzimus.runs")
    for name in ("count_firings", "count_opened_runs", "count_ended_runs", "free_shard", "histogram_bounds"):
        op.execute(f"DROP FUNCTION cronzimus.{name}")
    op.execute("ALTER TABLE cronzimus.runs DROP COLUMN kind")
    for table in ("ledger_checks", "totals"):
        op.execute(f"DROP TABLE cronzimus.{table}")
