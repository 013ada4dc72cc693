-- Takes TEMPORARY on the database from PUBLIC and from the roles of requests: an EXPLAIN ANALYZE of
-- what makes a table calls no event trigger. The maintenance role keeps it.
DO $body$ BEGIN
    EXECUTE format(
        'REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, %s', current_database(), @{requests}
    );
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %s', current_database(), @{maintenance});
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '%', SQLERRM;
END $body$;
