CREATE OR REPLACE FUNCTION rls.role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN rls.@{check}() THEN current_setting(@{role_setting}, true) END;
