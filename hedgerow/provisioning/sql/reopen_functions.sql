-- Gives back what close_functions.sql has taken, once schema `rls` has gone.
DO $body$ BEGIN
    GRANT EXECUTE ON FUNCTION @{sessions}, @{large_objects} TO PUBLIC;
    REVOKE EXECUTE ON FUNCTION @{sessions} FROM pg_signal_backend;
    REVOKE EXECUTE ON FUNCTION @{large_objects} FROM @{maintenance};
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '%', SQLERRM;
END $body$;
