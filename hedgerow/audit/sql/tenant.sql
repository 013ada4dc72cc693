-- Adds what versions before tenants have not made: the tenant of an entry, and its index.
--
-- Asks the catalog first, because ALTER TABLE … IF NOT EXISTS locks the table before it looks. The
-- column has no default, so no entry is rewritten.
DO $body$ BEGIN
    IF to_regclass('rls.audit') IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass('rls.audit') AND attname = 'tenant' AND NOT attisdropped
    ) THEN
        ALTER TABLE rls.audit ADD COLUMN tenant text;
        CREATE INDEX audit_tenant_position ON rls.audit (tenant, position)
            WHERE tenant IS NOT NULL;
    END IF;
END $body$
