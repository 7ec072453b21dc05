-- page --
-- Pools by name, with what is out and who waits.
SELECT p.name, p.slots, p.description, coalesce(t.taken, 0), coalesce(w.waiting, 0), p.changed_by, p.created_at,
       p.updated_at
FROM cronzimus.pools p
LEFT JOIN (
    SELECT r.takes ->> 'pool' AS name, sum((r.takes ->> 'slots')::int) AS taken
    FROM cronzimus.runs r
    WHERE r.dispatched_at IS NOT NULL AND r.state IN ('pending', 'running') AND r.takes ? 'pool'
    GROUP BY 1
) t USING (name)
LEFT JOIN (
    SELECT CASE WHEN r.held_by LIKE 'pool:%%' THEN substr(r.held_by, 6) ELSE split_part(r.held_by, '/', 2) END AS name,
           count(*) AS waiting
    FROM cronzimus.runs r
    WHERE r.state = 'pending'
      AND ((r.held_by >= 'pool:' AND r.held_by < 'pool;') OR (r.held_by >= 'slots:' AND r.held_by < 'slots;'))
    GROUP BY 1
) w USING (name)
WHERE %(name)s::text IS NULL OR p.name = %(name)s
ORDER BY p.name
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*) FROM cronzimus.pools;

-- sizes --
SELECT name, slots FROM cronzimus.pools ORDER BY name;

-- kept --
-- The size of a pool that nobody may delete before this transaction has ended.
SELECT slots FROM cronzimus.pools WHERE name = %(name)s FOR KEY SHARE;

-- lock --
SELECT slots, description FROM cronzimus.pools WHERE name = %(name)s FOR UPDATE;

-- put --
INSERT INTO cronzimus.pools (name, slots, description, changed_by)
VALUES (%(name)s, %(slots)s, coalesce(%(description)s, ''), %(by)s)
ON CONFLICT (name) DO UPDATE
SET slots = excluded.slots, description = coalesce(%(description)s, cronzimus.pools.description),
    changed_by = excluded.changed_by, updated_at = clock_timestamp();

-- users --
-- Jobs whose runs take slots of it.
SELECT j.id
FROM cronzimus.jobs j
JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
WHERE v.definition #>> '{limits,pool}' = %(name)s
ORDER BY j.id
LIMIT 20;

-- remove --
DELETE FROM cronzimus.pools WHERE name = %(name)s;

-- notify --
SELECT pg_notify('cronzimus_dispatch', '');
