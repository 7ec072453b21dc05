-- covering --
-- The ledger row of an instant: its own, or the range that covers it.
SELECT job_id, due_at, first_due_at, instants, decision, reason, run_id, epoch, decided_by, decided_at, job_version,
       note
FROM cronzimus.firings
WHERE job_id = %(job_id)s AND due_at >= %(at)s AND first_due_at <= %(at)s
ORDER BY due_at
LIMIT 1;

-- clock --
SELECT clock_timestamp();

-- released --
-- The run that the other jobs of its cycle started, for a moment.
SELECT id FROM cronzimus.runs
WHERE job_id = %(job_id)s AND cause = 'dependency' AND due_at = %(at)s AND id >= %(oldest_id)s
ORDER BY id DESC
LIMIT 1;

-- versions --
-- Every version of the jobs asked for that was in force somewhere in the window, in order.
SELECT job_id, version, definition IS NULL, changed_at,
       lead(changed_at) OVER (PARTITION BY job_id ORDER BY version)
FROM cronzimus.job_versions
WHERE %(job_id)s::text IS NULL OR job_id = %(job_id)s
ORDER BY job_id, version;

-- rows_between --
SELECT due_at, first_due_at, instants, decision, reason, job_version
FROM cronzimus.firings
WHERE job_id = %(job_id)s AND due_at >= %(start)s AND first_due_at <= %(end)s
ORDER BY due_at;

-- doubled_runs --
-- More than one scheduled run for one due instant: what the ledger's key makes impossible.
SELECT job_id, due_at, count(*)
FROM cronzimus.runs
WHERE cause = 'schedule' AND due_at BETWEEN %(start)s AND %(end)s
  AND (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
GROUP BY job_id, due_at
HAVING count(*) > 1;
