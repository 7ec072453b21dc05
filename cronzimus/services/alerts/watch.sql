-- look --
-- The right to look, for this transaction: no row when another process looks now, or has just looked.
-- What this look sees is everything its snapshot sees and the last one's did not.
UPDATE cronzimus.alert_watch w
SET looked_before = w.looked_at, looked_at = clock_timestamp(), looked_by = %(by)s, seen_before =
        -- A copy of the database on another server counts its transactions anew.
        CASE WHEN pg_snapshot_xmax(w.seen) > pg_snapshot_xmax(pg_current_snapshot()) THEN pg_current_snapshot()
             ELSE w.seen END,
    seen = pg_current_snapshot(),
    leaderless_since = CASE
        WHEN EXISTS (SELECT FROM cronzimus.leaders l
                     WHERE l.name = 'scheduler' AND l.expires_at > clock_timestamp()) THEN NULL
        ELSE coalesce(w.leaderless_since,
                      (SELECT l.expires_at FROM cronzimus.leaders l
                       WHERE l.name = 'scheduler' AND l.expires_at > '-infinity'),
                      clock_timestamp()) END
FROM (SELECT only_row FROM cronzimus.alert_watch
      WHERE looked_at <= clock_timestamp() - make_interval(secs => %(spacing)s)
      FOR UPDATE SKIP LOCKED) mine
WHERE w.only_row = mine.only_row
RETURNING w.looked_before, w.looked_at;

-- conditions --
-- What anybody wants to be told of.
SELECT DISTINCT condition FROM cronzimus.alert_rules WHERE enabled;

-- open_conditions --
SELECT DISTINCT condition FROM cronzimus.alerts WHERE resolved_at IS NULL;

-- failures --
-- Runs whose failure was committed since the last look, the latest of each job and rule, and how many there were.
SELECT f.rule_id, f.condition, f.job_id, f.run_id, f.due_at, f.state, f.message, f.failed, f.count
FROM (
    SELECT DISTINCT ON (s.id, g.job_id)
           s.id AS rule_id, s.condition, s.count, g.job_id, g.id AS run_id, g.due_at, g.state, g.error ->> 'message' AS message,
           count(*) OVER (PARTITION BY s.id, g.job_id) AS failed
    FROM cronzimus.alert_watch w
    JOIN cronzimus.runs g ON g.failed_in >= pg_snapshot_xmin(w.seen_before)
                         AND NOT pg_visible_in_snapshot(g.failed_in, w.seen_before)
                         AND pg_visible_in_snapshot(g.failed_in, w.seen)
    CROSS JOIN LATERAL cronzimus.alert_rules_of(g.job_id) s
    WHERE s.condition IN ('failure', 'first_failure', 'failures_in_a_row') AND g.cause <> 'backfill'
      AND g.state IN ('failed', 'timeout', 'lost')
    ORDER BY s.id, g.job_id, g.id DESC
) f
WHERE f.condition <> 'failures_in_a_row'
   OR f.count <= (
        SELECT count(*) FILTER (WHERE p.state IN ('failed', 'timeout', 'lost'))
        FROM (SELECT state FROM cronzimus.runs p
              WHERE p.job_id = f.job_id AND p.cause <> 'backfill'
                AND p.state IN ('success', 'partial', 'failed', 'timeout', 'lost')
              ORDER BY p.id DESC LIMIT f.count) p);

