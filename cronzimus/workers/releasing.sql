-- take --
-- What is to be judged now; what another replica has in hand is left to it.
SELECT q.id, q.run_id
FROM cronzimus.runs_to_judge q
WHERE q.judge_at <= clock_timestamp()
ORDER BY q.id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- done --
DELETE FROM cronzimus.runs_to_judge WHERE id = ANY(%(ids)s::bigint[]);

-- postpone --
UPDATE cronzimus.runs_to_judge
SET judge_at = clock_timestamp() + %(pause)s::interval
WHERE id IN (SELECT q.id FROM cronzimus.runs_to_judge q WHERE q.judge_at <= clock_timestamp() ORDER BY q.id LIMIT 1);

-- come_back --
-- Look at these runs again in a moment.
INSERT INTO cronzimus.runs_to_judge (run_id, judge_at)
SELECT w.run_id, clock_timestamp() + interval '1 second' FROM unnest(%(run_ids)s::uuid[]) AS w (run_id);

-- runs --
SELECT r.id, r.job_id, r.job_version, r.trace_id, r.cause, r.state, r.due_at, coalesce(r.due_at, r.queued_at),
       r.held_by, r.params
FROM cronzimus.runs r
WHERE r.id = ANY(%(ids)s::uuid[])
ORDER BY r.queued_at, r.id;

-- one_judge --
-- Two judges of one cycle would each miss what the other skips. The keys come in order.
SELECT pg_advisory_xact_lock(k.key)
FROM (SELECT DISTINCT hashtextextended('cronzimus cycle ' || t.trace_id, 0) AS key
      FROM unnest(%(traces)s::text[]) AS t (trace_id) ORDER BY 1) k;

