-- The trigger of audited tables; its arguments are key, owner column, values, and where
-- rows are tenants' the column of the tenant.
--
-- Who did it comes from the verified identity, so that no setting can name another user. The
-- maintenance login may work without one: then the login is all that is known. A row is named by
-- what it was before, or a row that an admin takes would never have been another user's.
--
-- A row that jsonb cannot hold (a NUL in a json column, a quarter of a gigabyte of text) is
-- recorded by its key alone: else its user could make it one that no admin can delete.
CREATE OR REPLACE FUNCTION rls.record_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    before jsonb;
    after jsonb;
    key text[] := TG_ARGV[0]::text[];
    named text[] := key || array_remove(ARRAY[nullif(TG_ARGV[1], ''), TG_ARGV[3]], NULL);
    identified jsonb := '{}';
    name text;
    value jsonb;
    changed text[];
    who text;
    what text := 'maintenance';
BEGIN
    IF coalesce(current_setting(@{elevation_setting}, true), '') <> ''
        OR session_user <> @{maintenance_role}
    THEN
        what := rls.verify_elevation();
        who := rls.identity_name();
    END IF;
    BEGIN
        before := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
        after := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
        identified := coalesce(before, after);
        SELECT array_agg(column_name ORDER BY column_name) INTO changed
        FROM jsonb_object_keys(identified) AS column_name
        WHERE before -> column_name IS DISTINCT FROM after -> column_name;
    EXCEPTION WHEN untranslatable_character OR program_limit_exceeded THEN
        before := NULL;
        after := NULL;
        FOREACH name IN ARRAY named LOOP
            EXECUTE format('SELECT to_jsonb(($1).%I)', name)
            INTO value USING CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END;
            identified := identified || jsonb_build_object(name, value);
        END LOOP;
    END;
    INSERT INTO rls.audit (event, elevation, user_id, role, table_name, row_key, owner, tenant,
        command, columns, changes)
    SELECT 'change', nullif(current_setting(@{elevation_setting}, true), '')::bigint, who, what,
        TG_RELID::regclass::text,
        (SELECT jsonb_object_agg(k, identified -> k) FROM unnest(key) AS k),
        identified ->> TG_ARGV[1], identified ->> TG_ARGV[3], TG_OP, changed,
        (SELECT jsonb_object_agg(v, jsonb_build_array(before -> v, after -> v))
            FROM unnest(TG_ARGV[2]::text[] || CASE WHEN TG_OP = 'UPDATE' THEN named END) AS v
            WHERE v = ANY (changed));
    RETURN NULL;
END
$body$;
