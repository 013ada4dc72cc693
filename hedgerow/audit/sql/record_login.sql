-- The event trigger that records each login of the maintenance role (from PostgreSQL 17 on).
--
-- That role goes round the policies, so nothing else could tell that it reads.
CREATE OR REPLACE FUNCTION rls.record_login() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF session_user = @{maintenance_role} AND NOT pg_is_in_recovery() THEN
        INSERT INTO rls.audit (event, role, reason)
        VALUES ('login', 'maintenance',
            left(nullif(current_setting(@{reason_setting}, true), ''), 1000));
    END IF;
END
$body$;
