-- behind --
-- A job that was due a while ago and that nobody has decided.
SELECT FROM cronzimus.jobs
WHERE next_due_at <= clock_timestamp() - make_interval(secs => %(seconds)s)
LIMIT 1;
