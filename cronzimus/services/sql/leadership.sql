-- campaign --
-- Take the term when it has run out or its holder's session is gone, or renew one's own.
-- The epoch grows at each change of holder. No row comes back when another replica leads.
INSERT INTO cronzimus.leaders AS l (name, holder, holder_name, epoch, expires_at, session_pid, session_start)
SELECT %(name)s, %(holder)s, %(holder_name)s, 1, clock_timestamp() + %(term)s, s.pid, s.backend_start
FROM pg_stat_get_activity(pg_backend_pid()) s
ON CONFLICT (name) DO UPDATE
SET holder        = excluded.holder,
    holder_name   = excluded.holder_name,
    epoch         = l.epoch + (l.holder <> excluded.holder)::int,
    expires_at    = clock_timestamp() + %(term)s,
    session_pid   = excluded.session_pid,
    session_start = excluded.session_start
WHERE l.holder = excluded.holder
   OR l.expires_at < clock_timestamp()
   OR NOT EXISTS (
        SELECT 1 FROM pg_stat_get_activity(l.session_pid) s
        WHERE s.backend_start IS NULL OR s.backend_start = l.session_start)
RETURNING l.epoch;

-- resign --
-- Let the next replica lead at once.
UPDATE cronzimus.leaders
SET expires_at = '-infinity'
WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s;

-- current --
-- Who leads, and whether the term is still running.
SELECT holder_name, epoch, expires_at > clock_timestamp() FROM cronzimus.leaders WHERE name = %(name)s;

-- pulse --
-- Asked by a replica that does not stand for election, to know that the database answers.
SELECT 1;
