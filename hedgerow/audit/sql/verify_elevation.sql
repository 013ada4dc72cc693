-- What rls.role() calls before it returns an admin's role.
--
-- The entry must have been committed by another transaction: one that this transaction wrote goes
-- when it is rolled back, and what was read before would leave no trace. One that names a subject
-- allows only to impersonate that user.
CREATE OR REPLACE FUNCTION rls.verify_elevation() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed text := coalesce(current_setting(@{elevation_setting}, true), '');
    claimed_role text := coalesce(current_setting(@{role_setting}, true), '');
BEGIN
    IF claimed ~ '^[0-9]{1,18}$' AND EXISTS (
        SELECT FROM rls.audit entry
        WHERE entry.id = claimed::bigint AND entry.event = 'elevation'
            AND entry.user_id = rls.identity_name()
            AND entry.role = claimed_role
            AND entry.tenant IS NOT DISTINCT FROM
                nullif(current_setting(@{tenant_setting}, true), '')
            AND entry.owner IS NULL
            AND entry.at > transaction_timestamp() - interval @{elevation_lasts}
            AND entry.transaction IS DISTINCT FROM pg_current_xact_id_if_assigned()
    ) THEN
        RETURN claimed_role;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = @{unrecorded_elevation},
        MESSAGE = 'audit: this admin''s transaction has no committed record of its elevation',
        HINT = 'Elevate through Hedgerow: AdminSessionDep in a route, AdminContext or admin_session'
            ' elsewhere. In a REPEATABLE READ transaction, elevate before its first query.';
END
$body$;
