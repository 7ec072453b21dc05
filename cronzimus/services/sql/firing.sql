-- due --
-- What is due now, earliest first, with the clock that decides.
-- Asked once, in a query of its own, the clock bounds the scan of the index; asked for each row it would not.
-- The last revision of the blackouts says, in the same snapshot, whether the leader knows them all.
SELECT j.id, j.version, j.status, j.next_due_at, clock_timestamp(),
       (SELECT max(b.revision) FROM cronzimus.blackouts b)
FROM cronzimus.jobs j
WHERE j.next_due_at <= (SELECT clock_timestamp())
ORDER BY j.next_due_at
LIMIT %(limit)s;

-- open_runs --
-- How many runs of these jobs are not finished. Those of a backfill are in a lane of their own: neither they
-- nor what waits only because one of them still runs stands in the way of a firing.
SELECT job_id, count(*) FILTER (WHERE cause <> 'backfill' AND state = 'running')
     + CASE WHEN bool_or(cause = 'backfill' AND state = 'running') THEN 0
            ELSE count(*) FILTER (WHERE cause <> 'backfill' AND state = 'pending') END
FROM cronzimus.runs
WHERE job_id = ANY(%(job_ids)s::text[]) AND state IN ('pending', 'running')
GROUP BY job_id;

-- next_wait --
-- Seconds until the next instant is due, by the clock of the database.
SELECT greatest(extract(epoch FROM next_due_at - clock_timestamp()), 0)::float8
FROM cronzimus.jobs
WHERE next_due_at IS NOT NULL
ORDER BY next_due_at
LIMIT 1;

-- commit --
-- If the term still holds: move the jobs on, write their ledger rows and open the runs they start.
-- All of it or nothing, in one statement. A job that was changed, paused or moved on since it was
-- read is left alone, its decisions with it; an instant that has its row already starts nothing.
WITH term AS (
    SELECT epoch FROM cronzimus.leaders
    WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s AND expires_at > clock_timestamp()
    FOR SHARE
), moved AS (
    UPDATE cronzimus.jobs j
    SET next_due_at = m.next_due_at,
        status = CASE WHEN m.next_due_at IS NULL THEN 'finished' ELSE j.status END
    FROM term, unnest(%(ids)s::text[], %(versions)s::int[], %(statuses)s::text[], %(due_ats)s::timestamptz[],
                      %(next_due_ats)s::timestamptz[], %(max_attempts)s::int[], %(max_running)s::int[],
                      %(priorities)s::int[], %(queues)s::text[], %(gated)s::bool[], %(held_bys)s::text[],
                      %(for_workers)s::bool[])
         AS m (id, version, status, due_at, next_due_at, max_attempts, max_running, priority, queue, gated, held_by,
               for_workers)
    WHERE j.id = ANY(%(ids)s::text[]) AND j.id = m.id AND j.version = m.version
      AND j.status = m.status AND j.next_due_at = m.due_at
    RETURNING m.id, m.version, j.kind, m.max_attempts, m.max_running, m.priority, m.queue, m.gated, m.held_by,
              m.for_workers
), decided AS (
    SELECT d.*, m.version, m.kind, m.max_attempts, m.max_running, m.priority, m.queue, m.gated, m.held_by,
           m.for_workers
    FROM unnest(%(d_ids)s::text[], %(d_due_ats)s::timestamptz[], %(d_firsts)s::timestamptz[], %(d_instants)s::int[],
                %(d_decisions)s::text[], %(d_reasons)s::text[], %(d_runs)s::uuid[], %(d_not_befores)s::timestamptz[],
                %(d_notes)s::text[])
         AS d (job_id, due_at, first_due_at, instants, decision, reason, run_id, not_before, note)
    JOIN moved m ON m.id = d.job_id
), recorded AS (
    INSERT INTO cronzimus.firings
        (job_id, due_at, first_due_at, instants, decision, reason, run_id, epoch, decided_by, job_version, note)
    SELECT job_id, due_at, coalesce(first_due_at, due_at), instants, decision, reason, run_id, %(epoch)s,
           %(decided_by)s, version, note
    FROM decided
    ON CONFLICT (job_id, due_at) DO NOTHING
    RETURNING run_id
), opened AS (
    INSERT INTO cronzimus.runs
        (id, job_id, job_version, kind, due_at, cause, max_attempts, max_running, priority, queue, not_before, trace_id,
         gated, ranked_at, held_by, for_workers)
    SELECT d.run_id, d.job_id, d.version, d.kind, d.due_at, 'schedule', d.max_attempts, d.max_running, d.priority,
           d.queue, d.not_before, replace(d.run_id::text, '-', ''),
           d.gated, CASE WHEN d.gated THEN cronzimus.rank_of(d.priority, 'schedule') END, d.held_by,
           d.for_workers
    FROM decided d JOIN recorded USING (run_id)
    RETURNING id, not_before, gated, priority, held_by
), held AS (
    INSERT INTO cronzimus.runs_to_judge (run_id)
    SELECT o.id FROM opened o WHERE o.held_by IS NOT NULL
)
SELECT term.epoch, opened.id, opened.not_before, opened.gated, opened.priority FROM term LEFT JOIN opened ON true;

-- replace_open_runs --
-- Overlap `replace`: what waits is cancelled, what runs is asked to stop.
WITH waiting AS (
    UPDATE cronzimus.runs
    SET state = 'cancelled', ended_at = clock_timestamp(),
        error = '{"type": "Replaced", "category": "BUSINESS", "message": "replaced by a later firing"}'
    WHERE job_id = ANY(%(job_ids)s::text[]) AND state = 'pending' AND id <> ALL(%(fresh)s::uuid[])
      AND cause <> 'backfill'
)
UPDATE cronzimus.runs SET cancel_requested_at = clock_timestamp()
WHERE job_id = ANY(%(job_ids)s::text[]) AND state = 'running' AND cancel_requested_at IS NULL
  AND cause <> 'backfill'
RETURNING id;

-- mark_broken --
-- The definition cannot be loaded: say so, keep it, and keep writing its ledger. Where not even the next instant can be
-- told any more, the place is kept from which whoever can tell goes on; so it is for a paused job, which stays paused.
UPDATE cronzimus.jobs
SET status = CASE status WHEN 'active' THEN 'broken' ELSE status END,
    status_reason = CASE status WHEN 'active' THEN %(reason)s END,
    next_due_at = CASE WHEN %(unschedulable)s THEN NULL ELSE next_due_at END,
    resume_from = CASE WHEN %(unschedulable)s THEN next_due_at END,
    updated_at = clock_timestamp()
WHERE id = %(job_id)s AND version = %(version)s
  AND (status = 'active' OR (%(unschedulable)s AND next_due_at IS NOT NULL));

-- mend_broken --
-- A new leader may know what the last one could not load.
UPDATE cronzimus.jobs
SET status = CASE status WHEN 'broken' THEN 'active' ELSE status END, status_reason = NULL,
    next_due_at = coalesce(next_due_at, resume_from), resume_from = NULL, updated_at = clock_timestamp()
WHERE (status = 'broken' AND next_due_at IS NOT NULL)
   OR (status IN ('broken', 'paused') AND next_due_at IS NULL AND resume_from IS NOT NULL);

-- notify --
SELECT pg_notify(%(channel)s, %(payload)s);
