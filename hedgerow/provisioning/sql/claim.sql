-- One of the identity's claims; an error where it has none of that name, never a NULL with which a
-- policy would show nothing and not say why.
CREATE OR REPLACE FUNCTION rls.claim(name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed text;
BEGIN
    PERFORM rls.identity_name();
    claimed := nullif(current_setting(@{claims_setting}, true), '')::jsonb ->> name;
    IF claimed IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = @{missing_identity},
            MESSAGE = format('row security: this identity has no claim %L', name),
            HINT = @{claim_hint};
    END IF;
    RETURN claimed;
END
$body$;
