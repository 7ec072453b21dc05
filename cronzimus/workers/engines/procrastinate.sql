-- lock --
-- One at a time makes the tables; it ends with the transaction.
SELECT pg_advisory_xact_lock(7165912477390695798);

-- made_by --
-- The release of the library that made the tables; no row when there are none.
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'cronzimus_deliveries';

-- drop --
DROP SCHEMA IF EXISTS cronzimus_deliveries CASCADE;

-- create --
CREATE SCHEMA cronzimus_deliveries;

-- enter --
-- The library's own statements name no schema.
SELECT set_config('search_path', 'cronzimus_deliveries', %(for_transaction)s);

-- sign --
SELECT set_config('cronzimus.deliveries_made_by', %(release)s, true);

-- finish --
-- Its functions find their tables whatever the caller's search_path is.
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN SELECT oid FROM pg_proc WHERE pronamespace = 'cronzimus_deliveries'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = cronzimus_deliveries, pg_temp', made);
    END LOOP;
    EXECUTE format('COMMENT ON SCHEMA cronzimus_deliveries IS %L',
                   current_setting('cronzimus.deliveries_made_by'));
END
$$;

-- deliver --
-- All deliveries of a round at once, in whatever transaction this is said.
SELECT cronzimus_deliveries.procrastinate_defer_jobs_v1(array_agg(
           ROW(queue, 'cronzimus.deliver', 0, NULL, NULL, args, NULL)
           ::cronzimus_deliveries.procrastinate_job_to_defer_v1))
FROM unnest(%(queues)s::text[], %(args)s::jsonb[]) AS delivery (queue, args);

-- prune --
-- Deliveries whose worker never came back for them.
DELETE FROM cronzimus_deliveries.procrastinate_jobs job
USING cronzimus_deliveries.procrastinate_events event
WHERE event.job_id = job.id AND event.type = 'deferred' AND event.at < clock_timestamp() - %(age)s::interval;

-- report --
SELECT pg_notify('cronzimus_dispatch', %(worker)s);

-- listen --
LISTEN cronzimus_dispatch;
