-- Gives the entries of a transaction their places in the chain, as it commits.
--
-- The head's row is locked only from here to the end of the commit, unless a client says SET
-- CONSTRAINTS ALL IMMEDIATE: then others give up after a while, with an error. A transaction whose
-- snapshot is older than the head (REPEATABLE READ) gets a serialization failure, never a fork.
CREATE OR REPLACE FUNCTION rls.chain() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = @{lock_lasts} AS $body$
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
        entry.hash := @{digest};
        UPDATE rls.audit SET position = entry.position, previous = entry.previous, hash = entry.hash
        WHERE id = entry.id;
        head.position := entry.position;
        head.hash := entry.hash;
    END LOOP;
    UPDATE rls.audit_head SET position = head.position, hash = head.hash;
    RETURN NULL;
END
$body$;
