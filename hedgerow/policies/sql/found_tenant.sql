-- Makes the user who inserts a tenant its first owner; not an admin, a service or a migration.
CREATE OR REPLACE FUNCTION rls.found_tenant() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF rls.role() = @{user_role} THEN
        INSERT INTO @{members} (@{tenant}, @{user}@{and_role})
        VALUES (NEW.@{key}, rls.user_id()@{and_owner});
    END IF;
    RETURN NULL;
END
$body$;
