-- read --
-- Everything that must agree with the ledger, in one snapshot: the counts, then how things stand now. A count comes
-- with the bounds of its histogram; a standing number has no bucket.
SELECT t.name, t.labels, t.bucket, sum(t.count)::bigint, sum(t.amount)::float8, cronzimus.histogram_bounds(t.name)
FROM cronzimus.totals t
GROUP BY t.name, t.labels, t.bucket
UNION ALL
SELECT 'jobs', ARRAY[status], NULL, count(*), NULL, NULL FROM cronzimus.jobs GROUP BY status
UNION ALL
SELECT 'workers', ARRAY[status], NULL, count(*), NULL, NULL FROM cronzimus.workers GROUP BY status
UNION ALL
SELECT 'runs_open', ARRAY[state], NULL, count(*), NULL, NULL
FROM cronzimus.runs WHERE state IN ('pending', 'running') GROUP BY state
UNION ALL
SELECT q.name, ARRAY[r.queue], NULL, count(*),
       CASE q.name WHEN 'queue_oldest' THEN
           extract(epoch FROM clock_timestamp() - min(greatest(r.queued_at, r.not_before)))::float8 END,
       NULL
FROM cronzimus.runs r, (VALUES ('queue_depth'), ('queue_oldest')) AS q (name)
WHERE r.state = 'pending' AND (r.not_before IS NULL OR r.not_before <= clock_timestamp())
GROUP BY q.name, r.queue
UNION ALL
SELECT 'queue_held', ARRAY[queue], NULL, count(*), NULL, NULL
FROM cronzimus.runs WHERE state = 'pending' AND held_by IS NOT NULL GROUP BY queue
UNION ALL
SELECT 'pool_slots', ARRAY[name], NULL, slots, NULL, NULL FROM cronzimus.pools
UNION ALL
SELECT 'pool_taken', ARRAY[p.name], NULL, coalesce(sum((r.takes ->> 'slots')::int), 0), NULL, NULL
FROM cronzimus.pools p
LEFT JOIN cronzimus.runs r
       ON r.dispatched_at IS NOT NULL AND r.state IN ('pending', 'running') AND r.takes ->> 'pool' = p.name
GROUP BY p.name
UNION ALL
SELECT 'leader', '{}', NULL, count(*), coalesce(max(epoch), 0)::float8, NULL
FROM cronzimus.leaders WHERE expires_at > clock_timestamp()
UNION ALL
SELECT c.name, '{}', NULL, CASE c.name WHEN 'ledger_gaps' THEN gaps WHEN 'ledger_surplus' THEN surplus END,
       extract(epoch FROM checked_at)::float8, NULL
FROM cronzimus.ledger_checks, (VALUES ('ledger_gaps'), ('ledger_surplus'), ('ledger_checked')) AS c (name);

-- note_check --
INSERT INTO cronzimus.ledger_checks (checked_at, since, until, gaps, surplus)
VALUES (clock_timestamp(), %(since)s, %(until)s, %(gaps)s, %(surplus)s)
ON CONFLICT (only_row) DO UPDATE
SET checked_at = excluded.checked_at, since = excluded.since, until = excluded.until, gaps = excluded.gaps,
    surplus = excluded.surplus;

-- jobs_after --
-- The next jobs that ever were, by id.
SELECT DISTINCT job_id FROM cronzimus.job_versions WHERE job_id > %(after)s ORDER BY job_id LIMIT %(limit)s;