-- late --
-- Expected instants after which no run began, or none succeeded, in the time their rules give; the first of each job.
-- An instant is known from the timetable while nobody has decided it, from the ledger when it was refused, and from
-- its run when it fired and did not get far.
WITH clock AS (
    SELECT w.looked_at AS now,
           least(w.looked_at - (SELECT coalesce(max(seconds), 0) FROM cronzimus.alert_rules
                                WHERE enabled AND condition IN ('not_started', 'not_finished'))
                             * interval '1 second', w.looked_before) - interval '5 minutes' AS since
    FROM cronzimus.alert_watch w
), expected AS MATERIALIZED (
    SELECT j.id AS job_id, j.next_due_at AS due_at,
           CASE WHEN j.status IN ('paused', 'broken') THEN j.status END AS reason, NULL::uuid AS run_id,
           'undecided' AS fate
    FROM clock c JOIN cronzimus.jobs j ON j.next_due_at <= c.now
    UNION ALL
    SELECT f.job_id, f.first_due_at, f.reason, NULL, f.decision
    FROM clock c JOIN cronzimus.firings f ON f.decided_at >= c.since AND f.decision IN ('skipped', 'missed')
    WHERE f.reason NOT IN ('calendar', 'superseded', 'dependency_failed')
    UNION ALL
    SELECT r.job_id, r.due_at, NULL, r.id, r.state
    FROM clock c JOIN cronzimus.runs r ON r.due_at <= c.now
    WHERE r.state IN ('pending', 'running') AND r.cause = 'schedule'
    UNION ALL
    SELECT r.job_id, r.due_at, NULL, r.id, r.state
    FROM clock c JOIN cronzimus.runs r ON r.id >= cronzimus.first_id_of(c.since)
    WHERE r.state IN ('failed', 'timeout', 'lost', 'cancelled') AND r.cause = 'schedule'
)
SELECT DISTINCT ON (r.id, e.job_id) r.id, r.condition, e.job_id, e.run_id, e.due_at, e.fate, e.reason, r.seconds
FROM clock c
CROSS JOIN expected e
CROSS JOIN LATERAL cronzimus.alert_rules_of(e.job_id) r
WHERE r.condition IN ('not_started', 'not_finished') AND e.due_at + make_interval(secs => r.seconds) <= c.now AND e.due_at > r.judged_since
  AND (e.reason IS NULL OR e.reason <> ALL (r.excepted))
  AND NOT EXISTS (SELECT FROM cronzimus.alerts a
                  WHERE a.rule_id = r.id AND a.subject = 'job/' || e.job_id AND a.resolved_at IS NULL)
  AND NOT EXISTS (SELECT FROM cronzimus.runs g
                  WHERE g.job_id = e.job_id AND g.id >= cronzimus.first_id_of(e.due_at - interval '1 minute')
                    AND coalesce(g.due_at, g.queued_at) >= e.due_at AND g.cause <> 'backfill'
                    AND CASE r.condition WHEN 'not_started' THEN g.started_at IS NOT NULL
                                         ELSE g.state IN ('success', 'partial') END)
ORDER BY r.id, e.job_id, e.due_at;

-- clock_rules --
-- The rules that want runs to have finished by a time of day.
SELECT id, document #>> '{when,not_finished,by}', document #>> '{when,not_finished,timezone}'
FROM cronzimus.alert_rules
WHERE enabled AND condition = 'not_finished' AND seconds IS NULL;

-- unfinished_by --
-- A time of day has come in these zones: of each job there, the last instant before it that was expected, and
-- after which nothing succeeded.
WITH come AS (
    SELECT * FROM unnest(%(rules)s::text[], %(zones)s::text[], %(afters)s::timestamptz[], %(deadlines)s::timestamptz[])
        AS d (rule_id, zone, after, deadline)
), watched AS MATERIALIZED (
    SELECT r.id AS rule_id, r.excepted, r.judged_since, j.id, j.next_due_at, j.status,
           coalesce(r.document #>> '{when,not_finished,timezone}',
                    CASE jsonb_typeof(v.definition -> 'trigger') WHEN 'object' THEN v.definition #>> '{trigger,timezone}'
                         ELSE v.definition #>> '{trigger,0,timezone}' END,
                    v.definition ->> 'timezone') AS zone
    FROM cronzimus.alert_rules r
    JOIN cronzimus.jobs j ON CASE WHEN r.job_id IS NOT NULL THEN j.id = r.job_id
                                  WHEN r.tag IS NOT NULL THEN r.tag = ANY (j.tags) ELSE true END
    JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
    WHERE r.id IN (SELECT rule_id FROM come)
)
SELECT j.rule_id, e.job_id, e.due_at, e.reason, d.deadline
FROM come d
JOIN watched j ON j.rule_id = d.rule_id AND j.zone = d.zone
CROSS JOIN LATERAL (
    SELECT j.id AS job_id, i.due_at, i.reason
    FROM (
        SELECT f.due_at, f.reason FROM cronzimus.firings f
        WHERE f.job_id = j.id AND f.due_at > d.after AND f.due_at < d.deadline AND f.decision <> 'coalesced'
          AND (f.reason IS NULL OR f.reason NOT IN ('calendar', 'superseded', 'dependency_failed'))
        UNION ALL
        SELECT j.next_due_at, CASE WHEN j.status IN ('paused', 'broken') THEN j.status END
        WHERE j.next_due_at > d.after AND j.next_due_at < d.deadline
    ) i
    WHERE i.reason IS NULL OR i.reason <> ALL (j.excepted)
    ORDER BY i.due_at DESC
    LIMIT 1
) e
WHERE e.due_at > j.judged_since
  AND NOT EXISTS (SELECT FROM cronzimus.runs g
                  WHERE g.job_id = e.job_id AND g.id >= cronzimus.first_id_of(e.due_at - interval '1 minute')
                    AND coalesce(g.due_at, g.queued_at) >= e.due_at AND g.cause <> 'backfill'
                    AND g.state IN ('success', 'partial'));

