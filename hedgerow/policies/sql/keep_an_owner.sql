-- Refuses what would leave a tenant without an owner.
--
-- An owner whom somebody else is just removing does not count: two who leave at once are both
-- refused, and neither waits for the other. At REPEATABLE READ the lock tells of one who has left.
CREATE OR REPLACE FUNCTION rls.keep_an_owner() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    -- With the tenant its memberships go.
    IF NOT EXISTS (SELECT FROM @{tenants} AS tenant WHERE tenant.@{key} = OLD.@{tenant}) THEN
        RETURN NULL;
    END IF;
    PERFORM FROM @{members} AS member
    WHERE member.@{tenant} = OLD.@{tenant} AND member.@{role} = @{owner}
    LIMIT 1 FOR SHARE SKIP LOCKED;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = @{last_owner},
            MESSAGE = format('row security: a tenant keeps an owner (table "%s")', TG_TABLE_NAME),
            HINT = 'Make another member an owner first, or delete the tenant.';
    END IF;
    RETURN NULL;
END
$body$;
