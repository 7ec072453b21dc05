-- beat --
-- One's sign of life; a process that was thought dead is back with it.
INSERT INTO cronzimus.workers (id, boot_id, replica, host, pid, roles, capacity, version, running, status)
VALUES (%(id)s, %(boot_id)s, %(replica)s, %(host)s, %(pid)s, %(roles)s::jsonb, %(capacity)s, %(version)s,
        %(running)s, %(status)s)
ON CONFLICT (boot_id) DO UPDATE
SET running      = excluded.running,
    status       = excluded.status,
    heartbeat_at = clock_timestamp(),
    updated_at   = clock_timestamp()
RETURNING xmax = 0;

-- miss --
-- Whoever was silent for too long is down, until it is heard again.
UPDATE cronzimus.workers
SET status = 'down', running = 0, updated_at = clock_timestamp()
WHERE status <> 'down' AND heartbeat_at < clock_timestamp() - %(silence)s
RETURNING id;

-- forget --
DELETE FROM cronzimus.workers
WHERE status = 'down' AND heartbeat_at < clock_timestamp() - %(after)s;

-- leave --
UPDATE cronzimus.workers
SET status = 'down', running = 0, updated_at = clock_timestamp()
WHERE boot_id = %(boot_id)s AND status <> 'down';

-- list --
-- The living first, the leader before all.
SELECT w.id, w.boot_id, w.replica, w.host, w.pid, w.roles, w.kinds, w.queues, w.labels, w.capacity, w.running, w.status,
       w.status <> 'down' AND l.name IS NOT NULL AS leads,
       w.version, w.created_at, w.heartbeat_at,
       greatest(extract(epoch FROM clock_timestamp() - w.heartbeat_at), 0)::float8
FROM cronzimus.workers w
LEFT JOIN cronzimus.leaders l
    ON l.name = 'scheduler' AND l.holder_name = w.replica AND l.expires_at > clock_timestamp()
WHERE (%(id)s::text IS NULL OR w.id = %(id)s)
  AND (%(status)s::text IS NULL OR w.status = %(status)s)
  AND (%(role)s::text IS NULL OR w.roles ? %(role)s)
ORDER BY w.status = 'down', leads DESC, w.created_at DESC, w.id
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.workers w
WHERE (%(id)s::text IS NULL OR w.id = %(id)s)
  AND (%(status)s::text IS NULL OR w.status = %(status)s)
  AND (%(role)s::text IS NULL OR w.roles ? %(role)s);
