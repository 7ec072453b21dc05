-- get --
SELECT id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by
FROM cronzimus.api_tokens
WHERE id = %(id)s;

-- page --
-- Those that may still be used first, the youngest first.
SELECT id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by
FROM cronzimus.api_tokens
WHERE %(all)s OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()))
ORDER BY revoked_at IS NOT NULL, id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.api_tokens
WHERE %(all)s OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()));

-- insert --
INSERT INTO cronzimus.api_tokens (id, name, prefix, sha256, scopes, created_by, expires_at)
VALUES (%(id)s, %(name)s, %(prefix)s, %(sha256)s, %(scopes)s, %(by)s, %(expires_at)s);

-- clock --
SELECT clock_timestamp();

-- revoke --
-- What was revoked once stays so, by whom and when.
UPDATE cronzimus.api_tokens
SET revoked_at = clock_timestamp(), revoked_by = %(by)s
WHERE id = %(id)s AND revoked_at IS NULL;

-- live_named --
SELECT id FROM cronzimus.api_tokens WHERE name = %(name)s AND revoked_at IS NULL;

-- notify --
-- Every process forgets whom it knew.
SELECT pg_notify('cronzimus_access', %(about)s);
