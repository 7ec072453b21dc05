-- token --
-- Who a token stands for, while it may be used.
SELECT id::text, name, scopes, EXTRACT(EPOCH FROM expires_at - clock_timestamp())::float8
FROM cronzimus.api_tokens
WHERE sha256 = %(sha256)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- session --
-- Who a session stands for, while it lasts and its person may come in.
SELECT s.sha256, u.name, u.role, EXTRACT(EPOCH FROM s.expires_at - clock_timestamp())::float8
FROM cronzimus.sessions s
JOIN cronzimus.users u ON u.name = s.user_name
WHERE s.sha256 = %(sha256)s AND s.expires_at > clock_timestamp() AND u.disabled_at IS NULL;

-- open_session --
INSERT INTO cronzimus.sessions (sha256, user_name, expires_at, address)
VALUES (%(sha256)s, %(name)s, clock_timestamp() + %(lasts)s, %(address)s);

-- close_session --
DELETE FROM cronzimus.sessions WHERE sha256 = %(sha256)s RETURNING user_name;

-- close_sessions --
DELETE FROM cronzimus.sessions WHERE user_name = %(name)s AND sha256 <> %(but)s;

-- tokens_were_used --
UPDATE cronzimus.api_tokens
SET last_used_at = clock_timestamp()
WHERE id = ANY(%(ids)s::uuid[])
  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute');

-- sessions_were_used --
-- A session lasts as long as somebody is there, and thirty days at the most.
UPDATE cronzimus.sessions
SET seen_at = clock_timestamp(),
    expires_at = least(clock_timestamp() + %(lasts)s, created_at + interval '30 days')
WHERE sha256 = ANY(%(ids)s::text[]) AND expires_at > clock_timestamp();

-- lock_attempts --
-- Guesses of one name, or from one network, are counted one after the other in every process.
SELECT pg_advisory_xact_lock(1129204297, hashtext(%(name_sha256)s)),
       pg_advisory_xact_lock(1129204298, hashtext(%(network)s));

-- attempts --
-- How many guesses there were lately, and in how many seconds the oldest of them no longer counts.
SELECT count(*) FILTER (WHERE name_sha256 = %(name_sha256)s),
       count(*) FILTER (WHERE network = %(network)s),
       coalesce(EXTRACT(EPOCH FROM min(at) FILTER (WHERE name_sha256 = %(name_sha256)s)
                                   + %(window)s - clock_timestamp()), 0)::float8,
       coalesce(EXTRACT(EPOCH FROM min(at) FILTER (WHERE network = %(network)s)
                                   + %(window)s - clock_timestamp()), 0)::float8
FROM cronzimus.login_attempts
WHERE (name_sha256 = %(name_sha256)s OR network = %(network)s) AND at > clock_timestamp() - %(window)s;

-- count_attempt --
INSERT INTO cronzimus.login_attempts (name_sha256, network) VALUES (%(name_sha256)s, %(network)s);

-- forgive --
DELETE FROM cronzimus.login_attempts WHERE name_sha256 = %(name_sha256)s AND network = %(network)s;

-- forget_attempts --
DELETE FROM cronzimus.login_attempts WHERE at < clock_timestamp() - %(window)s;

-- forget_sessions --
DELETE FROM cronzimus.sessions WHERE expires_at < clock_timestamp();

-- admins --
-- Whether anybody could come in and change something.
SELECT EXISTS (SELECT FROM cronzimus.users WHERE role = 'admin' AND disabled_at IS NULL)
    OR EXISTS (SELECT FROM cronzimus.api_tokens
               WHERE 'admin' = ANY(scopes) AND revoked_at IS NULL
                 AND (expires_at IS NULL OR expires_at > clock_timestamp()));

-- has_schema --
SELECT to_regclass('cronzimus.users') IS NOT NULL AND to_regclass('cronzimus.api_tokens') IS NOT NULL;

-- notify --
-- Every process forgets whom it knew.
SELECT pg_notify('cronzimus_access', %(about)s);
