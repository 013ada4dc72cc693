-- The tenant that the running statement makes, for its RETURNING: its membership comes later.
--
-- Anybody may set the note. A tenant that the statement's snapshot holds was not made by it, and
-- one that it does not hold can only be seen as what this statement inserts.
CREATE OR REPLACE FUNCTION rls.founded() RETURNS @{tenant_type}
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER COST 1000
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    noted text := nullif(current_setting(@{founded_setting}, true), '');
BEGIN
    IF noted IS NULL OR EXISTS (
        SELECT FROM @{tenants} AS tenant WHERE tenant.@{key} = noted::@{tenant_type}
    ) THEN
        RETURN NULL;
    END IF;
    RETURN noted;
END
$body$;
