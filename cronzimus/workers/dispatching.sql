-- lock --
-- One round at a time in the whole house; whoever comes second leaves it to the first.
SELECT pg_try_advisory_xact_lock(1668244074), clock_timestamp();

-- workers --
-- Who takes runs of jobs that run on workers, and was heard of lately.
SELECT w.id, w.kinds, w.queues, w.labels, w.capacity, w.last_dispatch
FROM cronzimus.workers w
WHERE w.status = 'alive' AND w.takes @> '["workers"]' AND w.heartbeat_at > clock_timestamp() - %(silence)s::interval;

-- outstanding --
-- What is out: given to a worker and not ended.
SELECT worker_id, count(*), count(*) FILTER (WHERE cause = 'backfill')
FROM cronzimus.runs
WHERE dispatched_at IS NOT NULL AND state IN ('pending', 'running')
GROUP BY worker_id;

-- taken --
-- What it takes of what is limited.
SELECT takes
FROM cronzimus.runs
WHERE dispatched_at IS NOT NULL AND state IN ('pending', 'running') AND takes IS NOT NULL;

-- queues --
SELECT name, status, changed_at FROM cronzimus.queues WHERE status <> 'active';

-- pools --
SELECT name, slots FROM cronzimus.pools;

-- starts --
-- The starts that rates still remember.
SELECT key, at FROM cronzimus.rate_starts WHERE forget_at > clock_timestamp();

-- held_keys --
-- What runs wait for, each once and in order: one step in the index for each, however many wait. Dependencies are not
-- ours to judge.
WITH RECURSIVE keys AS (
    (SELECT held_by FROM cronzimus.runs WHERE state = 'pending' AND held_by > %(after)s ORDER BY held_by LIMIT 1)
    UNION ALL
    SELECT (SELECT r.held_by FROM cronzimus.runs r
            WHERE r.state = 'pending' AND r.held_by > CASE WHEN k.held_by LIKE 'job:%%' THEN 'job;' ELSE k.held_by END
            ORDER BY r.held_by LIMIT 1)
    FROM keys k
    WHERE k.held_by IS NOT NULL
)
SELECT held_by FROM keys WHERE held_by NOT LIKE 'job:%%' LIMIT %(limit)s;

-- let_go --
-- The first of those that wait for something, as many as there is room for.
UPDATE cronzimus.runs r
SET held_by = NULL
FROM unnest(%(keys)s::text[], %(counts)s::int[]) AS k (key, count)
CROSS JOIN LATERAL (
    SELECT w.id FROM cronzimus.runs w
    WHERE w.state = 'pending' AND w.held_by = k.key
      AND (w.not_before IS NULL OR w.not_before <= clock_timestamp())
    ORDER BY w.ranked_at
    LIMIT k.count
    FOR UPDATE SKIP LOCKED
) w
WHERE r.id = w.id;

-- waiting --
-- What comes next for workers, or for the pool beside the scheduler, by rank.
SELECT r.id, r.job_id, r.job_version, r.queue, r.queued_at, r.cause, r.params, r.pinned_to, r.part
FROM cronzimus.runs r
WHERE r.gated AND r.for_workers = %(for_workers)s AND r.state = 'pending' AND r.dispatched_at IS NULL
  AND r.held_by IS NULL
  AND (r.not_before IS NULL OR r.not_before <= clock_timestamp())
ORDER BY r.ranked_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- last_workers --
-- Who last succeeded with each of these jobs.
SELECT j.id, (
    SELECT r.worker_id FROM cronzimus.runs r
    WHERE r.job_id = j.id AND r.gated AND r.worker_id IS NOT NULL AND r.state IN ('success', 'running', 'pending')
    ORDER BY r.state = 'success' DESC, r.id DESC
    LIMIT 1)
FROM unnest(%(job_ids)s::text[]) AS j (id);

