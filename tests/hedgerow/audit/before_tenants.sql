-- The audit trail before entries had a tenant: its table, what wrote it, and what chained it.

ALTER TABLE rls.audit DROP COLUMN tenant;

CREATE OR REPLACE FUNCTION rls.record_elevation(
    reason text, method text, path text, request_id text, subject text
) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed_role text := coalesce(current_setting('app.role', true), '');
    recorded bigint;
BEGIN
    IF claimed_role NOT IN ('admin', 'read_only_admin', 'service') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RL004',
            MESSAGE = 'audit: only an admin''s or a service''s identity is an elevation';
    END IF;
    IF false AND trim(coalesce(reason, '')) = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RL004',
            MESSAGE = 'audit: an elevation needs a reason';
    END IF;
    IF EXISTS (
        SELECT FROM rls.audit entry WHERE entry.transaction = pg_current_xact_id()
            AND entry.at >= transaction_timestamp() AND entry.event = 'elevation'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'RL004',
            MESSAGE = 'audit: this transaction has recorded an elevation already';
    END IF;
    INSERT INTO rls.audit (event, user_id, role, reason, method, path, request_id, owner)
    VALUES ('elevation', rls.identity_name(), claimed_role, left(reason, 1000),
        left(method, 20), left(path, 2000), left(request_id, 200), left(subject, 200))
    RETURNING id INTO recorded;
    RETURN recorded;
END
$body$;

CREATE OR REPLACE FUNCTION rls.verify_elevation() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    claimed text := coalesce(current_setting('app.elevation', true), '');
    claimed_role text := coalesce(current_setting('app.role', true), '');
BEGIN
    IF claimed ~ '^[0-9]{1,18}$' AND EXISTS (
        SELECT FROM rls.audit entry
        WHERE entry.id = claimed::bigint AND entry.event = 'elevation'
            AND entry.user_id = rls.identity_name()
            AND entry.role = claimed_role
            AND entry.owner IS NULL
            AND entry.at > transaction_timestamp() - interval '1 minute'
            AND entry.transaction IS DISTINCT FROM pg_current_xact_id_if_assigned()
    ) THEN
        RETURN claimed_role;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'RL004',
        MESSAGE = 'audit: this admin''s transaction has no committed record of its elevation',
        HINT = 'Elevate through Hedgerow: AdminSessionDep in a route, AdminContext or admin_session'
            ' elsewhere. In a REPEATABLE READ transaction, elevate before its first query.';
END
$body$;

CREATE OR REPLACE FUNCTION rls.record_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    before jsonb;
    after jsonb;
    key text[] := TG_ARGV[0]::text[];
    named text[] := key || nullif(TG_ARGV[1], '');
    identified jsonb := '{}';
    name text;
    value jsonb;
    changed text[];
    who text;
    what text := 'maintenance';
BEGIN
    IF coalesce(current_setting('app.elevation', true), '') <> ''
        OR session_user <> 'rls_maintenance_admin'
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
    INSERT INTO rls.audit (event, elevation, user_id, role, table_name, row_key, owner, command,
        columns, changes)
    SELECT 'change', nullif(current_setting('app.elevation', true), '')::bigint, who, what,
        TG_RELID::regclass::text,
        (SELECT jsonb_object_agg(k, identified -> k) FROM unnest(key) AS k),
        identified ->> TG_ARGV[1], TG_OP, changed,
        (SELECT jsonb_object_agg(v, jsonb_build_array(before -> v, after -> v))
            FROM unnest(TG_ARGV[2]::text[] || CASE WHEN TG_OP = 'UPDATE' THEN named END) AS v
            WHERE v = ANY (changed));
    RETURN NULL;
END
$body$;

CREATE OR REPLACE FUNCTION rls.chain() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s' AS $body$
DECLARE
    head record;
    entry rls.audit;
BEGIN
    IF (SELECT position FROM rls.audit WHERE id = NEW.id) IS NOT NULL THEN
        RETURN NULL; -- chained together with the first of this transaction
    END IF;
    SELECT * INTO STRICT head FROM rls.audit_head FOR UPDATE;
    FOR entry IN
        SELECT * FROM rls.audit
        WHERE position IS NULL AND transaction = pg_current_xact_id() ORDER BY id
    LOOP
        entry.position := head.position + 1;
        entry.previous := head.hash;
        entry.hash := sha256(entry.previous || convert_to(jsonb_build_array(
            entry.position, entry.id, extract(epoch FROM entry.at), entry.event,
            entry.elevation, entry.user_id, entry.role, entry.login, entry.reason,
            entry.method, entry.path, entry.request_id, entry.transaction::text,
            entry.table_name, entry.row_key::text, entry.owner, entry.command,
            entry.columns, entry.changes::text
        )::text, 'UTF8'));
        UPDATE rls.audit SET position = entry.position, previous = entry.previous, hash = entry.hash
        WHERE id = entry.id;
        head.position := entry.position;
        head.hash := entry.hash;
    END LOOP;
    UPDATE rls.audit_head SET position = head.position, hash = head.hash;
    RETURN NULL;
END
$body$;
