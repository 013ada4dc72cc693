-- Has DDL ask the function, where this role may create event triggers: a superuser everywhere, and
-- on some platforms others.
DO $body$ BEGIN
    DROP EVENT TRIGGER IF EXISTS @{trigger};
    CREATE EVENT TRIGGER @{trigger} ON ddl_command_start EXECUTE FUNCTION rls.refuse_ddl();
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '%', SQLERRM;
END $body$;