-- dispatch --
UPDATE cronzimus.runs r
SET dispatched_at = clock_timestamp(), worker_id = d.worker_id, takes = d.takes
FROM unnest(%(ids)s::uuid[], %(workers)s::text[], %(takes)s::jsonb[]) AS d (id, worker_id, takes)
WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = d.id;

-- hold --
-- Not now, and why.
UPDATE cronzimus.runs r
SET held_by = h.key
FROM unnest(%(ids)s::uuid[], %(keys)s::text[]) AS h (id, key)
WHERE r.id = ANY(%(ids)s::uuid[]) AND r.id = h.id;

-- turns --
UPDATE cronzimus.workers w
SET last_dispatch = t.turn
FROM unnest(%(workers)s::text[], %(turns)s::bigint[]) AS t (id, turn)
WHERE w.id = t.id AND w.status = 'alive' AND w.last_dispatch < t.turn;

-- remember_starts --
-- Jobs that share a key may look back for different times: a start is remembered for the longest that is known.
INSERT INTO cronzimus.rate_starts (key, at, forget_at, run_id)
SELECT s.key, %(now)s,
       %(now)s::timestamptz + greatest(make_interval(secs => s.seconds), (
           SELECT max(o.forget_at - o.at) FROM cronzimus.rate_starts o WHERE o.key = s.key)), s.run_id
FROM unnest(%(keys)s::text[], %(seconds)s::float8[], %(ids)s::uuid[]) AS s (key, seconds, run_id);

-- forget_starts --
DELETE FROM cronzimus.rate_starts WHERE forget_at < clock_timestamp();

-- cut --
-- One firing, many runs: the first part is the run that was opened, the others stand beside it.
WITH first AS (
    UPDATE cronzimus.runs r
    SET part = 0, parts = cardinality(%(ids)s::uuid[]) + 1, pinned_to = %(pinned_to)s, max_running = NULL
    WHERE r.id = %(id)s
    RETURNING r.*
)
INSERT INTO cronzimus.runs
    (id, job_id, job_version, kind, due_at, cause, max_attempts, priority, queue, params, trace_id, parent_run_id,
     inputs, gated, for_workers, ranked_at, part, parts, pinned_to)
SELECT o.id, f.job_id, f.job_version, f.kind, f.due_at, f.cause, f.max_attempts, f.priority, f.queue, f.params,
       f.trace_id, f.id, f.inputs, true, true, f.ranked_at, o.nth, f.parts, o.pinned_to
FROM first f, unnest(%(ids)s::uuid[], %(others)s::text[]) WITH ORDINALITY AS o (id, pinned_to, nth);

-- take_back --
-- What its worker has not begun for so long goes to another.
UPDATE cronzimus.runs r
SET dispatched_at = NULL, worker_id = NULL, takes = NULL
FROM (
    SELECT id FROM cronzimus.runs
    WHERE state = 'pending' AND dispatched_at < clock_timestamp() - %(patience)s::interval
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) late
WHERE r.id = late.id;

-- take_back_these --
-- The engine could not carry them.
UPDATE cronzimus.runs
SET dispatched_at = NULL, worker_id = NULL, takes = NULL
WHERE id = ANY(%(ids)s::uuid[]) AND state = 'pending' AND dispatched_at IS NOT NULL;

-- give_up_parts --
-- A broadcast is for the workers that live: the part of one that left ends unbegun.
UPDATE cronzimus.runs r
SET state = 'cancelled', ended_at = clock_timestamp(), held_by = NULL, dispatched_at = NULL,
    error = jsonb_build_object('type', 'WorkerGone', 'category', 'SYSTEM', 'message',
                               'worker ' || r.pinned_to || ' left before its part began')
WHERE r.state = 'pending' AND r.held_by IS NOT NULL AND r.pinned_to IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM cronzimus.workers w WHERE w.id = r.pinned_to AND w.status <> 'down')
RETURNING r.id, r.job_id;

-- tell --
SELECT pg_notify('cronzimus_dispatch', '');
