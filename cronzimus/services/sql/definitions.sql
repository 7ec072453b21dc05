-- load --
SELECT v.job_id, v.version, v.definition
FROM cronzimus.job_versions v
JOIN unnest(%(ids)s::text[], %(versions)s::int[]) AS k (job_id, version) USING (job_id, version)
WHERE v.job_id = ANY(%(ids)s::text[]) AND v.definition IS NOT NULL;
