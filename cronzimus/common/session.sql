-- name_session --
-- The name by which this session is found, until it is named again.
SELECT set_config('application_name', %(name)s, false);

-- cancel_sessions --
-- Cancel what every session of that name is doing.
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = %(name)s;

-- terminate_sessions --
-- End every session of that name.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %(name)s;

-- try_migration_lock --
-- Polled, not waited for; it ends with the transaction.
SELECT pg_try_advisory_xact_lock(7165912477390695797);

-- knows_whom_it_serves --
SELECT to_regclass('cronzimus.schema_serves') IS NOT NULL;

-- schema_serves --
-- The revision whose code is the oldest that can work with the schema as it is.
SELECT s.serves FROM cronzimus.schema_serves s JOIN cronzimus.alembic_version v ON v.version_num = s.revision;

-- keep_in_step --
-- What is said of the schema holds at its new revision.
UPDATE cronzimus.schema_serves SET revision = v.version_num FROM cronzimus.alembic_version v;

-- guard_session --
-- What the session is bound to from now on, until it ends.
SELECT set_config(name, value, false) FROM jsonb_each_text(%s) AS guard (name, value);

-- begin_alone --
-- Set on a session that should be ours alone.
SELECT set_config('cronzimus.alone', %(mark)s, false);

-- seen_alone --
-- The mark of this session, or of whoever had its server connection before.
SELECT current_setting('cronzimus.alone', true);
