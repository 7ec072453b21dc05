-- page --
-- Every name that a job, an open run or a person ever gave to a queue, and what goes on in it.
WITH named AS (
    SELECT v.definition ->> 'queue' AS name, count(*) AS jobs
    FROM cronzimus.jobs j
    JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
    WHERE %(name)s::text IS NULL OR v.definition ->> 'queue' = %(name)s
    GROUP BY 1
), open AS (
    SELECT r.queue AS name,
           count(*) FILTER (WHERE r.state = 'pending') AS waiting,
           count(*) FILTER (WHERE r.state = 'pending' AND (r.held_by IS NOT NULL OR (NOT r.gated
               AND (q.status = 'paused' OR (q.status = 'draining' AND r.queued_at > q.changed_at))))) AS held,
           count(*) FILTER (WHERE r.state = 'running') AS running,
           count(*) FILTER (WHERE r.state = 'running' OR r.queued_at <= q.changed_at) AS left_over
    FROM cronzimus.runs r
    LEFT JOIN cronzimus.queues q ON q.name = r.queue
    WHERE r.state IN ('pending', 'running') AND (%(name)s::text IS NULL OR r.queue = %(name)s)
    GROUP BY 1
)
SELECT name, coalesce(q.status, 'active'), coalesce(n.jobs, 0), coalesce(o.waiting, 0), coalesce(o.held, 0),
       coalesce(o.running, 0), CASE q.status WHEN 'draining' THEN coalesce(o.left_over, 0) END, q.changed_by,
       q.changed_at, count(*) OVER ()
FROM named n
FULL JOIN open o USING (name)
FULL JOIN (SELECT * FROM cronzimus.queues WHERE %(name)s::text IS NULL OR name = %(name)s) q USING (name)
ORDER BY name
LIMIT %(limit)s OFFSET %(offset)s;

-- names --
-- The same names alone.
SELECT name FROM cronzimus.queues
UNION SELECT queue FROM cronzimus.runs WHERE state IN ('pending', 'running')
UNION SELECT v.definition ->> 'queue' FROM cronzimus.jobs j
      JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version;

-- alone --
-- The lock of the dispatcher's rounds: one that still saw the queue as it was ends before anything changes, so that it
-- holds nothing back after what was held has been let go.
SELECT pg_advisory_xact_lock(1668244074);

-- status --
-- How it stands, held still for this transaction.
SELECT status FROM cronzimus.queues WHERE name = %(name)s FOR UPDATE;

-- put --
INSERT INTO cronzimus.queues AS q (name, status, changed_by) VALUES (%(name)s, %(status)s, %(by)s)
ON CONFLICT (name) DO UPDATE
SET status = excluded.status, changed_by = excluded.changed_by, changed_at = clock_timestamp();

-- let_go --
-- What the queue held and holds no more is looked at again.
UPDATE cronzimus.runs r
SET held_by = NULL
FROM cronzimus.queues q
WHERE q.name = %(name)s AND r.state = 'pending' AND r.held_by = 'queue:' || q.name
  AND (q.status = 'active' OR (q.status = 'draining' AND r.queued_at <= q.changed_at));

-- plain --
-- The first of those that no dispatcher looks after and that may start again.
SELECT r.id, r.not_before, r.cause = 'backfill', r.gated,
       r.priority + greatest(0, extract(epoch FROM clock_timestamp() - r.queued_at) / 60)::int
FROM cronzimus.runs r
JOIN cronzimus.queues q ON q.name = r.queue
WHERE r.queue = %(name)s AND r.state = 'pending' AND NOT r.gated
  AND (q.status = 'active' OR (q.status = 'draining' AND r.queued_at <= q.changed_at))
ORDER BY r.id
LIMIT %(limit)s;

-- halted --
-- The queues among these that let something wait.
SELECT name, status, changed_at FROM cronzimus.queues
WHERE name = ANY(%(names)s::text[]) AND status <> 'active';

-- notify --
SELECT pg_notify('cronzimus_dispatch', '');
