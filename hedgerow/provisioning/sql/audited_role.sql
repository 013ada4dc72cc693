-- With an audit trail, a role is an admin's or a service's only where its elevation is recorded.
CREATE OR REPLACE FUNCTION rls.role() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN CASE
    WHEN rls.@{check}() THEN
        CASE current_setting(@{role_setting}, true)
            WHEN @{user} THEN @{user}
            WHEN @{sign_in} THEN @{sign_in}
            WHEN @{anonymous} THEN @{anonymous}
            ELSE rls.verify_elevation()
        END
END;
