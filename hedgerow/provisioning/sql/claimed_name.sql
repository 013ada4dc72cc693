-- Who a plain identity is: of those roles only that the function is for.
--
-- Every name is qualified: a search_path of its own would cost the function a third of its time.
CREATE OR REPLACE FUNCTION rls.@{function}() RETURNS @{returned_type}
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $body$
DECLARE
    claimed pg_catalog.text := pg_catalog.current_setting(@{user_id_setting}, true);
    claimed_role pg_catalog.text := pg_catalog.current_setting(@{role_setting}, true);
BEGIN
    IF claimed OPERATOR(pg_catalog.<>) '' AND claimed_role OPERATOR(pg_catalog.<>) '' THEN
        IF @{is_other} THEN
            RAISE EXCEPTION USING
                ERRCODE = @{missing_identity},
                MESSAGE = pg_catalog.concat(@{other_message}, claimed_role),
                HINT = @{missing_hint};
        END IF;
        RETURN claimed;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = @{missing_identity},
        MESSAGE = @{missing_message},
        HINT = @{missing_hint};
END
$body$;
