-- clock --
SELECT clock_timestamp();

-- lock --
-- The row as it stands, held still for this transaction, and the clock after the lock was had.
SELECT id, version, status, next_due_at, clock_timestamp() FROM cronzimus.jobs WHERE id = %(id)s FOR UPDATE;

-- last_version --
-- The highest version a job of this id ever had, 0 when there was none.
SELECT coalesce(max(version), 0) FROM cronzimus.job_versions WHERE job_id = %(id)s;

-- write_version --
INSERT INTO cronzimus.job_versions (job_id, version, definition, operation, changed_by, changed_at, calendar_version)
VALUES (%(id)s, %(version)s, %(definition)s, %(operation)s, %(by)s, %(now)s, %(calendar_version)s);

-- insert --
INSERT INTO cronzimus.jobs (id, version, kind, tags, status, source, next_due_at, calendar, calendar_version)
VALUES (%(id)s, %(version)s, %(kind)s, %(tags)s, %(status)s, %(source)s, %(next_due_at)s, %(calendar)s,
        %(calendar_version)s);

-- update --
UPDATE cronzimus.jobs
SET version = %(version)s, kind = %(kind)s, tags = %(tags)s, status = %(status)s, status_reason = NULL,
    source = %(source)s, next_due_at = %(next_due_at)s, resume_from = NULL, calendar = %(calendar)s,
    calendar_version = %(calendar_version)s, updated_at = clock_timestamp()
WHERE id = %(id)s;

-- take_up --
-- The same definition under the days of another version of its calendar.
UPDATE cronzimus.jobs
SET version = %(version)s, calendar_version = %(calendar_version)s, next_due_at = %(next_due_at)s,
    resume_from = NULL, status = %(status)s, updated_at = clock_timestamp()
WHERE id = %(id)s;

-- set_status --
-- What is to fire again goes on where it had to stop while nobody could read its definition.
UPDATE cronzimus.jobs
SET status = %(status)s, status_reason = NULL, updated_at = clock_timestamp(),
    next_due_at = CASE %(status)s WHEN 'active' THEN coalesce(next_due_at, resume_from) ELSE next_due_at END,
    resume_from = CASE %(status)s WHEN 'active' THEN NULL ELSE resume_from END
WHERE id = %(id)s;

-- delete --
DELETE FROM cronzimus.jobs WHERE id = %(id)s;

-- cancel_pending --
-- What waits for a job that is going away will never run.
UPDATE cronzimus.runs
SET state = 'cancelled', ended_at = clock_timestamp(),
    error = '{"type": "JobDeleted", "category": "BUSINESS", "message": "the job was deleted"}'
WHERE job_id = %(id)s AND state = 'pending';

-- settle --
-- Instants that came before a change and were not decided yet: the change decides them.
INSERT INTO cronzimus.firings
    (job_id, due_at, first_due_at, instants, decision, reason, epoch, decided_by, job_version)
SELECT %(id)s, d.due_at, d.first_due_at, d.instants, d.decision, d.reason, 0, %(by)s, %(version)s
FROM unnest(%(due_ats)s::timestamptz[], %(firsts)s::timestamptz[], %(instants)s::int[],
            %(decisions)s::text[], %(reasons)s::text[])
     AS d (due_at, first_due_at, instants, decision, reason)
ON CONFLICT (job_id, due_at) DO NOTHING;

-- get --
SELECT j.id, v.definition, j.status, j.status_reason, j.source, j.version, j.next_due_at, j.created_at, j.updated_at
FROM cronzimus.jobs j
JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
WHERE j.id = %(id)s;

-- page --
-- One page of jobs by id; every filter that is NULL lets everything through.
SELECT j.id, v.definition, j.status, j.status_reason, j.source, j.version, j.next_due_at, j.created_at, j.updated_at
FROM (
    SELECT * FROM cronzimus.jobs
    WHERE (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(source)s::text IS NULL OR source = %(source)s)
      AND (%(tag)s::text IS NULL OR %(tag)s = ANY(tags))
      AND (%(search)s::text IS NULL OR position(lower(%(search)s) IN id) > 0)
    ORDER BY id
    LIMIT %(limit)s OFFSET %(offset)s
) j
JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
ORDER BY j.id;

-- count --
SELECT count(*) FROM cronzimus.jobs
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(tag)s::text IS NULL OR %(tag)s = ANY(tags))
  AND (%(search)s::text IS NULL OR position(lower(%(search)s) IN id) > 0);

-- declared --
-- The jobs that came from code or a file, with what they say.
SELECT j.id, v.definition, j.source
FROM cronzimus.jobs j
JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
WHERE j.source IN ('code', 'file');

-- sources --
SELECT id, source FROM cronzimus.jobs WHERE id = ANY(%(ids)s::text[]);

-- notify --
-- A hint for the leader that the timetable changed; it looks by itself every second.
SELECT pg_notify('cronzimus_jobs', %(id)s);
