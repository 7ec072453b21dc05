-- add --
-- Lines of any number of runs, in their order; the sequence numbers them as they come out of the sort.
INSERT INTO cronzimus.run_logs (run_id, job_id, attempt, at, stream, level, logger, line)
SELECT run_id, job_id, attempt, at, stream, level, logger, line
FROM unnest(%(runs)s::uuid[], %(jobs)s::text[], %(attempts)s::int[], %(ats)s::timestamptz[], %(streams)s::text[],
            %(levels)s::text[], %(loggers)s::text[], %(lines)s::text[]) WITH ORDINALITY
     AS l (run_id, job_id, attempt, at, stream, level, logger, line, place)
ORDER BY place;

-- lines_after --
-- The lines of a run behind a place, first to last; weeks before the run are not looked at.
SELECT seq, run_id, job_id, attempt, at, stream, level, logger, line
FROM cronzimus.run_logs
WHERE run_id = %(run_id)s AND at >= %(since)s AND seq > %(after)s
  AND (%(attempt)s::int IS NULL OR attempt = %(attempt)s)
  AND (%(stream)s::text IS NULL OR stream = %(stream)s)
  AND (%(levels)s::text[] IS NULL OR level = ANY(%(levels)s::text[]))
  AND (%(pattern)s::text IS NULL OR line ILIKE %(pattern)s)
ORDER BY seq
LIMIT %(limit)s;

-- lines_before --
-- The lines of a run before a place, last to first.
SELECT seq, run_id, job_id, attempt, at, stream, level, logger, line
FROM cronzimus.run_logs
WHERE run_id = %(run_id)s AND at >= %(since)s AND seq < %(before)s
  AND (%(attempt)s::int IS NULL OR attempt = %(attempt)s)
  AND (%(stream)s::text IS NULL OR stream = %(stream)s)
  AND (%(levels)s::text[] IS NULL OR level = ANY(%(levels)s::text[]))
  AND (%(pattern)s::text IS NULL OR line ILIKE %(pattern)s)
ORDER BY seq DESC
LIMIT %(limit)s;

-- search --
-- Among the newest lines of all runs, or of those of one job, so many and no more: those that pass the filters. The
-- last row of all says how far was looked, whether or not it passes them. Each branch has an index of its own, also
-- under a plan that knows no values; the one that is not asked for is not looked at.
WITH looked_at AS (
    (SELECT seq, run_id, job_id, attempt, at, stream, level, logger, line
     FROM cronzimus.run_logs
     WHERE job_id = %(job_id)s
       AND (at, seq) < (coalesce(%(before_at)s::timestamptz, 'infinity'), coalesce(%(before_seq)s::bigint, 0))
       AND at >= coalesce(%(since)s::timestamptz, '-infinity')
       AND at < coalesce(%(until)s::timestamptz, 'infinity')
     ORDER BY at DESC, seq DESC
     LIMIT %(most)s)
    UNION ALL
    (SELECT seq, run_id, job_id, attempt, at, stream, level, logger, line
     FROM cronzimus.run_logs
     WHERE %(job_id)s::text IS NULL
       AND (at, seq) < (coalesce(%(before_at)s::timestamptz, 'infinity'), coalesce(%(before_seq)s::bigint, 0))
       AND at >= coalesce(%(since)s::timestamptz, '-infinity')
       AND at < coalesce(%(until)s::timestamptz, 'infinity')
     ORDER BY at DESC, seq DESC
     LIMIT %(most)s)
), found AS (
    SELECT true AS is_found, looked_at.* FROM looked_at
    WHERE (%(stream)s::text IS NULL OR stream = %(stream)s)
      AND (%(levels)s::text[] IS NULL OR level = ANY(%(levels)s::text[]))
      AND (%(pattern)s::text IS NULL OR line ILIKE %(pattern)s)
    ORDER BY at DESC, seq DESC
    LIMIT %(limit)s
), reached AS (
    SELECT false AS is_found, looked_at.* FROM looked_at
    ORDER BY at, seq
    LIMIT (SELECT (count(*) = %(most)s)::int FROM looked_at)
)
SELECT * FROM found
UNION ALL
SELECT * FROM reached
ORDER BY is_found DESC, at DESC, seq DESC;
