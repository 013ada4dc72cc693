-- The name of the service whose transaction this is, or NULL where it is no service's.
CREATE OR REPLACE FUNCTION rls.service() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN CASE current_setting(@{role_setting}, true) WHEN @{service} THEN @{name} END;
