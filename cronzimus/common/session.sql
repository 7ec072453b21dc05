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

-- schema_serves --
-- The revision whose code is the oldest that can work with the schema.
SELECT revision FROM cronzimus.schema_serves;
