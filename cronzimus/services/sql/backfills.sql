-- clock --
SELECT clock_timestamp();

-- ledger --
-- What was decided of the instants of a job in a stretch of time, and how the run of each stands.
SELECT f.due_at, f.first_due_at, f.instants, f.decision, f.reason, f.run_id, r.state
FROM cronzimus.firings f
LEFT JOIN cronzimus.runs r ON r.id = f.run_id
WHERE f.job_id = %(job_id)s AND f.due_at >= %(start)s AND f.first_due_at <= %(end)s
ORDER BY f.due_at
LIMIT %(limit)s;

-- later_runs --
-- Runs that tried an instant again, first to last.
SELECT id, parent_run_id, due_at, state
FROM cronzimus.runs
WHERE job_id = %(job_id)s AND id >= %(oldest_id)s AND cause IN ('retry', 'backfill')
ORDER BY id;

-- usual_seconds --
-- How long a run of the job takes, by its last ones.
SELECT avg(extract(epoch FROM ended_at - started_at))::float8
FROM (
    SELECT started_at, ended_at FROM cronzimus.runs
    WHERE job_id = %(job_id)s AND state IN ('success', 'partial') AND started_at IS NOT NULL
    ORDER BY id DESC
    LIMIT 50
) last;

-- start --
INSERT INTO cronzimus.backfills
    (id, job_id, job_version, from_at, to_at, outcomes, max_running, reverse, params, created_by)
VALUES (%(id)s, %(job_id)s, %(version)s, %(from_at)s, %(to_at)s, %(outcomes)s, %(max_running)s, %(reverse)s,
        %(params)s, %(by)s);

-- add_items --
INSERT INTO cronzimus.backfill_items (backfill_id, due_at, place, was)
SELECT %(id)s, i.due_at, i.place, i.was
FROM unnest(%(due_ats)s::timestamptz[], %(was)s::text[]) WITH ORDINALITY AS i (due_at, was, place);

-- page --
-- One page of backfills, latest first; a filter that is NULL lets everything through.
SELECT b.id, b.job_id, b.job_version, b.from_at, b.to_at, b.outcomes, b.max_running, b.reverse, b.params, b.state,
       b.created_by, b.created_at, b.updated_at, b.ended_at, c.total, c.done, c.failed, c.running, c.run_seconds
