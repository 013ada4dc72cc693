-- The users who are members of one of the asking user's tenants.
CREATE OR REPLACE FUNCTION rls.co_members() RETURNS @{user_type}[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN ARRAY(
    SELECT DISTINCT other.@{user}
    FROM @{members} AS other
    WHERE other.@{tenant} = ANY(@{all_tenants})
);
