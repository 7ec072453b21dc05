-- waiting --
-- Channels that have something to send now.
SELECT DISTINCT channel
FROM cronzimus.notifications
WHERE delivered_at IS NULL AND failed_at IS NULL AND next_at <= clock_timestamp();

-- claim --
-- The next message of a channel, for as long as the lease: who dies while sending is followed by somebody else.
-- What an earlier message about the same alert has to say comes first.
UPDATE cronzimus.notifications n
SET attempts = n.attempts + 1, next_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE n.id = (
    SELECT w.id FROM cronzimus.notifications w
    WHERE w.channel = %(channel)s AND w.delivered_at IS NULL AND w.failed_at IS NULL AND w.next_at <= clock_timestamp()
      AND NOT EXISTS (SELECT FROM cronzimus.notifications e
                      WHERE e.alert_id = w.alert_id AND e.channel = w.channel AND e.seq < w.seq
                        AND e.delivered_at IS NULL AND e.failed_at IS NULL)
    ORDER BY w.seq
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING n.id, n.alert_id, n.channel, n.kind, n.others, n.message, n.attempts, n.created_at, n.next_at, n.delivered_at,
          n.failed_at, n.error;

-- compose --
-- What is said once is said the same way again.
UPDATE cronzimus.notifications SET message = coalesce(message, %(message)s) WHERE id = %(id)s RETURNING message;

-- delivered --
UPDATE cronzimus.notifications
SET delivered_at = clock_timestamp(), failed_at = NULL, error = NULL
WHERE id = %(id)s AND delivered_at IS NULL;

-- not_delivered --
-- Unless somebody else tries by now: again after a while, or never more.
UPDATE cronzimus.notifications
SET error = %(error)s, next_at = clock_timestamp() + make_interval(secs => %(wait)s),
    failed_at = CASE WHEN %(final)s THEN clock_timestamp() END
WHERE id = %(id)s AND attempts = %(attempts)s AND delivered_at IS NULL;

-- abandon --
-- Messages for channels that nobody seems to have.
UPDATE cronzimus.notifications
SET failed_at = clock_timestamp(), error = 'no running process has a channel of this name'
WHERE delivered_at IS NULL AND failed_at IS NULL AND attempts = 0 AND channel <> ALL (%(known)s)
  AND created_at <= clock_timestamp() - interval '1 hour';

-- insert_test --
INSERT INTO cronzimus.notifications (channel, kind, attempts, next_at)
VALUES (%(channel)s, 'test', 1, clock_timestamp() + make_interval(secs => %(lease)s))
RETURNING id, alert_id, channel, kind, others, message, attempts, created_at, next_at, delivered_at, failed_at, error;

-- notification --
SELECT id, alert_id, channel, kind, others, message, attempts, created_at, next_at, delivered_at, failed_at, error
FROM cronzimus.notifications
WHERE id = %(id)s;

-- page --
-- One page of the outbox, newest first; a filter that is NULL lets everything through.
SELECT id, alert_id, channel, kind, others, message, attempts, created_at, next_at, delivered_at, failed_at, error
FROM cronzimus.notifications
WHERE (%(channel)s::text IS NULL OR channel = %(channel)s)
  AND (%(alert_id)s::uuid IS NULL OR alert_id = %(alert_id)s)
  AND (%(state)s::text IS NULL
       OR %(state)s = CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN failed_at IS NOT NULL THEN 'failed'
                           ELSE 'waiting' END)
ORDER BY seq DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- count --
SELECT count(*)
FROM cronzimus.notifications
WHERE (%(channel)s::text IS NULL OR channel = %(channel)s)
  AND (%(alert_id)s::uuid IS NULL OR alert_id = %(alert_id)s)
  AND (%(state)s::text IS NULL
       OR %(state)s = CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN failed_at IS NOT NULL THEN 'failed'
                           ELSE 'waiting' END);
