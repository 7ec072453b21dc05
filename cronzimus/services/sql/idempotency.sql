-- claim --
-- Take a key, or take over one that has expired. Whoever comes second waits here until the first has committed.
INSERT INTO cronzimus.idempotency_keys AS k (caller, key, route, request, expires_at)
VALUES (%(caller)s, %(key)s, %(route)s, %(request)s, clock_timestamp() + %(kept)s)
ON CONFLICT (caller, key) DO UPDATE
SET route = excluded.route, request = excluded.request, status = NULL, headers = NULL, response = NULL,
    created_at = clock_timestamp(), expires_at = excluded.expires_at
WHERE k.expires_at <= clock_timestamp()
RETURNING k.key;

-- answer --
UPDATE cronzimus.idempotency_keys
SET status = %(status)s, headers = %(headers)s, response = %(response)s
WHERE caller = %(caller)s AND key = %(key)s;

-- answered --
SELECT route, request, status, headers, response
FROM cronzimus.idempotency_keys
WHERE caller = %(caller)s AND key = %(key)s;
