-- The name with which somebody claims to be a user, such as an e-mail address; else NULL.
CREATE OR REPLACE FUNCTION rls.sign_in() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE current_setting(@{role_setting}, true)
    WHEN @{sign_in} THEN rls.identity_name()
END;
