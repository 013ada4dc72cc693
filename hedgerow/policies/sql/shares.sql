CREATE OR REPLACE FUNCTION rls.@{function}(to_write boolean) RETURNS @{returned_type}
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN ARRAY(
    SELECT share.@{key}
    FROM @{table} AS share
    WHERE share.@{user} = (SELECT rls.user_id()) AND (NOT to_write OR @{may_write})
)