-- running_long --
-- What runs for longer than the time its rule fixes, or, where it is learned, longer than the least.
SELECT r.id, g.job_id, g.id, g.due_at, extract(epoch FROM w.looked_at - g.started_at)::float8, r.seconds, r.factor,
       r.count
FROM cronzimus.alert_watch w
JOIN cronzimus.runs g ON g.state = 'running'
CROSS JOIN LATERAL cronzimus.alert_rules_of(g.job_id) r
WHERE r.condition = 'too_long' AND g.started_at <= w.looked_at - make_interval(secs => r.seconds);

-- usual_durations --
-- The 95th percentile of the last runs that succeeded, in seconds, and of how many it was learned.
SELECT j.job_id, j.runs, d.p95, d.learned
FROM unnest(%(job_ids)s::text[], %(runs)s::int[]) AS j (job_id, runs)
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY l.took) AS p95, count(*) AS learned
    FROM (SELECT extract(epoch FROM g.ended_at - g.started_at)::float8 AS took
          FROM cronzimus.runs g
          WHERE g.job_id = j.job_id AND g.state = 'success' AND g.started_at IS NOT NULL
          ORDER BY g.id DESC LIMIT j.runs) l
) d;

-- old_queues --
-- Queues whose oldest run has waited too long for a worker; what waits behind its own job is not counted.
SELECT r.id, g.queue, extract(epoch FROM w.looked_at - min(greatest(g.queued_at, g.not_before)))::float8, count(*)
FROM cronzimus.alert_watch w
JOIN cronzimus.runs g ON g.state = 'pending'
CROSS JOIN LATERAL cronzimus.alert_rules_of(g.job_id) r
WHERE r.condition = 'queue_older_than' AND greatest(g.queued_at, g.not_before) <= w.looked_at - make_interval(secs => r.seconds)
  AND (g.max_running IS NULL OR g.max_running > (SELECT count(*) FROM cronzimus.runs o
                                                 WHERE o.job_id = g.job_id AND o.state = 'running'))
GROUP BY r.id, g.queue, w.looked_at;

-- leaderless --
SELECT r.id, extract(epoch FROM w.looked_at - w.leaderless_since)::float8,
       (SELECT l.holder_name FROM cronzimus.leaders l WHERE l.name = 'scheduler')
FROM cronzimus.alert_watch w
JOIN cronzimus.alert_rules r ON r.enabled AND r.condition = 'no_leader'
WHERE w.leaderless_since <= w.looked_at - make_interval(secs => r.seconds);

-- halted --
-- Jobs that are paused for too long, and jobs whose definition cannot be loaded.
SELECT r.id, r.condition, j.id, extract(epoch FROM w.looked_at - j.updated_at)::float8, j.status_reason
FROM cronzimus.alert_watch w
JOIN cronzimus.jobs j ON j.status IN ('paused', 'broken')
CROSS JOIN LATERAL cronzimus.alert_rules_of(j.id) r
WHERE CASE r.condition
        WHEN 'paused_longer_than' THEN j.status = 'paused'
                                   AND j.updated_at <= w.looked_at - make_interval(secs => r.seconds)
        WHEN 'broken' THEN j.status = 'broken' END
  AND NOT EXISTS (SELECT FROM cronzimus.alerts a
                  WHERE a.rule_id = r.id AND a.subject = 'job/' || j.id AND a.resolved_at IS NULL);

-- recovered_failures --
-- A later run of the job succeeded.
SELECT a.id, 'run ' || g.id || ' succeeded'
FROM cronzimus.alerts a
CROSS JOIN LATERAL (
    SELECT g.id FROM cronzimus.runs g
    WHERE g.job_id = a.job_id AND g.id > a.run_id AND g.state IN ('success', 'partial') AND g.cause <> 'backfill'
    ORDER BY g.id LIMIT 1
) g
WHERE a.resolved_at IS NULL AND a.condition IN ('failure', 'first_failure', 'failures_in_a_row');

