-- one_change --
-- Two changes of the graph at once could each be sound and make a cycle together.
SELECT pg_advisory_xact_lock(hashtextextended('cronzimus dependencies', 0));

-- present --
SELECT id FROM cronzimus.jobs WHERE id = ANY(%(ids)s::text[]);

-- everybody --
SELECT id FROM cronzimus.jobs;

-- above --
-- Every edge on a way up from these jobs.
WITH RECURSIVE above AS (
    SELECT d.job_id, d.depends_on FROM cronzimus.job_dependencies d WHERE d.job_id = ANY(%(ids)s::text[])
    UNION
    SELECT d.job_id, d.depends_on FROM above a JOIN cronzimus.job_dependencies d ON d.job_id = a.depends_on
)
SELECT job_id, depends_on FROM above;

-- edges --
SELECT job_id, depends_on FROM cronzimus.job_dependencies;

-- needed_by --
SELECT job_id FROM cronzimus.job_dependencies WHERE depends_on = %(id)s ORDER BY job_id;

-- forget --
DELETE FROM cronzimus.job_dependencies WHERE job_id = %(id)s;

-- write --
INSERT INTO cronzimus.job_dependencies (job_id, depends_on, condition, timed)
SELECT %(id)s, d.job, d.condition, %(timed)s
FROM unnest(%(jobs)s::text[], %(conditions)s::text[]) AS d (job, condition);

-- judge_again --
-- What its runs wait for is another thing now.
INSERT INTO cronzimus.runs_to_judge (run_id)
SELECT r.id FROM cronzimus.runs r
WHERE r.job_id = %(id)s AND r.state = 'pending' AND r.held_by LIKE 'job:%%'
ORDER BY r.id;
