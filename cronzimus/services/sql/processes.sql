-- beat --
-- One's sign of life. Of one that is down nothing is touched: its name may be somebody else's by now.
UPDATE cronzimus.workers
SET running      = %(running)s,
    load         = %(load)s::jsonb,
    status       = CASE WHEN drain_requested_at IS NOT NULL AND NOT takes ? 'scheduler' THEN 'draining'
                        ELSE %(status)s END,
    heartbeat_at = clock_timestamp(),
    updated_at   = clock_timestamp()
WHERE boot_id = %(boot_id)s AND status <> 'down'
RETURNING drain_requested_at IS NOT NULL;

-- hold_name --
-- Whoever takes a name, or comes back under it, does so alone.
SELECT pg_advisory_xact_lock(hashtextextended('cronzimus.workers/' || %(id)s, 0));

-- rival --
SELECT boot_id, host, pid, heartbeat_at, heartbeat_at < clock_timestamp() - %(silence)s
FROM cronzimus.workers
WHERE id = %(id)s AND boot_id <> %(boot_id)s AND status <> 'down'
ORDER BY heartbeat_at DESC
LIMIT 1;

-- displace --
-- A life is over that has not been heard since one looked at it.
UPDATE cronzimus.workers
SET status = 'down', running = 0, updated_at = clock_timestamp()
WHERE boot_id = %(boot_id)s AND status <> 'down' AND heartbeat_at = %(heartbeat_at)s;

-- arrive --
-- The first sign of life, or the first after one was thought dead.
INSERT INTO cronzimus.workers
    (id, boot_id, replica, host, pid, roles, takes, kinds, queues, labels, capacity, version, running, load, status)
VALUES (%(id)s, %(boot_id)s, %(replica)s, %(host)s, %(pid)s, %(roles)s::jsonb, %(takes)s::jsonb, %(kinds)s::jsonb,
        %(queues)s::jsonb, %(labels)s::jsonb, %(capacity)s, %(version)s, %(running)s, %(load)s::jsonb, %(status)s)
ON CONFLICT (boot_id) DO UPDATE
SET running      = excluded.running,
    load         = excluded.load,
    status       = excluded.status,
    heartbeat_at = clock_timestamp(),
    updated_at   = clock_timestamp()
RETURNING drain_requested_at IS NOT NULL;

-- request_drain --
-- The living one of that name takes no more runs of workers; one that takes no others is draining from now on.
UPDATE cronzimus.workers
SET drain_requested_at = coalesce(drain_requested_at, clock_timestamp()),
    status             = CASE WHEN takes ? 'scheduler' THEN status ELSE 'draining' END,
    takes              = takes - 'workers',
    updated_at         = clock_timestamp()
WHERE boot_id = %(boot_id)s AND status <> 'down' AND (takes ? 'workers' OR drain_requested_at IS NOT NULL);

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
       greatest(extract(epoch FROM clock_timestamp() - w.heartbeat_at), 0)::float8,
       w.takes, w.load, w.drain_requested_at
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
