-- load --
SELECT v.job_id, v.version, v.definition, v.calendar_version
FROM cronzimus.job_versions v
JOIN unnest(%(ids)s::text[], %(versions)s::int[]) AS k (job_id, version) USING (job_id, version)
WHERE v.job_id = ANY(%(ids)s::text[]) AND v.definition IS NOT NULL;

-- calendar_now --
SELECT version FROM cronzimus.calendars WHERE id = %(id)s;

-- calendars --
SELECT id FROM cronzimus.calendars;

-- calendar_days --
-- The days off of calendars at versions; a version never changes.
SELECT c.calendar_id, c.version, c.days, c.timezone
FROM cronzimus.calendar_versions c
JOIN unnest(%(ids)s::text[], %(versions)s::int[]) AS k (calendar_id, version) USING (calendar_id, version)
WHERE c.calendar_id = ANY(%(ids)s::text[]);
