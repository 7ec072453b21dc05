-- entries --
-- What APScheduler's SQLAlchemy store keeps, by id.
SELECT id, next_run_time, job_state FROM apscheduler_jobs ORDER BY id
