-- The name of the service whose transaction this is; NULL where the identity is of another kind,
-- and the error where there is none.
CREATE OR REPLACE FUNCTION rls.service() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN CASE
    WHEN coalesce(current_setting(@{role_setting}, true), '') IN ('', @{service})
        THEN @{name}
END;
