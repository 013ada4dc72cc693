-- What the admin's policies of INSERT, UPDATE and DELETE ask: the gate that records.
--
-- PostgreSQL asks it once a statement, before the statement changes its first row. So it holds
-- where the row's trigger does not: a statement can change `app.elevation` and its role between
-- two rows, and the trigger's condition would not see an admin any more.
CREATE OR REPLACE FUNCTION rls.record_write(target regclass, command text)
RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO rls.audit (event, elevation, user_id, role, table_name, command)
    VALUES ('statement', nullif(current_setting(@{elevation_setting}, true), '')::bigint,
        rls.identity_name(), rls.verify_elevation(), target::text, command);
    RETURN true;
END
$body$;
