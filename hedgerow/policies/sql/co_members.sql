-- The users who are members of one of the asking user's tenants; in PL/pgSQL as rls.tenants() is.
CREATE OR REPLACE FUNCTION rls.co_members() RETURNS @{user_type}[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT other.@{user}
        FROM @{members} AS other
        WHERE other.@{tenant} = ANY @{all_tenants}
    );
END
$body$;
