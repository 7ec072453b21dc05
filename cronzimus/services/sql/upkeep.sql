-- unclaimed --
-- Pending runs whose time has come or comes soon, and that nobody has claimed for a while. Gated ones are the
-- dispatcher's to look after; those that a halted queue keeps are nobody's. Whoever offers a run again says so late:
-- each minute it has waited counts as a point of priority, so that it does not lose its place.
SELECT id, not_before, cause = 'backfill', gated,
       priority + greatest(0, extract(epoch FROM clock_timestamp() - greatest(queued_at, not_before)) / 60)::int
FROM cronzimus.runs r
WHERE state = 'pending' AND NOT gated
  AND NOT EXISTS (SELECT 1 FROM cronzimus.queues q WHERE q.name = r.queue AND q.status <> 'active'
                  AND (q.status = 'paused' OR r.queued_at > q.changed_at))
  AND queued_at <= clock_timestamp() - %(patience)s::interval
  AND (not_before IS NULL OR not_before <= clock_timestamp() + interval '2 seconds')
ORDER BY id
LIMIT %(limit)s;

-- reap --
-- Attempts whose worker stopped renewing its lease: back to pending while tries are left, else lost.
WITH silent AS (
    SELECT r.id, r.attempt, r.worker_id, r.started_at, r.cancel_requested_at, r.max_attempts,
           v.definition -> 'policy' AS policy
    FROM cronzimus.runs r
    LEFT JOIN cronzimus.job_versions v ON v.job_id = r.job_id AND v.version = r.job_version
    WHERE r.state = 'running' AND r.lease_until < clock_timestamp()
    ORDER BY r.id
    LIMIT %(limit)s
    FOR UPDATE OF r SKIP LOCKED
), reaped AS (
    UPDATE cronzimus.runs r
    SET state = CASE WHEN s.cancel_requested_at IS NOT NULL THEN 'cancelled'
                     WHEN s.attempt < s.max_attempts THEN 'pending' ELSE 'lost' END,
        ended_at = CASE WHEN s.cancel_requested_at IS NULL AND s.attempt < s.max_attempts
                        THEN NULL ELSE clock_timestamp() END,
        not_before = CASE WHEN s.cancel_requested_at IS NULL AND s.attempt < s.max_attempts
                          THEN clock_timestamp() + make_interval(secs => least(
                               coalesce((s.policy ->> 'backoff')::float8, 1)
                               * coalesce((s.policy ->> 'backoff_multiplier')::float8, 1) ^ least(s.attempt - 1, 64),
                               coalesce((s.policy ->> 'backoff_cap')::float8, 300))) END,
        error = jsonb_build_object('type', 'WorkerLost', 'category', 'SYSTEM', 'message',
                                   format('worker %%s stopped renewing its lease', s.worker_id)),
        lease_until = NULL,
        dispatched_at = CASE WHEN s.cancel_requested_at IS NULL AND s.attempt < s.max_attempts
                             THEN NULL ELSE r.dispatched_at END
    FROM silent s
    WHERE r.id = s.id
    RETURNING r.id, r.job_id, s.attempt, s.worker_id, s.started_at, r.state, r.error, r.not_before, r.cause, r.gated,
              r.priority
), tried AS (
    INSERT INTO cronzimus.attempts (run_id, attempt, worker_id, started_at, ended_at, state, error)
    SELECT id, attempt, worker_id, started_at, clock_timestamp(),
           CASE state WHEN 'cancelled' THEN 'cancelled' ELSE 'lost' END, error
    FROM reaped
    ON CONFLICT (run_id, attempt) DO NOTHING
), told AS (
    INSERT INTO cronzimus.run_logs (run_id, job_id, attempt, at, stream, level, line)
    SELECT id, job_id, attempt, clock_timestamp(), 'system', 'ERROR',
           format('WorkerLost: %%s; its last words may be missing', error ->> 'message')
    FROM reaped
)
SELECT id, state, not_before, cause = 'backfill', gated, priority FROM reaped;

-- week_for --
-- A week's partition of a table; rows of that week that already lie in the default one move over.
SELECT cronzimus.ensure_week(%(table)s::text, %(day)s::date);

-- old_weeks --
-- Partitions of a table that end before the given day.
SELECT c.relname
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass('cronzimus.' || quote_ident(%(table)s::text))
  AND c.relname ~ '_[0-9]{8}$'
  AND to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= %(before)s::date;

-- drop_week --
SELECT cronzimus.drop_week(%(table)s::text, %(name)s::text);

-- prune_firings --
-- What lies outside of every week.
DELETE FROM cronzimus.firings_default WHERE due_at < %(before)s;

-- prune_run_logs --
DELETE FROM cronzimus.run_logs_default WHERE at < %(before)s;

-- prune_runs --
-- Finished runs older than the history is kept, a batch at a time.
DELETE FROM cronzimus.runs
WHERE id IN (
    SELECT id FROM cronzimus.runs
    WHERE id < %(oldest_id)s AND state NOT IN ('pending', 'running')
    ORDER BY id
    LIMIT %(limit)s);

-- prune_answers --
-- Answers nobody may ask for a second time any more.
DELETE FROM cronzimus.idempotency_keys WHERE expires_at < clock_timestamp();

-- prune_skipped_steps --
DELETE FROM cronzimus.skipped_steps WHERE skipped_at < %(before)s;