-- recovered_late --
-- A run for that instant or a later one began, or succeeded.
SELECT a.id, 'run ' || g.id || CASE a.condition WHEN 'not_started' THEN ' started' ELSE ' succeeded' END
FROM cronzimus.alerts a
CROSS JOIN LATERAL (
    SELECT g.id FROM cronzimus.runs g
    WHERE g.job_id = a.job_id AND g.id >= cronzimus.first_id_of(a.due_at - interval '1 minute')
      AND coalesce(g.due_at, g.queued_at) >= a.due_at AND g.cause <> 'backfill'
      AND CASE a.condition WHEN 'not_started' THEN g.started_at IS NOT NULL
                           ELSE g.state IN ('success', 'partial') END
    ORDER BY g.id LIMIT 1
) g
WHERE a.resolved_at IS NULL AND a.condition IN ('not_started', 'not_finished');

-- recovered_long --
SELECT a.id, CASE WHEN g.id IS NULL THEN 'the run is no longer kept'
                  WHEN g.ended_at IS NULL THEN 'run ' || g.id || ' is ' || g.state || ' again'
                  ELSE 'run ' || g.id || ' ended ' || g.state || coalesce(
                      ' after ' || round(extract(epoch FROM g.ended_at - g.started_at), 1) || ' s', '') END
FROM cronzimus.alerts a
LEFT JOIN cronzimus.runs g ON g.id = a.run_id
WHERE a.resolved_at IS NULL AND a.condition = 'too_long' AND g.state IS DISTINCT FROM 'running';

-- recovered_halted --
SELECT a.id, 'the job is ' || j.status
FROM cronzimus.alerts a
JOIN cronzimus.jobs j ON j.id = a.job_id
WHERE a.resolved_at IS NULL
  AND CASE a.condition WHEN 'paused_longer_than' THEN j.status <> 'paused' WHEN 'broken' THEN j.status <> 'broken' END;

-- recovered_states --
-- What the last look found no more; the subjects are all that it found.
SELECT a.id, CASE a.condition
        WHEN 'no_leader' THEN (SELECT l.holder_name || ' leads' FROM cronzimus.leaders l WHERE l.name = 'scheduler')
        ELSE 'no run waits that long any more' END
FROM cronzimus.alerts a
WHERE a.resolved_at IS NULL AND a.condition = %(condition)s
  AND NOT EXISTS (SELECT FROM unnest(%(rules)s::text[], %(subjects)s::text[]) AS f (rule_id, subject)
                  WHERE f.rule_id = a.rule_id AND f.subject = a.subject);

-- orphaned --
-- Alerts whose rule or job is gone, switched off, or does not belong to it any more.
SELECT a.id, CASE WHEN a.job_id IS NOT NULL AND j.id IS NULL THEN 'the job was removed'
                  WHEN r.id IS NULL THEN 'the rule was removed'
                  WHEN NOT r.enabled THEN 'the rule was switched off'
                  ELSE 'the rule was changed' END
FROM cronzimus.alerts a
LEFT JOIN cronzimus.alert_rules r ON r.id = a.rule_id
LEFT JOIN cronzimus.jobs j ON j.id = a.job_id
WHERE a.resolved_at IS NULL
  AND (r.id IS NULL OR NOT r.enabled OR r.condition <> a.condition
       OR a.job_id IS NOT NULL AND (j.id IS NULL OR r.job_id <> j.id
                                  OR r.tag IS NOT NULL AND r.tag <> ALL (j.tags)));

-- raise --
-- One row for each thing that is wrong. One that is open already is not raised again; under `failure`, more
-- failures are news of it.
INSERT INTO cronzimus.alerts AS a
    (id, rule_id, condition, severity, subject, job_id, run_id, due_at, summary, channels, remind_every, tell_recovery,
     occurrences)
SELECT f.id, r.id, r.condition, r.document ->> 'severity', f.subject, f.job_id, f.run_id, f.due_at, f.summary,
       ARRAY(SELECT jsonb_array_elements_text(r.document -> 'channels')),
       make_interval(secs => (r.document ->> 'remind_every')::float8), (r.document ->> 'tell_recovery')::boolean,
       f.occurrences
