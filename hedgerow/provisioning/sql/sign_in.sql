-- The name with which somebody claims to be a user, such as an e-mail address; NULL where the
-- identity is of another kind, and the error where there is none.
CREATE OR REPLACE FUNCTION rls.sign_in() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN coalesce(current_setting(@{role_setting}, true), '') IN ('', @{sign_in})
        THEN rls.identity_name()
END;
