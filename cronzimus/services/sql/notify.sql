-- listen --
-- Hints that a change was made elsewhere.
LISTEN cronzimus_jobs;
LISTEN cronzimus_cancel;