FROM unnest(%(ids)s::uuid[], %(rules)s::text[], %(subjects)s::text[], %(jobs)s::text[], %(runs)s::uuid[],
            %(dues)s::timestamptz[], %(summaries)s::text[], %(occurrences)s::int[])
     AS f (id, rule_id, subject, job_id, run_id, due_at, summary, occurrences)
JOIN cronzimus.alert_rules r ON r.id = f.rule_id
ON CONFLICT (rule_id, subject) WHERE resolved_at IS NULL DO UPDATE
SET occurrences = a.occurrences + excluded.occurrences, has_news = true, run_id = greatest(a.run_id, excluded.run_id),
    summary = excluded.summary, due_at = excluded.due_at
WHERE a.condition = 'failure'
RETURNING a.id, a.job_id;

-- resolve --
UPDATE cronzimus.alerts a
SET resolved_at = clock_timestamp(), resolution = e.resolution
FROM unnest(%(ids)s::uuid[], %(resolutions)s::text[]) AS e (id, resolution)
WHERE a.id = e.id AND a.resolved_at IS NULL
RETURNING a.id, a.job_id;

-- tell --
-- What is open and was not told yet, has news, or is to be told again; nothing of what is silenced. Of many alerts
-- of one rule the last message that is sent speaks for the others.
WITH due AS (
    SELECT a.id, a.told_at IS NULL OR a.has_news AS is_news,
           CASE WHEN cardinality(a.channels) = 0 THEN %(channels)s::text[] ELSE a.channels END AS channels,
           row_number() OVER same_rule AS nth,
           count(*) OVER (PARTITION BY a.rule_id) AS together
    FROM cronzimus.alerts a
    LEFT JOIN cronzimus.alert_rules r ON r.id = a.rule_id
    WHERE a.resolved_at IS NULL
      AND (a.told_at IS NULL
           OR a.has_news AND a.told_at <= clock_timestamp() - make_interval(secs => %(spacing)s)
           OR a.told_at <= clock_timestamp() - a.remind_every AND a.acknowledged_at IS NULL)
      AND coalesce(a.silenced_until, '-infinity') <= clock_timestamp()
      AND coalesce(r.silenced_until, '-infinity') <= clock_timestamp()
    WINDOW same_rule AS (PARTITION BY a.rule_id ORDER BY a.opened_at, a.id)
), told AS (
    UPDATE cronzimus.alerts a SET told_at = clock_timestamp(), has_news = false FROM due WHERE a.id = due.id
)
INSERT INTO cronzimus.notifications (alert_id, channel, kind, others)
SELECT due.id, c.channel, CASE WHEN due.is_news THEN 'raised' ELSE 'reminder' END,
       CASE WHEN due.nth = %(most)s THEN due.together - %(most)s ELSE 0 END
FROM due CROSS JOIN unnest(due.channels) AS c (channel)
WHERE due.nth <= %(most)s
ORDER BY due.id;

-- tell_recovery --
-- Who was told that it began is told that it is over.
INSERT INTO cronzimus.notifications (alert_id, channel, kind, others)
SELECT over.id, c.channel, 'resolved', CASE WHEN over.nth = %(most)s THEN over.together - %(most)s ELSE 0 END
FROM (
    SELECT a.id, CASE WHEN cardinality(a.channels) = 0 THEN %(channels)s::text[] ELSE a.channels END AS channels,
           row_number() OVER (PARTITION BY a.rule_id ORDER BY a.opened_at, a.id) AS nth,
           count(*) OVER (PARTITION BY a.rule_id) AS together
    FROM cronzimus.alerts a
    WHERE a.id = ANY(%(ids)s::uuid[]) AND a.told_at IS NOT NULL AND a.tell_recovery
) over
CROSS JOIN unnest(over.channels) AS c (channel)
WHERE over.nth <= %(most)s
ORDER BY over.id;

-- prune --
-- What is over for longer than the history is kept, a batch at a time.
DELETE FROM cronzimus.alerts
WHERE id IN (SELECT id FROM cronzimus.alerts
             WHERE opened_at < %(before)s AND resolved_at < %(before)s ORDER BY opened_at LIMIT %(limit)s);

-- prune_tests --
DELETE FROM cronzimus.notifications
WHERE seq IN (SELECT seq FROM cronzimus.notifications
              WHERE alert_id IS NULL AND created_at < %(before)s ORDER BY seq LIMIT %(limit)s);
