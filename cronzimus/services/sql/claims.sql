-- claim --
-- Take pending runs for one worker; those of a job that may not overlap itself one at a time. A gated one is only for
-- the worker it was dispatched to; of a queue that is halted nobody takes anything that was not dispatched before.
-- Locking order is the primary key, so that two claimers never wait for each other in a circle.
WITH wanted AS (
    SELECT r.id, r.job_id, r.max_running, r.cause
    FROM cronzimus.runs r
    WHERE r.id = ANY(%(ids)s::uuid[]) AND r.state = 'pending'
      AND (r.not_before IS NULL OR r.not_before <= clock_timestamp())
      AND CASE WHEN r.gated THEN r.dispatched_at IS NOT NULL AND r.worker_id = %(worker_id)s
               ELSE NOT EXISTS (SELECT 1 FROM cronzimus.queues q WHERE q.name = r.queue AND q.status <> 'active'
                                AND (q.status = 'paused' OR r.queued_at > q.changed_at)) END
    ORDER BY r.id
    FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT w.id,
           CASE WHEN w.max_running IS NULL THEN 0
                ELSE w.max_running - row_number() OVER (PARTITION BY w.job_id ORDER BY w.cause = 'backfill', w.id)
                     - (SELECT count(*) FROM cronzimus.runs o WHERE o.job_id = w.job_id AND o.state = 'running')
           END AS room_left
    FROM wanted w
)
UPDATE cronzimus.runs r
SET state = 'running', attempt = r.attempt + 1, worker_id = %(worker_id)s,
    lease_until = clock_timestamp() + %(lease)s, started_at = clock_timestamp(), not_before = NULL
FROM placed p
WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = p.id AND p.room_left >= 0
RETURNING pg_current_xact_id()::text, r.id, r.job_id, r.job_version, r.attempt, r.max_attempts, r.cause, r.due_at,
          r.params, r.trace_id, r.part, r.parts, r.inputs, r.gated;

-- fate --
-- What became of a transaction whose answer was lost. One from the future died with the server that gave it.
SELECT CASE WHEN t.id < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status(t.id) ELSE 'aborted' END
FROM (SELECT %(transaction)s::text::xid8 AS id) t;

-- finish --
-- Close attempts that are still this worker's; a late report of a replaced attempt touches nothing.
WITH ended AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(attempts)s::int[], %(states)s::text[], %(started)s::timestamptz[],
                         %(ended)s::timestamptz[], %(results)s::jsonb[], %(errors)s::jsonb[], %(metrics)s::jsonb[],
                         %(retry_ins)s::interval[], %(free)s::bool[])
        AS e (id, attempt, state, started_at, ended_at, result, error, metrics, retry_in, free)
), closed AS (
    UPDATE cronzimus.runs r
    SET state       = CASE WHEN e.retry_in IS NULL OR r.cancel_requested_at IS NOT NULL THEN e.state ELSE 'pending' END,
        ended_at    = CASE WHEN e.retry_in IS NULL OR r.cancel_requested_at IS NOT NULL THEN e.ended_at END,
        not_before  = CASE WHEN r.cancel_requested_at IS NULL THEN clock_timestamp() + e.retry_in END,
        attempt     = r.attempt - e.free::int,
        started_at  = e.started_at,
        result      = e.result,
        error       = e.error,
        metrics     = e.metrics,
        worker_id   = CASE WHEN e.retry_in IS NULL THEN r.worker_id END,
        lease_until = NULL,
        dispatched_at = CASE WHEN e.retry_in IS NULL THEN r.dispatched_at END,
        ranked_at   = CASE WHEN e.retry_in IS NULL THEN r.ranked_at ELSE greatest(r.ranked_at, clock_timestamp()) END
    FROM ended e
    WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = e.id AND r.attempt = e.attempt
      AND r.state = 'running' AND r.worker_id = %(worker_id)s
    RETURNING r.id, e.attempt, e.state AS attempt_state, e.started_at, e.ended_at, e.error, e.free,
              r.state AS run_state, r.not_before, r.job_id, r.max_running, r.cause, r.gated, r.priority
), tried AS (
    INSERT INTO cronzimus.attempts (run_id, attempt, worker_id, started_at, ended_at, state, error)
    SELECT c.id, c.attempt, %(worker_id)s, c.started_at, c.ended_at, c.attempt_state, c.error
    FROM closed c WHERE NOT c.free
    ON CONFLICT (run_id, attempt) DO NOTHING
)
SELECT c.id, c.not_before, c.run_state = 'pending', CASE WHEN c.max_running IS NOT NULL THEN c.job_id END,
       c.cause = 'backfill', c.gated, c.priority
FROM closed c;

-- waiting_behind --
-- The oldest pending run of each of these jobs, live ones first: a place has just become free for it.
SELECT DISTINCT ON (r.job_id) r.id, r.not_before, r.cause = 'backfill', r.gated, r.priority
FROM cronzimus.runs r
WHERE r.job_id = ANY(%(job_ids)s::text[]) AND r.state = 'pending'
ORDER BY r.job_id, r.cause = 'backfill', r.id;

-- renew --
-- Prolong the lease of everything this worker holds, and hear what became of it. A run that another session is
-- changing at this moment is heard of and not waited for: it may itself wait for one of ours.
WITH held AS (
    SELECT r.id, r.attempt, r.cancel_requested_at IS NOT NULL AS cancelled
    FROM cronzimus.runs r
    JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS h (id, attempt) ON r.id = h.id AND r.attempt = h.attempt
    WHERE r.id = ANY(%(ids)s::uuid[]) AND r.state = 'running' AND r.worker_id = %(worker_id)s
), free AS (
    SELECT r.id
    FROM cronzimus.runs r
    JOIN held h ON r.id = h.id AND r.attempt = h.attempt
    WHERE r.id = ANY(%(ids)s::uuid[]) AND r.state = 'running' AND r.worker_id = %(worker_id)s
    FOR UPDATE OF r SKIP LOCKED
), renewed AS (
    UPDATE cronzimus.runs r
    SET lease_until = clock_timestamp() + %(lease)s
    FROM free
    WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = free.id
)
SELECT id, cancelled FROM held;

-- release --
-- Give back what was claimed and never started; the attempt is not spent.
UPDATE cronzimus.runs r
SET state = 'pending', attempt = r.attempt - 1, worker_id = NULL, lease_until = NULL, started_at = NULL,
    dispatched_at = NULL
FROM unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS h (id, attempt)
WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = h.id AND r.attempt = h.attempt
  AND r.state = 'running' AND r.worker_id = %(worker_id)s;

-- hand_back --
-- What was dispatched to this worker and it has not claimed is the dispatcher's again.
UPDATE cronzimus.runs
SET worker_id = NULL, dispatched_at = NULL
WHERE worker_id = %(worker_id)s AND state = 'pending' AND dispatched_at IS NOT NULL
RETURNING id;
