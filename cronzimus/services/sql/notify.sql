-- listen --
-- Hints that a change was made elsewhere.
LISTEN cronzimus_jobs;
LISTEN cronzimus_cancel;
LISTEN cronzimus_events;
LISTEN cronzimus_access;

-- announce --
SELECT pg_notify(%(channel)s, %(payload)s);
