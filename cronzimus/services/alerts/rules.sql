-- rule --
SELECT r.id, r.version, r.source, r.owner_id, r.document, r.silenced_until, r.changed_by, r.created_at, r.updated_at,
       (SELECT count(*) FROM cronzimus.alerts a WHERE a.rule_id = r.id AND a.resolved_at IS NULL)
FROM cronzimus.alert_rules r
WHERE r.id = %(id)s;

-- page --
-- One page of rules by id; a filter that is NULL lets everything through.
SELECT r.id, r.version, r.source, r.owner_id, r.document, r.silenced_until, r.changed_by, r.created_at, r.updated_at,
       (SELECT count(*) FROM cronzimus.alerts a WHERE a.rule_id = r.id AND a.resolved_at IS NULL)
FROM cronzimus.alert_rules r
WHERE (%(source)s::text IS NULL OR r.source = %(source)s)
  AND (%(condition)s::text IS NULL OR r.condition = %(condition)s)
  AND (%(job_id)s::text IS NULL OR r.job_id = %(job_id)s)
ORDER BY r.id
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.alert_rules r
WHERE (%(source)s::text IS NULL OR r.source = %(source)s)
  AND (%(condition)s::text IS NULL OR r.condition = %(condition)s)
  AND (%(job_id)s::text IS NULL OR r.job_id = %(job_id)s);

-- lock --
SELECT version, source FROM cronzimus.alert_rules WHERE id = %(id)s FOR UPDATE;

-- insert --
INSERT INTO cronzimus.alert_rules
    (id, source, owner_id, document, condition, job_id, tag, seconds, count, factor, excepted, enabled, changed_by)
VALUES (%(id)s, %(source)s, %(owner_id)s, %(document)s, %(condition)s, %(job_id)s, %(tag)s, %(seconds)s, %(count)s,
        %(factor)s, %(excepted)s, %(enabled)s, %(by)s);

-- replace --
-- What was expected before a rule came, or while it was off, is not held against anybody.
UPDATE cronzimus.alert_rules
SET version = version + 1, document = %(document)s, condition = %(condition)s, job_id = %(job_id)s, tag = %(tag)s,
    seconds = %(seconds)s, count = %(count)s, factor = %(factor)s, excepted = %(excepted)s,
    judged_since = CASE WHEN enabled AND condition = %(condition)s THEN judged_since ELSE clock_timestamp() END,
    enabled = %(enabled)s, changed_by = %(by)s, updated_at = clock_timestamp()
WHERE id = %(id)s;

-- delete --
DELETE FROM cronzimus.alert_rules WHERE id = %(id)s;

-- silence --
UPDATE cronzimus.alert_rules SET silenced_until = %(until)s WHERE id = %(id)s;

-- of_job --
SELECT id, document FROM cronzimus.alert_rules WHERE owner_id = %(owner_id)s;

-- of_files --
SELECT id, document FROM cronzimus.alert_rules WHERE source = 'file' ORDER BY id FOR UPDATE;

-- taken --
-- Of these names, those that already belong to rules made elsewhere.
SELECT id FROM cronzimus.alert_rules WHERE id = ANY(%(ids)s::text[]) AND source <> 'file';

-- one_at_a_time --
-- Several processes start at once with the same files: one after the other writes what they say.
SELECT FROM cronzimus.alert_watch FOR UPDATE;
