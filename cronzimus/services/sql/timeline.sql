-- runs --
-- The runs that were open in a stretch of time. Ids are in the order of queuing, so that a range of them is a range of
-- time: who was queued long before and still runs is found by the index of open runs, whoever else within the day.
SELECT r.id, r.job_id, r.state, r.cause, r.queued_at, r.started_at, r.ended_at, r.worker_id
FROM cronzimus.runs r
WHERE r.id >= %(first_id)s AND r.id < %(last_id)s
  AND (r.ended_at IS NULL OR r.ended_at >= %(since)s)
  AND (%(job_id)s::text IS NULL OR r.job_id = %(job_id)s)
  AND (%(worker_id)s::text IS NULL OR r.worker_id = %(worker_id)s)
UNION ALL
SELECT r.id, r.job_id, r.state, r.cause, r.queued_at, r.started_at, r.ended_at, r.worker_id
FROM cronzimus.runs r
WHERE r.id < %(first_id)s AND r.state IN ('pending', 'running')
  AND (%(job_id)s::text IS NULL OR r.job_id = %(job_id)s)
  AND (%(worker_id)s::text IS NULL OR r.worker_id = %(worker_id)s)
ORDER BY id DESC
LIMIT %(limit)s;
