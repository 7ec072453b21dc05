-- listen --
-- Hints that a change was made elsewhere.
LISTEN cronzimus_jobs;
LISTEN cronzimus_cancel;
LISTEN cronzimus_events;
LISTEN cronzimus_access;
LISTEN cronzimus_dispatch;
LISTEN cronzimus_dependencies;
LISTEN cronzimus_workers;

-- listen_as_worker --
-- What concerns a process that only executes.
LISTEN cronzimus_cancel;
LISTEN cronzimus_workers;

-- announce --
SELECT pg_notify(%(channel)s, %(payload)s);
