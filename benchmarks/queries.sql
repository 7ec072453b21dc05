-- write_versions --
-- The n-th job's first definition: the sample under its own id, its interval anchored where it is due first.
INSERT INTO cronzimus.job_versions (job_id, version, definition, operation, changed_by, changed_at)
SELECT id, 1,
       jsonb_set(jsonb_set(%(sample)s, '{id}', to_jsonb(id)), '{trigger,start_date}', to_jsonb(due_at)),
       'create', 'bench', clock_timestamp()
FROM (SELECT 'job-' || lpad(n::text, 6, '0') AS id,
             %(first)s::timestamptz + make_interval(secs => n * %(spread)s::float8 / %(count)s) AS due_at
      FROM generate_series(0, %(count)s - 1) n) AS jobs;

-- write_jobs --
INSERT INTO cronzimus.jobs (id, version, kind, tags, status, source, next_due_at)
SELECT 'job-' || lpad(n::text, 6, '0'), 1, 'function', '{}', 'active', 'api',
       %(first)s::timestamptz + make_interval(secs => n * %(spread)s::float8 / %(count)s)
FROM generate_series(0, %(count)s - 1) n;

-- tidy_jobs --
VACUUM ANALYZE cronzimus.jobs;

-- tidy_versions --
VACUUM ANALYZE cronzimus.job_versions;

-- successes --
-- Runs durably finished so far, and the moment of the count.
SELECT count(*), extract(epoch FROM clock_timestamp())::float8 FROM cronzimus.runs WHERE state = 'success';

-- decisions --
SELECT decision, coalesce(reason, ''), count(*) FROM cronzimus.firings GROUP BY 1, 2 ORDER BY 1, 2;

-- bare_move --
UPDATE cronzimus.jobs SET next_due_at = next_due_at + interval '1 second' WHERE id = ANY(%(jobs)s::text[]);

-- bare_firings --
INSERT INTO cronzimus.firings (job_id, due_at, first_due_at, decision, run_id, epoch, decided_by, job_version)
SELECT job_id, %(due_at)s, %(due_at)s, 'fired', run_id, 1, 'bench', 1
FROM unnest(%(jobs)s::text[], %(runs)s::uuid[]) AS f (job_id, run_id)
ON CONFLICT (job_id, due_at) DO NOTHING;

-- bare_runs --
INSERT INTO cronzimus.runs (id, job_id, job_version, due_at, cause, max_running, trace_id)
SELECT run_id, job_id, 1, %(due_at)s, 'schedule', 1, replace(run_id::text, '-', '')
FROM unnest(%(jobs)s::text[], %(runs)s::uuid[]) AS f (job_id, run_id);

-- bare_start --
UPDATE cronzimus.runs
SET state = 'running', attempt = 1, worker_id = 'bench', started_at = clock_timestamp(),
    lease_until = clock_timestamp() + interval '15 seconds'
WHERE id = ANY(%(runs)s::uuid[]);

-- bare_finish --
UPDATE cronzimus.runs
SET state = 'success', ended_at = clock_timestamp(), lease_until = NULL
WHERE id = ANY(%(runs)s::uuid[]);

-- bare_attempts --
INSERT INTO cronzimus.attempts (run_id, attempt, worker_id, started_at, ended_at, state)
SELECT run_id, 1, 'bench', clock_timestamp(), clock_timestamp(), 'success' FROM unnest(%(runs)s::uuid[]) AS f (run_id);

-- starts --
-- Scheduled runs that ended well, since an instant if one is given.
SELECT count(*) FROM cronzimus.runs
WHERE cause = 'schedule' AND state = 'success' AND (%(since)s::timestamptz IS NULL OR started_at > %(since)s);

-- leader --
SELECT holder_name FROM cronzimus.leaders WHERE expires_at > clock_timestamp();

-- longest_gap --
-- Seconds between two starts that follow each other, at the most.
SELECT max(extract(epoch FROM started_at - before))::float8
FROM (SELECT started_at, lag(started_at) OVER (ORDER BY started_at) AS before
      FROM cronzimus.runs WHERE cause = 'schedule' AND started_at IS NOT NULL) AS starts;

-- now --
SELECT extract(epoch FROM clock_timestamp())::float8;

-- write_runs --
-- Runs by hand that wait for the dispatcher.
INSERT INTO cronzimus.runs (id, job_id, job_version, kind, cause, trace_id, gated, for_workers, ranked_at)
SELECT r.id, %(job_id)s, 1, 'function', 'manual', replace(r.id::text, '-', ''), true, true, clock_timestamp()
FROM unnest(%(ids)s::uuid[]) AS r (id);

-- tell --
SELECT pg_notify('cronzimus_dispatch', '');

-- ended --
-- How many runs of a job ended well, and when the last one did.
SELECT count(*), coalesce(extract(epoch FROM max(ended_at)), 0)::float8
FROM cronzimus.runs WHERE job_id = %(job_id)s AND state = 'success';

-- workers --
-- Who takes runs of workers.
SELECT count(*) FROM cronzimus.workers WHERE status = 'alive' AND takes @> '["workers"]';

-- known --
-- Whether the jobs that are wanted are there.
SELECT count(*) >= %(jobs)s FROM cronzimus.jobs;

-- waits --
-- Milliseconds from asking to the start of each run of a job, in order.
SELECT array_agg(1000 * extract(epoch FROM started_at - queued_at)::float8 ORDER BY started_at - queued_at)
FROM cronzimus.runs WHERE job_id = %(job_id)s AND started_at IS NOT NULL;

-- rate_between --
-- Runs of a job a second, from the one that ended as the `first` to that which ended as the `last`.
SELECT (%(last)s - %(first)s) / extract(epoch FROM max(ended_at) - min(ended_at))::float8
FROM (SELECT ended_at, row_number() OVER (ORDER BY ended_at, id) AS nth
      FROM cronzimus.runs WHERE job_id = %(job_id)s AND state = 'success') ended
WHERE nth IN (%(first)s, %(last)s);

-- analyze_runs --
ANALYZE cronzimus.runs;

-- table_sizes --
-- The largest tables with their indexes, partitions added up.
SELECT jsonb_object_agg(name, size) FROM (
    SELECT regexp_replace(relname, '_(default|[0-9]{8})$', '') AS name, sum(pg_total_relation_size(c.oid)) AS size
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname LIKE 'cronzimus%%'
    GROUP BY 1
    ORDER BY 2 DESC
    LIMIT %(limit)s
) sizes;

-- told_of_ledger --
-- What was decided, and what became of the runs that are still there.
SELECT jsonb_build_object(
    'firings', (SELECT jsonb_object_agg(decision, n)
                FROM (SELECT decision, sum(instants) AS n FROM cronzimus.firings GROUP BY 1) f),
    'runs kept', (SELECT jsonb_object_agg(state, n)
                  FROM (SELECT state, count(*) AS n FROM cronzimus.runs GROUP BY 1) r),
    'bytes a firing', (SELECT round(sum(pg_total_relation_size(inhrelid)) / (SELECT greatest(count(*), 1) FROM cronzimus.firings))
                       FROM pg_inherits WHERE inhparent = 'cronzimus.firings'::regclass));

-- send_a_fifth_away --
UPDATE cronzimus.job_versions
SET definition = jsonb_set(definition, '{runs_on}', '"workers"')
WHERE job_id ~ '[05]$';

-- vacuums --
SELECT current_setting('autovacuum')::boolean;
