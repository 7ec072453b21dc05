-- get --
SELECT name, role, password_hash IS NOT NULL, oidc_issuer, created_by, created_at, updated_at, signed_in_at,
       disabled_at
FROM cronzimus.users
WHERE name = %(name)s;

-- page --
SELECT name, role, password_hash IS NOT NULL, oidc_issuer, created_by, created_at, updated_at, signed_in_at,
       disabled_at
FROM cronzimus.users
ORDER BY name
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*) FROM cronzimus.users;

-- insert --
INSERT INTO cronzimus.users (name, role, password_hash, oidc_issuer, oidc_subject, created_by)
VALUES (%(name)s, %(role)s, %(password_hash)s, %(issuer)s, %(subject)s, %(by)s);

-- lock_admins --
-- The people without whom nobody could change anything, held still so that two changes cannot each leave the other.
SELECT name FROM cronzimus.users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY name FOR UPDATE;

-- lock --
SELECT role, disabled_at IS NOT NULL FROM cronzimus.users WHERE name = %(name)s FOR UPDATE;

-- set_role --
UPDATE cronzimus.users SET role = %(role)s, updated_at = clock_timestamp() WHERE name = %(name)s;

-- set_disabled --
UPDATE cronzimus.users
SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, clock_timestamp()) END,
    updated_at = clock_timestamp()
WHERE name = %(name)s;

-- set_password --
UPDATE cronzimus.users SET password_hash = %(password_hash)s, updated_at = clock_timestamp() WHERE name = %(name)s;

-- delete --
DELETE FROM cronzimus.users WHERE name = %(name)s;

-- password_hash --
SELECT password_hash FROM cronzimus.users WHERE name = %(name)s AND disabled_at IS NULL;

-- known --
SELECT name FROM cronzimus.users WHERE name = %(name)s;

-- of_subject --
SELECT name FROM cronzimus.users WHERE oidc_issuer = %(issuer)s AND oidc_subject = %(subject)s;

-- signed_in --
UPDATE cronzimus.users SET signed_in_at = clock_timestamp() WHERE name = %(name)s;

-- notify --
-- Every process forgets whom it knew.
SELECT pg_notify('cronzimus_access', %(about)s);
