-- runs --
-- The last run of each job of a cycle, of one in parts the one that is furthest from its end; with how many parts.
SELECT DISTINCT ON (found.job_id) found.job_id, found.id, found.state, found.started_at, found.ended_at, found.held_by,
       found.error ->> 'message', found.inputs
FROM (
    SELECT r.*
    FROM cronzimus.runs r
    WHERE r.trace_id = %(trace_id)s AND (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
    UNION ALL
    SELECT r.*
    FROM cronzimus.runs r
    WHERE r.id = %(root)s::uuid AND r.trace_id = %(trace_id)s
      AND NOT (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
) found
ORDER BY found.job_id, found.queued_at DESC, found.state IN ('success', 'partial'), found.id DESC;

-- repeatable --
-- The steps of a cycle that went wrong and that nothing has repeated: the last run of each job, or of each part of it.
SELECT last.id
FROM (
    SELECT DISTINCT ON (found.job_id, found.part) found.id, found.state, found.queued_at
    FROM (
        SELECT r.*
        FROM cronzimus.runs r
        WHERE r.trace_id = %(trace_id)s AND (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
        UNION ALL
        SELECT r.*
        FROM cronzimus.runs r
        WHERE r.id = %(root)s::uuid AND r.trace_id = %(trace_id)s
          AND NOT (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
    ) found
    ORDER BY found.job_id, found.part, found.queued_at DESC, found.id DESC
) last
WHERE last.state IN ('failed', 'timeout', 'lost', 'cancelled')
ORDER BY last.queued_at, last.id;

-- moment --
SELECT coalesce(r.due_at, r.queued_at)
FROM cronzimus.runs r
WHERE (r.trace_id = %(trace_id)s AND (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL))
   OR (r.id = %(root)s::uuid AND r.trace_id = %(trace_id)s)
ORDER BY r.queued_at, r.id
LIMIT 1;

-- trace_of --
SELECT r.trace_id FROM cronzimus.runs r WHERE r.id = %(id)s;

-- skipped --
SELECT s.job_id, s.note FROM cronzimus.skipped_steps s WHERE s.trace_id = %(trace_id)s;

-- runs_named --
-- Runs of other cycles that were given to runs of this one.
SELECT r.job_id, r.id, r.state, r.started_at, r.ended_at, r.held_by, r.error ->> 'message', r.inputs
FROM cronzimus.runs r
WHERE r.id = ANY(%(ids)s::uuid[])
ORDER BY r.queued_at;

-- below --
-- The jobs that start in the same cycle as these, however far below.
WITH RECURSIVE below AS (
    SELECT w.job_id FROM unnest(%(ids)s::text[]) AS w (job_id)
    UNION
    SELECT d.job_id FROM below b JOIN cronzimus.job_dependencies d ON d.depends_on = b.job_id AND NOT d.timed
)
SELECT job_id FROM below;

-- around --
-- A job with everything above it and everything below.
WITH RECURSIVE above AS (
    SELECT %(id)s::text AS job_id
    UNION
    SELECT d.depends_on FROM above a JOIN cronzimus.job_dependencies d ON d.job_id = a.job_id
), below AS (
    SELECT %(id)s::text AS job_id
    UNION
    SELECT d.job_id FROM below b JOIN cronzimus.job_dependencies d ON d.depends_on = b.job_id
)
SELECT job_id FROM above UNION SELECT job_id FROM below;

-- edges_into --
SELECT d.depends_on, d.job_id, d.condition
FROM cronzimus.job_dependencies d
WHERE d.job_id = ANY(%(ids)s::text[])
ORDER BY d.job_id, d.depends_on;

-- statuses --
SELECT j.id, j.status FROM cronzimus.jobs j WHERE j.id = ANY(%(ids)s::text[]) ORDER BY j.id;

-- one_judge --
-- Two who rerun a cycle at once repeat each step once. The lock is the one its judges take.
SELECT pg_advisory_xact_lock(hashtextextended('cronzimus cycle ' || %(trace_id)s::text, 0));
