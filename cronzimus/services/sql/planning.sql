-- clock --
SELECT clock_timestamp();

-- basis --
-- Every job as it stands: what a plan is computed from.
SELECT id, version, status, source, next_due_at FROM cronzimus.jobs ORDER BY id;

-- hold --
-- The jobs an apply will touch, held still in order of their ids.
SELECT id FROM cronzimus.jobs
WHERE id = ANY(%(ids)s::text[]) OR (%(prune)s AND source = 'api')
ORDER BY id
FOR UPDATE;

-- one_apply --
-- Two applies at once would each have planned without the other.
SELECT pg_advisory_xact_lock(hashtextextended('cronzimus apply', 0));

-- open_runs --
SELECT job_id, count(*)
FROM cronzimus.runs
WHERE job_id = ANY(%(ids)s::text[]) AND state IN ('pending', 'running')
GROUP BY job_id;

-- lengths --
-- How long runs of a job take, in seconds: the median of its last 20 that did their work.
SELECT wanted.id, median.seconds
FROM unnest(%(ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM last.ended_at - last.started_at)))::float8
    FROM (
        SELECT r.started_at, r.ended_at
        FROM cronzimus.runs r
        WHERE r.job_id = wanted.id AND r.started_at IS NOT NULL AND r.ended_at IS NOT NULL
          AND r.state IN ('success', 'partial')
        ORDER BY r.id DESC
        LIMIT 20
    ) last
) median (seconds)
WHERE median.seconds IS NOT NULL;

-- changed_since --
-- What became different after a moment: definitions first, then jobs paused or resumed.
SELECT job_id, operation, changed_by FROM cronzimus.job_versions WHERE changed_at > %(since)s
UNION
SELECT j.id, CASE WHEN j.status = 'paused' THEN 'pause' ELSE 'resume' END, NULL
FROM cronzimus.jobs j
WHERE j.updated_at > %(since)s
  AND NOT EXISTS (
      SELECT FROM cronzimus.job_versions v WHERE v.job_id = j.id AND v.version = j.version AND v.changed_at > %(since)s)
ORDER BY 1, 2
LIMIT 20;

-- blackout_revision --
-- Grows with every change of any blackout.
SELECT coalesce(max(revision), 0) FROM cronzimus.blackouts;
