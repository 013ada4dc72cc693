-- A function that verifies the signature of an identity, and then returns a result.
--
-- It runs with the owner's rights to read the key.
--
-- Digests are compared by their digests, so that the time of the comparison tells nothing about
-- the right one. The time of issue is parsed only once the signature over it has been verified.
-- A role that holds a space is never signed for: it could be role, time and the beginning of
-- another user's id, where ids are text. Nor is one with a plus sign, after which the message holds
-- a tenant and claims, each as long as it says.
CREATE OR REPLACE FUNCTION rls.@{function}() RETURNS @{returned_type}
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed_user text := current_setting(@{user_id_setting}, true);
    claimed_role text := current_setting(@{role_setting}, true);
    tenant text := current_setting(@{tenant_setting}, true);
    claims text := current_setting(@{claims_setting}, true);
    signature text := current_setting(@{signature_setting}, true);
    issued text := split_part(signature, ' ', 1);
    given bytea := sha256(convert_to(split_part(signature, ' ', 2), 'UTF8'));
    message bytea := CASE
        WHEN claimed_role LIKE '% %' OR claimed_role LIKE '%+%' THEN NULL
        WHEN tenant <> '' OR claims <> '' THEN convert_to(concat(
            claimed_role, '+ ', issued,
            ' ', octet_length(convert_to(coalesce(tenant, ''), 'UTF8')),
            ' ', octet_length(convert_to(coalesce(claims, ''), 'UTF8')),
            ' ', tenant, claims, claimed_user), 'UTF8')
        ELSE convert_to(claimed_role || ' ' || issued || ' ' || claimed_user, 'UTF8')
    END;
    issued_at timestamptz;
    key record;
BEGIN
    IF coalesce(claimed_user, '') = '' OR coalesce(claimed_role, '') = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = @{missing_identity},
            MESSAGE = @{missing_message},
            HINT = @{missing_hint};
    ELSIF @{is_other} THEN
        RAISE EXCEPTION USING
            ERRCODE = @{missing_identity},
            MESSAGE = concat(@{other_message}, claimed_role),
            HINT = @{missing_hint};
    END IF;
    FOR key IN
        SELECT inner_pad, outer_pad, max_age FROM rls.signing_key
        WHERE retires_at IS NULL OR retires_at > transaction_timestamp()
    LOOP
        IF given = sha256(convert_to(encode(
            sha256(key.outer_pad || sha256(key.inner_pad || message)), 'hex'), 'UTF8'))
        THEN
            issued_at := to_timestamp(issued::double precision);
            IF issued_at >= transaction_timestamp() - key.max_age
                AND issued_at <= clock_timestamp() + key.max_age
            THEN
                RETURN @{result};
            END IF;
            RAISE EXCEPTION USING
                ERRCODE = @{expired_signature},
                MESSAGE = 'row security: the identity was signed too early or too late',
                HINT = 'Hedgerow signs in each transaction: do the clocks of application and'
                    ' database agree? A psql session that was opened long ago must be opened again.';
        END IF;
    END LOOP;
    RAISE EXCEPTION USING
        ERRCODE = @{invalid_signature},
        MESSAGE = 'row security: the identity is not signed with a key of this database',
        HINT = 'If the secret has changed, run alembic upgrade head, then start the application.';
END
$body$;
