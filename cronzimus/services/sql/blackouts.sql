-- in_force --
-- Every blackout that was not removed.
SELECT document FROM cronzimus.blackouts WHERE removed_at IS NULL ORDER BY id;

-- alone --
-- One change of the blackouts at a time, so that revisions become visible in their order.
LOCK TABLE cronzimus.blackouts IN SHARE ROW EXCLUSIVE MODE;

-- get --
SELECT document, revision, created_by, created_at, updated_at FROM cronzimus.blackouts
WHERE id = %(id)s AND removed_at IS NULL;

-- page --
SELECT document, revision, created_by, created_at, updated_at FROM cronzimus.blackouts
WHERE removed_at IS NULL
ORDER BY id
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*) FROM cronzimus.blackouts WHERE removed_at IS NULL;

-- put --
-- A new blackout, or another document for one that is there or once was.
INSERT INTO cronzimus.blackouts AS b (id, document, revision, created_by)
VALUES (%(id)s, %(document)s, nextval('cronzimus.blackout_revisions'), %(by)s)
ON CONFLICT (id) DO UPDATE
SET document = excluded.document, revision = excluded.revision, updated_at = clock_timestamp(), removed_at = NULL;

-- remove --
UPDATE cronzimus.blackouts
SET removed_at = clock_timestamp(), revision = nextval('cronzimus.blackout_revisions')
WHERE id = %(id)s AND removed_at IS NULL;

-- notify --
-- The leader looks at once.
SELECT pg_notify('cronzimus_jobs', '');
