-- The tenant to which the transaction is narrowed; NULL where it is to none, and the error where
-- there is no identity.
CREATE OR REPLACE FUNCTION rls.tenant_id() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN rls.identity_name() <> '' THEN nullif(current_setting(@{tenant_setting}, true), '')
END;
