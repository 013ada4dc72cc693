-- Notes which tenant a statement makes, before the row is checked: rls.founded() tells of it.
CREATE OR REPLACE FUNCTION rls.note_founding() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM set_config(@{founded_setting}, NEW.@{key}::text, true);
    RETURN NEW;
END
$body$;
