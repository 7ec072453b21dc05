-- standing --
-- Every job as it stands, with who wrote the definition that is in force.
SELECT j.id, j.version, j.status, j.source, v.changed_by, v.changed_at, j.updated_at
FROM cronzimus.jobs j
JOIN cronzimus.job_versions v ON v.job_id = j.id AND v.version = j.version
ORDER BY j.id;
