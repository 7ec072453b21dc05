-- jobs_by_status --
SELECT status, count(*) FROM cronzimus.jobs GROUP BY status;

-- open_runs --
-- How many runs wait and how many run; open runs have an index of their own.
SELECT state, count(*) FROM cronzimus.runs WHERE state IN ('pending', 'running') GROUP BY state;

-- running --
-- What runs now, longest first, and how long its job usually takes: the median of its last successes.
SELECT r.id, r.job_id, r.cause, r.started_at, r.worker_id, r.attempt, r.max_attempts, r.metrics, usual.seconds
FROM (
    SELECT * FROM cronzimus.runs WHERE state = 'running' ORDER BY started_at LIMIT %(limit)s
) r
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.ended_at - p.started_at))::float8 AS seconds
    FROM (
        SELECT started_at, ended_at, state FROM cronzimus.runs
        WHERE job_id = r.job_id AND id < r.id
        ORDER BY id DESC
        LIMIT 20
    ) p
    WHERE p.state = 'success'
) usual ON true
ORDER BY r.started_at;

-- upcoming --
-- What is due soonest.
SELECT id, next_due_at
FROM cronzimus.jobs
WHERE next_due_at IS NOT NULL AND next_due_at < %(until)s AND status = 'active'
ORDER BY next_due_at
LIMIT %(limit)s;

-- count_upcoming --
SELECT count(*) FROM cronzimus.jobs
WHERE next_due_at IS NOT NULL AND next_due_at < %(until)s AND status = 'active';

-- failures --
-- The runs that went wrong last.
SELECT id, job_id, state, cause, ended_at, attempt, max_attempts, error
FROM cronzimus.runs
WHERE state IN ('partial', 'failed', 'timeout', 'lost')
ORDER BY ended_at DESC
LIMIT %(limit)s;

-- decided_by_hour --
-- How the ledger grew, by the hour in which it was decided; a row that sums up many instants counts as all of them.
SELECT date_trunc('hour', decided_at, 'UTC'), decision, sum(instants)::bigint
FROM cronzimus.firings
WHERE decided_at >= %(since)s AND decided_at < %(until)s
GROUP BY 1, 2;

-- failed_by_hour --
SELECT date_trunc('hour', ended_at, 'UTC'), count(*)
FROM cronzimus.runs
WHERE state IN ('partial', 'failed', 'timeout', 'lost') AND ended_at >= %(since)s AND ended_at < %(until)s
GROUP BY 1;

-- leader --
-- Who held the term last, and whether it still runs.
SELECT holder_name, epoch, expires_at > clock_timestamp() FROM cronzimus.leaders WHERE name = 'scheduler';

-- open_alerts --
-- What is wrong now; open alerts have an index of their own.
SELECT count(*) FROM cronzimus.alerts WHERE resolved_at IS NULL;

-- processes_by_status --
-- Who is there; who left, or fell silent, is remembered for a day.
SELECT status, count(*) FROM cronzimus.workers GROUP BY status;

-- recent --
-- The last runs of each job asked for, newest first.
SELECT r.id, r.job_id, r.state, r.due_at, r.queued_at, r.started_at, r.ended_at
FROM unnest(%(ids)s::text[]) AS wanted (job_id)
CROSS JOIN LATERAL (
    SELECT id, job_id, state, due_at, queued_at, started_at, ended_at
    FROM cronzimus.runs
    WHERE job_id = wanted.job_id
    ORDER BY id DESC
    LIMIT %(each)s
) r
ORDER BY r.job_id, r.id DESC;

-- outcomes_by_day --
-- How the runs queued in each stretch of time ended; of a stretch with very many, the latest are looked at.
SELECT d.day, r.state, count(*)
FROM unnest(%(days)s::date[], %(firsts)s::uuid[], %(lasts)s::uuid[]) AS d (day, first, last)
CROSS JOIN LATERAL (
    SELECT state FROM cronzimus.runs
    WHERE job_id = %(job_id)s AND id >= d.first AND id < d.last
    ORDER BY id DESC
    LIMIT %(each)s
) r
GROUP BY d.day, r.state
ORDER BY d.day;
