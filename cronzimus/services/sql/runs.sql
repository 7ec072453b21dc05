-- trigger --
-- A run started by a person.
INSERT INTO cronzimus.runs
    (id, job_id, job_version, kind, due_at, cause, max_attempts, max_running, priority, queue, params, trace_id,
     parent_run_id, gated, for_workers, ranked_at, part, parts, inputs)
VALUES (%(id)s, %(job_id)s, %(version)s, %(kind)s, %(due_at)s, %(cause)s, %(max_attempts)s, %(max_running)s,
        %(priority)s, %(queue)s, %(params)s, %(trace_id)s, %(parent)s, %(gated)s, %(for_workers)s,
        CASE WHEN %(gated)s THEN cronzimus.rank_of(%(priority)s, %(cause)s) END, %(part)s, %(parts)s, %(inputs)s)
ON CONFLICT (id) DO NOTHING;

-- cancel --
-- What waits ends now; what runs is asked to stop.
UPDATE cronzimus.runs
SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
    state    = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END,
    ended_at = CASE state WHEN 'pending' THEN clock_timestamp() END,
    error    = CASE state WHEN 'pending' THEN %(error)s ELSE error END,
    held_by  = NULL
WHERE id = %(id)s AND state IN ('pending', 'running')
RETURNING state;

-- notify --
SELECT pg_notify(%(channel)s, %(payload)s);
