-- run --
SELECT id, job_id, job_version, due_at, cause, state, attempt, max_attempts, priority, queue, worker_id, lease_until,
       not_before, cancel_requested_at, params, queued_at, started_at, ended_at, result, error, metrics, trace_id,
       parent_run_id, code_revision, dispatched_at, held_by, part, parts, inputs
FROM cronzimus.runs
WHERE id = %(id)s;

-- runs --
-- One page of runs, newest first; a filter that is NULL lets everything through.
SELECT id, job_id, job_version, due_at, cause, state, attempt, max_attempts, priority, queue, worker_id, lease_until,
       not_before, cancel_requested_at, params, queued_at, started_at, ended_at, result, error, metrics, trace_id,
       parent_run_id, code_revision, dispatched_at, held_by, part, parts, inputs
FROM cronzimus.runs
WHERE (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(kind)s::text IS NULL OR job_id IN (SELECT j.id FROM cronzimus.jobs j WHERE j.kind = %(kind)s))
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(cause)s::text IS NULL OR cause = %(cause)s)
  AND (%(worker_id)s::text IS NULL OR worker_id = %(worker_id)s)
  AND (%(since)s::timestamptz IS NULL OR coalesce(due_at, queued_at) >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR coalesce(due_at, queued_at) < %(until)s)
ORDER BY id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- count_runs --
SELECT count(*)
FROM cronzimus.runs
WHERE (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(kind)s::text IS NULL OR job_id IN (SELECT j.id FROM cronzimus.jobs j WHERE j.kind = %(kind)s))
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(cause)s::text IS NULL OR cause = %(cause)s)
  AND (%(worker_id)s::text IS NULL OR worker_id = %(worker_id)s)
  AND (%(since)s::timestamptz IS NULL OR coalesce(due_at, queued_at) >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR coalesce(due_at, queued_at) < %(until)s);

-- attempts --
SELECT run_id, attempt, worker_id, started_at, ended_at, state, error
FROM cronzimus.attempts
WHERE run_id = %(id)s
ORDER BY attempt;

-- firings --
-- One page of the ledger, latest due first.
SELECT job_id, due_at, first_due_at, instants, decision, reason, run_id, epoch, decided_by, decided_at, job_version,
       note
FROM cronzimus.firings
WHERE (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(decision)s::text IS NULL OR decision = %(decision)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR due_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR first_due_at < %(until)s)
ORDER BY due_at DESC, job_id
LIMIT %(limit)s OFFSET %(offset)s;

-- count_firings --
SELECT count(*)
FROM cronzimus.firings
WHERE (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(decision)s::text IS NULL OR decision = %(decision)s)
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR due_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR first_due_at < %(until)s);

-- versions --
SELECT job_id, version, definition, operation, changed_by, changed_at
FROM cronzimus.job_versions
WHERE job_id = %(id)s
ORDER BY version;
