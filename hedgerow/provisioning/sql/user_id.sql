-- The user of a plain identity.
--
-- Every name is qualified: a search_path of its own would cost the function a third of its time.
CREATE OR REPLACE FUNCTION rls.user_id() RETURNS @{id_type}
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
DECLARE
    claimed pg_catalog.text := pg_catalog.current_setting(@{user_id_setting}, true);
BEGIN
    IF claimed OPERATOR(pg_catalog.<>) ''
        AND pg_catalog.current_setting(@{role_setting}, true) OPERATOR(pg_catalog.<>) ''
    THEN
        RETURN claimed;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = @{missing_identity},
        MESSAGE = @{missing_message},
        HINT = @{missing_hint};
END
$body$;
