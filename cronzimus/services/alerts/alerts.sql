-- alert --
SELECT id, rule_id, condition, severity, subject, job_id, run_id, due_at, summary, channels, remind_every, occurrences,
       opened_at, told_at, acknowledged_at, acknowledged_by, silenced_until, resolved_at, resolution
FROM cronzimus.alerts
WHERE id = %(id)s;

-- page --
-- One page of alerts, the latest first; a filter that is NULL lets everything through.
SELECT id, rule_id, condition, severity, subject, job_id, run_id, due_at, summary, channels, remind_every, occurrences,
       opened_at, told_at, acknowledged_at, acknowledged_by, silenced_until, resolved_at, resolution
FROM cronzimus.alerts
WHERE (%(state)s::text IS NULL OR (%(state)s = 'open') = (resolved_at IS NULL))
  AND (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(rule_id)s::text IS NULL OR rule_id = %(rule_id)s)
  AND (%(severity)s::text IS NULL OR severity = %(severity)s)
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.alerts
WHERE (%(state)s::text IS NULL OR (%(state)s = 'open') = (resolved_at IS NULL))
  AND (%(job_id)s::text IS NULL OR job_id = %(job_id)s)
  AND (%(rule_id)s::text IS NULL OR rule_id = %(rule_id)s)
  AND (%(severity)s::text IS NULL OR severity = %(severity)s);

-- acknowledge --
UPDATE cronzimus.alerts
SET acknowledged_at = coalesce(acknowledged_at, clock_timestamp()), acknowledged_by = coalesce(acknowledged_by, %(by)s)
WHERE id = %(id)s AND resolved_at IS NULL;

-- silence --
UPDATE cronzimus.alerts SET silenced_until = %(until)s WHERE id = %(id)s AND resolved_at IS NULL;

-- last_success --
SELECT ended_at FROM cronzimus.runs WHERE job_id = %(job_id)s AND state = 'success' ORDER BY id DESC LIMIT 1;

-- version_of --
SELECT definition FROM cronzimus.job_versions WHERE job_id = %(job_id)s AND definition IS NOT NULL
ORDER BY version DESC LIMIT 1;
