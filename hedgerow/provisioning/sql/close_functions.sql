-- Takes from PUBLIC what lets SQL of one user end the sessions of others, and store or read what no
-- policy covers. Who may end sessions by the rule of the server goes on, and so does maintenance.
DO $body$ BEGIN
    REVOKE EXECUTE ON FUNCTION @{sessions}, @{large_objects} FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION @{sessions} TO pg_signal_backend;
    GRANT EXECUTE ON FUNCTION @{large_objects} TO @{maintenance};
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '%', SQLERRM;
END $body$;
