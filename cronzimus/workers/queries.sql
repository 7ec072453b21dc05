-- succeed --
-- The last statement of a fenced transaction: the run ends with what was written, or nothing is written.
-- The update takes the row's lock and judges in one step whether the attempt is still the caller's own.
WITH own AS (
    UPDATE cronzimus.runs r
    SET state = 'success', ended_at = clock_timestamp(), lease_until = NULL, result = NULL, error = NULL
    WHERE r.id = %(run_id)s AND r.attempt = %(attempt)s AND r.state = 'running' AND r.worker_id = %(worker_id)s
    RETURNING r.id, r.attempt, r.worker_id, r.started_at, r.ended_at
), tried AS (
    INSERT INTO cronzimus.attempts (run_id, attempt, worker_id, started_at, ended_at, state)
    SELECT o.id, o.attempt, o.worker_id, o.started_at, o.ended_at, 'success' FROM own o
    ON CONFLICT (run_id, attempt) DO NOTHING
)
SELECT o.id FROM own o;

-- previous_success --
-- The moment of the latest run of a job that was asked for before this one, for an earlier moment, and succeeded.
SELECT coalesce(r.due_at, r.queued_at)
FROM cronzimus.runs r
WHERE r.job_id = %(job_id)s AND r.id < %(run_id)s AND r.state = 'success'
  AND coalesce(r.due_at, r.queued_at) < %(moment)s
ORDER BY r.id DESC
LIMIT 1;

-- results --
SELECT id, result FROM cronzimus.runs WHERE id = ANY(%(ids)s::uuid[]);
