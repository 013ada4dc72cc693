-- Records an elevation: as the identity that the transaction carries.
--
-- `subject` is the user whom an admin impersonates. One entry a transaction, for each
-- has a transaction of its own: or one injected statement could write a million.
CREATE OR REPLACE FUNCTION rls.record_elevation(
    reason text, method text, path text, request_id text, subject text
) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed_role text := coalesce(current_setting(@{role_setting}, true), '');
    recorded bigint;
BEGIN
    IF claimed_role NOT IN (@{admin}, @{read_only_admin}, @{service}) THEN
        RAISE EXCEPTION USING
            ERRCODE = @{unrecorded_elevation},
            MESSAGE = 'audit: only an admin''s or a service''s identity is an elevation';
    END IF;
    IF @{reason_required} AND trim(coalesce(reason, '')) = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = @{unrecorded_elevation},
            MESSAGE = 'audit: an elevation needs a reason';
    END IF;
    IF EXISTS (
        SELECT FROM rls.audit entry WHERE entry.transaction = pg_current_xact_id()
            AND entry.at >= transaction_timestamp() AND entry.event = 'elevation'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = @{unrecorded_elevation},
            MESSAGE = 'audit: this transaction has recorded an elevation already';
    END IF;
    INSERT INTO rls.audit (event, user_id, role, reason, method, path, request_id, owner, tenant)
    VALUES ('elevation', rls.identity_name(), claimed_role, left(reason, 1000),
        left(method, 20), left(path, 2000), left(request_id, 200), left(subject, 200),
        nullif(current_setting(@{tenant_setting}, true), ''))
    RETURNING id INTO recorded;
    RETURN recorded;
END
$body$;
