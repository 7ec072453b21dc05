-- record --
INSERT INTO cronzimus.audit_events (actor, door, address, request_id, action, target, before, after)
VALUES (%(actor)s, %(door)s, %(address)s, %(request_id)s, %(action)s, %(target)s, %(before)s, %(after)s);

-- page --
-- One page of events, latest first; a filter that is NULL lets everything through.
SELECT id, at, actor, door, address, request_id, action, target, before, after
FROM cronzimus.audit_events
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(action)s::text IS NULL OR action = %(action)s OR starts_with(action, %(action)s || '.'))
  AND (%(target)s::text IS NULL OR target = %(target)s OR starts_with(target, %(target)s || '/'))
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
ORDER BY id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.audit_events
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(action)s::text IS NULL OR action = %(action)s OR starts_with(action, %(action)s || '.'))
  AND (%(target)s::text IS NULL OR target = %(target)s OR starts_with(target, %(target)s || '/'))
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s);

-- prune --
SELECT cronzimus.prune_audit_events(%(before)s, %(most)s);
