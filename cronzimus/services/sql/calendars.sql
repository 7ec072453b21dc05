-- alone --
-- One change of the calendars at a time: what one includes of another must not change meanwhile.
LOCK TABLE cronzimus.calendars IN SHARE ROW EXCLUSIVE MODE;

-- get --
SELECT id, version, document, refreshed_at, trouble, created_at, updated_at
FROM cronzimus.calendars
WHERE id = %(id)s;

-- page --
SELECT id, version, document, refreshed_at, trouble, created_at, updated_at
FROM cronzimus.calendars
ORDER BY id
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*) FROM cronzimus.calendars;

-- own --
-- What each calendar names itself, and which others it includes.
SELECT id, own, includes, version, document ->> 'timezone' FROM cronzimus.calendars;

-- days --
SELECT days, timezone FROM cronzimus.calendar_versions WHERE calendar_id = %(id)s AND version = %(version)s;

-- last_version --
-- The highest version a calendar of this id ever had, 0 when there was none.
SELECT coalesce(max(version), 0) FROM cronzimus.calendar_versions WHERE calendar_id = %(id)s;

-- write_version --
INSERT INTO cronzimus.calendar_versions (calendar_id, version, days, timezone, changed_by)
VALUES (%(id)s, %(version)s, %(days)s, %(timezone)s, %(by)s);

-- put --
INSERT INTO cronzimus.calendars AS c (id, version, document, own, includes)
VALUES (%(id)s, %(version)s, %(document)s, %(own)s, %(includes)s)
ON CONFLICT (id) DO UPDATE
SET version = excluded.version, document = excluded.document, own = excluded.own, includes = excluded.includes,
    refreshed_at = clock_timestamp(), trouble = NULL, updated_at = clock_timestamp();

-- set_version --
UPDATE cronzimus.calendars SET version = %(version)s, updated_at = clock_timestamp() WHERE id = %(id)s;

-- note_trouble --
UPDATE cronzimus.calendars SET trouble = %(trouble)s, refreshed_at = clock_timestamp() WHERE id = %(id)s;

-- remove --
DELETE FROM cronzimus.calendars WHERE id = %(id)s;

-- users --
-- What stands in the way of removing a calendar.
SELECT 'job', id FROM cronzimus.jobs WHERE calendar = %(id)s
UNION ALL
SELECT 'calendar', id FROM cronzimus.calendars WHERE %(id)s = ANY(includes)
ORDER BY 1 DESC, 2
LIMIT 20;

-- behind --
-- Jobs that keep to an older version of their calendar than its last.
SELECT j.id
FROM cronzimus.calendars c
JOIN cronzimus.jobs j ON j.calendar = c.id AND j.calendar_version <> c.version
ORDER BY j.id
LIMIT %(limit)s;

-- stale --
-- Calendars that have not been read from their sources for so long, or for an hour where that failed.
SELECT id FROM cronzimus.calendars
WHERE refreshed_at < clock_timestamp() - CASE WHEN trouble IS NULL THEN %(age)s::interval ELSE interval '1 hour' END
ORDER BY refreshed_at;