FROM (
    SELECT * FROM cronzimus.backfills
    WHERE (%(id)s::uuid IS NULL OR id = %(id)s) AND (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
      AND (%(state)s::text IS NULL OR state = %(state)s)
    ORDER BY id DESC
    LIMIT %(limit)s OFFSET %(offset)s
) b
CROSS JOIN LATERAL (
    SELECT count(*) AS total,
           count(*) FILTER (WHERE coalesce(i.outcome, r.state) IN ('success', 'partial')) AS done,
           count(*) FILTER (WHERE coalesce(i.outcome, r.state) IN ('failed', 'timeout', 'lost', 'cancelled')) AS failed,
           count(*) FILTER (WHERE i.outcome IS NULL AND r.state IN ('pending', 'running')) AS running,
           (avg(extract(epoch FROM r.ended_at - r.started_at)))::float8 AS run_seconds
    FROM cronzimus.backfill_items i
    LEFT JOIN cronzimus.runs r ON r.id = i.run_id
    WHERE i.backfill_id = b.id
) c
ORDER BY b.id DESC;

-- count --
SELECT count(*) FROM cronzimus.backfills
WHERE (%(job_id)s::text IS NULL OR job_id = %(job_id)s) AND (%(state)s::text IS NULL OR state = %(state)s);

-- items --
SELECT i.due_at, i.was, i.run_id, coalesce(i.outcome, r.state) AS state
FROM cronzimus.backfill_items i
LEFT JOIN cronzimus.runs r ON r.id = i.run_id
WHERE i.backfill_id = %(id)s
ORDER BY i.place
LIMIT %(limit)s OFFSET %(offset)s;

-- turn --
-- From running or paused to where people want it.
UPDATE cronzimus.backfills
SET state = %(state)s, updated_at = clock_timestamp(),
    ended_at = CASE WHEN %(state)s = 'cancelled' THEN clock_timestamp() END
WHERE id = %(id)s AND state IN ('running', 'paused');

-- cancel_runs --
-- What waits ends now; what runs is asked to stop.
UPDATE cronzimus.runs r
SET cancel_requested_at = coalesce(r.cancel_requested_at, clock_timestamp()),
    state    = CASE r.state WHEN 'pending' THEN 'cancelled' ELSE r.state END,
    ended_at = CASE r.state WHEN 'pending' THEN clock_timestamp() END,
    error    = CASE r.state WHEN 'pending'
               THEN '{"type": "Cancelled", "category": "BUSINESS", "message": "its backfill was cancelled"}'::jsonb
               ELSE r.error END
FROM cronzimus.backfill_items i
WHERE i.backfill_id = %(id)s AND i.run_id IS NOT NULL AND i.outcome IS NULL
  AND r.id = i.run_id AND r.state IN ('pending', 'running')
RETURNING r.id;

-- notify --
SELECT pg_notify(%(channel)s, %(payload)s);

-- unfinished --
-- What the driver looks after: also a paused or cancelled one, until its last run has ended.
SELECT b.id, b.job_id FROM cronzimus.backfills b WHERE b.state = 'running'
UNION
SELECT b.id, b.job_id
FROM cronzimus.backfill_items i
JOIN cronzimus.backfills b ON b.id = i.backfill_id
WHERE i.run_id IS NOT NULL AND i.outcome IS NULL
ORDER BY 1;

-- lock --
SELECT state, job_id, job_version FROM cronzimus.backfills WHERE id = %(id)s FOR UPDATE;

-- harvest --
-- Note what the runs came to that have ended, or are gone from the history.
UPDATE cronzimus.backfill_items i
SET outcome = coalesce(r.state, 'success')
FROM cronzimus.backfill_items o
LEFT JOIN cronzimus.runs r ON r.id = o.run_id
WHERE o.backfill_id = %(id)s AND o.run_id IS NOT NULL AND o.outcome IS NULL
  AND (r.state IS NULL OR r.state NOT IN ('pending', 'running'))
  AND i.backfill_id = o.backfill_id AND i.due_at = o.due_at;

-- room --
-- How many runs may be opened: places of the backfill, and of the job if it bounds its runs. A run that waits for
-- a moment to come, such as the end of a blackout, takes no place yet.
SELECT least(
    b.max_running - (SELECT count(*) FROM cronzimus.backfill_items i
                     WHERE i.backfill_id = b.id AND i.run_id IS NOT NULL AND i.outcome IS NULL),
    %(max_running)s::int - (SELECT count(*) FROM cronzimus.runs r
                            WHERE r.job_id = %(job_id)s AND r.state IN ('pending', 'running')
                              AND (r.not_before IS NULL OR r.not_before <= clock_timestamp() + interval '1 second')))::int
FROM cronzimus.backfills b
WHERE b.id = %(id)s;

-- open --
-- Give the next instants a run each, if the term still holds. The caller holds the lock of the backfill.
WITH term AS (
    SELECT epoch FROM cronzimus.leaders
    WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s AND expires_at > clock_timestamp()
    FOR SHARE
), next AS (
    SELECT i.due_at, row_number() OVER (ORDER BY i.place) AS nth
    FROM term, cronzimus.backfill_items i
    WHERE i.backfill_id = %(id)s AND i.run_id IS NULL
    ORDER BY i.place
    LIMIT %(room)s
), named AS (
    SELECT n.due_at, (%(run_ids)s::uuid[])[n.nth] AS run_id FROM next n
), taken AS (
    UPDATE cronzimus.backfill_items i
    SET run_id = n.run_id
    FROM named n
    WHERE i.backfill_id = %(id)s AND i.due_at = n.due_at AND i.run_id IS NULL
    RETURNING i.due_at, i.run_id
)
INSERT INTO cronzimus.runs
    (id, job_id, job_version, due_at, cause, max_attempts, max_running, priority, queue, params, trace_id, gated,
     for_workers, ranked_at)
SELECT t.run_id, b.job_id, b.job_version, t.due_at, 'backfill', %(max_attempts)s, %(job_max_running)s, %(priority)s,
       %(queue)s, b.params, replace(t.run_id::text, '-', ''), %(gated)s, %(for_workers)s,
       CASE WHEN %(gated)s THEN cronzimus.rank_of(%(priority)s, 'backfill') END
FROM taken t, cronzimus.backfills b
WHERE b.id = %(id)s
RETURNING id;

-- conclude --
-- The last run has ended.
UPDATE cronzimus.backfills b
SET state = 'done', ended_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE b.id = %(id)s AND b.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM cronzimus.backfill_items i
                  WHERE i.backfill_id = b.id AND (i.run_id IS NULL OR i.outcome IS NULL));

-- give_up --
-- Its job is gone or cannot be loaded any more.
UPDATE cronzimus.backfills
SET state = 'cancelled', ended_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = %(id)s AND state IN ('running', 'paused');

-- prune --
DELETE FROM cronzimus.backfills WHERE ended_at < clock_timestamp() - %(age)s::interval;
