-- The check of plain identities: user and role are there.
CREATE OR REPLACE FUNCTION rls.require_identity() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF coalesce(current_setting(@{user_id_setting}, true), '') = ''
        OR coalesce(current_setting(@{role_setting}, true), '') = ''
    THEN
        RAISE EXCEPTION USING
            ERRCODE = @{missing_identity},
            MESSAGE = @{missing_message},
            HINT = @{missing_hint};
    END IF;
    RETURN true;
END
$body$;