-- moments --
-- What each cycle is for: the moment of the run it began with.
SELECT DISTINCT ON (found.trace_id) found.trace_id, coalesce(found.due_at, found.queued_at)
FROM (
    SELECT w.trace_id, r.id, r.due_at, r.queued_at
    FROM unnest(%(traces)s::text[]) AS w (trace_id)
    JOIN cronzimus.runs r ON r.trace_id = w.trace_id
     AND (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
    UNION ALL
    SELECT w.trace_id, r.id, r.due_at, r.queued_at
    FROM unnest(%(traces)s::text[], %(roots)s::uuid[]) AS w (trace_id, root)
    JOIN cronzimus.runs r ON r.id = w.root AND r.trace_id = w.trace_id
) found
ORDER BY found.trace_id, found.queued_at, found.id;

-- downstream --
-- In each cycle the jobs that follow those whose fate is known now.
SELECT DISTINCT w.trace_id, d.job_id
FROM unnest(%(traces)s::text[], %(jobs)s::text[]) AS w (trace_id, job_id)
JOIN cronzimus.job_dependencies d ON d.depends_on = w.job_id
WHERE NOT d.timed
ORDER BY 1, 2;

-- timed_downstream --
-- The jobs with due instants of their own that follow these.
SELECT d.depends_on, d.job_id
FROM cronzimus.job_dependencies d
WHERE d.depends_on = ANY(%(jobs)s::text[]) AND d.timed
ORDER BY 1, 2;

-- dependencies --
SELECT d.job_id, d.depends_on, d.condition
FROM cronzimus.job_dependencies d
WHERE d.job_id = ANY(%(ids)s::text[])
ORDER BY d.job_id, d.depends_on;

-- steps --
-- The runs of jobs in cycles, first to last.
SELECT found.trace_id, found.job_id, found.id, found.state, found.part, found.parts
FROM (
    SELECT r.trace_id, r.job_id, r.id, r.state, r.part, r.parts, r.queued_at
    FROM unnest(%(traces)s::text[], %(jobs)s::text[]) AS w (trace_id, job_id)
    JOIN cronzimus.runs r ON r.trace_id = w.trace_id AND r.job_id = w.job_id
     AND (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
    UNION ALL
    SELECT r.trace_id, r.job_id, r.id, r.state, r.part, r.parts, r.queued_at
    FROM unnest(%(traces)s::text[], %(jobs)s::text[], %(roots)s::uuid[]) AS w (trace_id, job_id, root)
    JOIN cronzimus.runs r ON r.id = w.root AND r.trace_id = w.trace_id AND r.job_id = w.job_id
     AND NOT (r.cause IN ('manual', 'retry', 'dependency') OR r.part IS NOT NULL)
) found
ORDER BY found.queued_at, found.id;

-- skipped --
SELECT s.trace_id, s.job_id
FROM unnest(%(traces)s::text[], %(jobs)s::text[]) AS w (trace_id, job_id)
JOIN cronzimus.skipped_steps s ON s.trace_id = w.trace_id AND s.job_id = w.job_id;

-- jobs --
SELECT j.id, j.version, j.status, j.status_reason FROM cronzimus.jobs j WHERE j.id = ANY(%(ids)s::text[]);

-- release --
-- The run of a job whose dependencies have ended as wanted: one in a cycle, whoever else judges.
INSERT INTO cronzimus.runs
    (id, job_id, job_version, kind, due_at, cause, max_attempts, max_running, priority, queue, params, trace_id,
     parent_run_id, gated, for_workers, ranked_at, inputs)
VALUES (%(id)s, %(job_id)s, %(version)s, %(kind)s, %(due_at)s, 'dependency', %(max_attempts)s, %(max_running)s,
        %(priority)s, %(queue)s, %(params)s, %(trace_id)s, %(parent)s, %(gated)s, %(for_workers)s,
        CASE WHEN %(gated)s THEN cronzimus.rank_of(%(priority)s, 'dependency') END, %(inputs)s)
ON CONFLICT DO NOTHING
RETURNING id;

-- skip --
-- A job that will not run in this cycle, and its row in the ledger.
WITH skipped AS (
    INSERT INTO cronzimus.skipped_steps (trace_id, job_id, due_at, reason, note)
    VALUES (%(trace_id)s, %(job_id)s, %(due_at)s, %(reason)s, %(note)s)
    ON CONFLICT (trace_id, job_id) DO NOTHING
    RETURNING due_at
), recorded AS (
    INSERT INTO cronzimus.firings
        (job_id, due_at, first_due_at, decision, reason, epoch, decided_by, job_version, note)
    SELECT %(job_id)s, s.due_at, s.due_at, 'skipped', %(reason)s, %(epoch)s, %(by)s, %(version)s, %(note)s
    FROM skipped s
    ON CONFLICT (job_id, due_at) DO NOTHING
)
SELECT due_at FROM skipped;

-- unskip --
-- It runs after all: the rows that say it was skipped stay, and say that too.
WITH released AS (
    UPDATE cronzimus.skipped_steps s
    SET released_as = %(run_id)s
    WHERE s.trace_id = %(trace_id)s AND s.job_id = %(job_id)s AND s.released_as IS NULL
    RETURNING s.due_at, s.reason
)
UPDATE cronzimus.firings f
SET note = concat_ws('; ', f.note, format('released by %%s at %%s', %(by)s::text,
                     to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')))
FROM released r
WHERE f.job_id = %(job_id)s AND f.due_at = r.due_at AND f.decision = 'skipped' AND f.reason = r.reason;

-- held --
-- The runs of jobs that wait for others.
SELECT r.id, r.job_id, r.job_version, r.trace_id, r.cause, r.state, r.due_at, coalesce(r.due_at, r.queued_at),
       r.held_by, r.params
FROM cronzimus.runs r
WHERE r.job_id = ANY(%(ids)s::text[]) AND r.state = 'pending' AND r.held_by LIKE 'job:%%'
ORDER BY r.queued_at, r.id;

-- cancelled_at --
-- The run of a due instant that was given up because of what it depends on.
SELECT r.id, r.job_id, r.job_version, r.trace_id, r.cause, r.state, r.due_at, coalesce(r.due_at, r.queued_at),
       r.held_by, r.params
FROM cronzimus.firings f
JOIN cronzimus.runs r ON r.id = f.run_id
WHERE f.job_id = %(job_id)s AND f.due_at = %(due_at)s
  AND r.state = 'cancelled' AND r.error ->> 'type' = 'DependencyFailed';

-- latest_between --
-- The last run of each job for a moment in a stretch of time; of one in parts, all of them.
WITH last AS (
    SELECT l.job_id, l.id, l.state, l.part, l.parts, l.due_at, l.queued_at
    FROM unnest(%(jobs)s::text[]) AS w (job_id)
    CROSS JOIN LATERAL (
        SELECT r.job_id, r.id, r.state, r.part, r.parts, r.due_at, r.queued_at
        FROM cronzimus.runs r
        WHERE r.job_id = w.job_id AND r.id >= %(oldest_id)s
          AND coalesce(r.due_at, r.queued_at) > %(start)s AND coalesce(r.due_at, r.queued_at) <= %(end)s
        ORDER BY r.id DESC
        LIMIT 1
    ) l
)
SELECT found.job_id, found.id, found.state, found.part, found.parts
FROM (
    SELECT l.job_id, l.id, l.state, l.part, l.parts, l.queued_at FROM last l WHERE l.parts IS NULL
    UNION ALL
    SELECT r.job_id, r.id, r.state, r.part, r.parts, r.queued_at
    FROM last l
    JOIN cronzimus.runs r ON r.job_id = l.job_id AND r.id >= %(oldest_id)s AND r.parts = l.parts
     AND r.due_at IS NOT DISTINCT FROM l.due_at
) found
ORDER BY found.queued_at, found.id;

-- not_decided --
-- Whether one of these jobs has an instant up to this one that still waits for its decision.
SELECT j.id FROM cronzimus.jobs j WHERE j.id = ANY(%(ids)s::text[]) AND j.next_due_at <= %(due_at)s LIMIT 1;

-- wait --
UPDATE cronzimus.runs r SET held_by = %(held_by)s
WHERE r.id = %(id)s AND r.state = 'pending' AND r.held_by LIKE 'job:%%' AND r.held_by <> %(held_by)s;

-- let_go --
UPDATE cronzimus.runs r SET held_by = NULL, inputs = %(inputs)s
WHERE r.id = %(id)s AND r.state = 'pending' AND r.held_by LIKE 'job:%%';

-- give_up --
UPDATE cronzimus.runs r
SET state = 'cancelled', ended_at = clock_timestamp(), held_by = NULL, error = %(error)s
WHERE r.id = %(id)s AND r.state = 'pending' AND r.held_by LIKE 'job:%%';
