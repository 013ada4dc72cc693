"""Every fault that is planted to see whether its check finds it: one table."""

from sqlalchemy import Column, MetaData, Table, Uuid

from tests.hedgerow.checks.fault import Fault

SECRET = "the secret of the tests of checks"
OTHER_SECRET = "another secret, of another database"

_DEFINER = "CREATE FUNCTION everything() RETURNS SETOF item LANGUAGE sql SECURITY DEFINER"


def _drop_policies(role: str) -> str:
    """Return what DROP OWNED BY does to the policies for a role (on PostgreSQL 16 and later)."""
    return f"""DO $$ DECLARE p record; BEGIN
        FOR p IN SELECT polname, polrelid::regclass AS of FROM pg_policy
            WHERE polroles = ARRAY['{role}'::regrole::oid]
        LOOP EXECUTE format('DROP POLICY %I ON %s', p.polname, p.of); END LOOP; END $$"""


_OWNS = "owner_id = (SELECT rls.user_id())"

UNDECLARED = MetaData()
Table("label", UNDECLARED, Column("id", Uuid, primary_key=True))


FAULTS: tuple[Fault, ...] = (
    Fault("H101", "{app}", ("ALTER ROLE {app} BYPASSRLS",), own_roles=True),
    Fault("H101", "{app}", ("ALTER ROLE {app} SUPERUSER",), own_roles=True),
    Fault("H101", "{maintenance}", ("GRANT {maintenance} TO {app}",), own_roles=True),
    Fault(
        "H101",
        "pg_read_server_files",
        ("GRANT pg_read_server_files TO {admin}", "GRANT pg_read_server_files TO {app}"),
        own_roles=True,
    ),
    Fault("H102", "item", ("ALTER TABLE item OWNER TO {app}",)),
    Fault(
        "H102",
        "item",
        ("ALTER TABLE item OWNER TO {maintenance}", "GRANT {maintenance} TO {app}"),
        own_roles=True,
    ),
    Fault(
        "H103",
        "{admin}",
        ("REVOKE {admin} FROM {app}", "ALTER ROLE {app} INHERIT", "GRANT {admin} TO {app}"),
        own_roles=True,
    ),
    Fault("H104", "item", ("ALTER TABLE item DISABLE ROW LEVEL SECURITY",)),
    Fault("H104", "item", ("ALTER TABLE item FORCE ROW LEVEL SECURITY",)),
    Fault("H104", "item", (_drop_policies("{admin}"),)),
    Fault("H104", "user", (_drop_policies("{app}"), "REVOKE SELECT, UPDATE ON item FROM {app}")),
    Fault("H104", "item", ("DROP SCHEMA rls CASCADE",)),
    Fault(
        "H105",
        "item.item_owner_select",
        (f"ALTER POLICY item_owner_select ON item USING ({_OWNS} AND title <> '')",),
    ),
    Fault("H105", "item.item_owner_delete", ("DROP POLICY item_owner_delete ON item",)),
    Fault(
        "H105",
        "item.by_hand",
        ("CREATE POLICY by_hand ON item FOR SELECT TO {app} USING (title = 'for all')",),
    ),
    Fault("H105", "item public", ("GRANT SELECT ON item TO PUBLIC",)),
    Fault("H105", "item {app}", ("REVOKE DELETE ON item FROM {app}",)),
    Fault(
        "H106",
        "rls.role()",
        (
            "CREATE OR REPLACE FUNCTION rls.role() RETURNS text LANGUAGE sql IMMUTABLE"
            " RETURN 'admin'",
        ),
    ),
    Fault("H106", "rls.own()", ("CREATE FUNCTION rls.own() RETURNS int LANGUAGE sql RETURN 1",)),
    Fault("H106", "rls", ("DROP SCHEMA rls CASCADE",)),
    Fault("H107", "ALTER ROLE {app} NOCREATEDB", ("ALTER ROLE {app} CREATEDB",), own_roles=True),
    Fault("H108", "RLS_CONTEXT_SECRET", settings={"RLS_CONTEXT_SECRET": SECRET}),
    Fault(
        "H108",
        "RLS_CONTEXT_SECRET",
        signed=True,
        settings={"RLS_CONTEXT_SECRET": OTHER_SECRET},
    ),
    Fault("H108", "RLS_CONTEXT_SECRET", ("DELETE FROM rls.signing_key",), signed=True),
    Fault(
        "H108",
        "RLS_CONTEXT_SECRET",
        signed=True,
        settings={"RLS_CONTEXT_SECRET": ""},
        lost_secret=True,
    ),
    Fault(
        "H108",
        "rls.signing_key",
        ("ALTER FUNCTION rls.verify_identity() OWNER TO {maintenance}",),
        signed=True,
    ),
    Fault("H108", "rls", ("DROP SCHEMA rls CASCADE",)),
    Fault("H109", "public", ("GRANT SELECT ON rls.signing_key TO PUBLIC",)),
    Fault("H109", "{admin}", ("GRANT INSERT ON rls.signing_key TO {admin}",)),
    Fault("H109", "{app}", ("GRANT SELECT (inner_pad) ON rls.signing_key TO {app}",)),
    Fault("H109", "{app}", ("ALTER TABLE rls.signing_key OWNER TO {app}",)),
    Fault(
        "H110",
        "everything",
        ("CREATE VIEW everything AS SELECT * FROM item", "GRANT SELECT ON everything TO {app}"),
    ),
    Fault(
        "H110",
        "outer_view",
        (
            "CREATE VIEW inner_view WITH (security_invoker) AS SELECT * FROM item",
            "CREATE VIEW outer_view AS SELECT title FROM inner_view",
            "GRANT SELECT ON inner_view, outer_view TO {app}",
        ),
    ),
    Fault(
        "H110",
        "foreign_view",
        (
            "CREATE VIEW inner_view AS SELECT * FROM item",
            "GRANT SELECT ON inner_view TO {maintenance}",
            "CREATE VIEW foreign_view AS SELECT title FROM inner_view",
            "ALTER VIEW foreign_view OWNER TO {maintenance}",
            "GRANT DELETE ON foreign_view TO {admin}",
        ),
    ),
    Fault(
        "H111",
        "stored",
        (
            "CREATE MATERIALIZED VIEW stored AS SELECT * FROM item",
            "GRANT SELECT ON stored TO {app}, PUBLIC",
        ),
    ),
    Fault(
        "H111",
        "shown",
        (
            "CREATE VIEW invoked WITH (security_invoker) AS SELECT * FROM item",
            "CREATE MATERIALIZED VIEW stored AS SELECT * FROM invoked",
            "CREATE VIEW shown AS SELECT title FROM stored",
            "GRANT SELECT (title) ON shown TO {admin}",
        ),
    ),
    Fault(
        "H112",
        "everything()",
        (f"{_DEFINER} SET search_path = pg_catalog, public, pg_temp AS 'SELECT * FROM item'",),
    ),
    Fault("H113", "everything()", (f"{_DEFINER} AS 'SELECT * FROM item'",)),
    Fault(
        "H113",
        "everything()",
        (f"{_DEFINER} SET search_path = public AS 'SELECT * FROM item'",),
    ),
    Fault(
        "H114",
        "item_2026",
        ("CREATE TABLE item_2026 () INHERITS (item)", "GRANT SELECT ON item_2026 TO {app}"),
    ),
    Fault(
        "H114",
        '"Item 2026"',
        (
            "CREATE TABLE item_2026 () INHERITS (item)",
            'CREATE TABLE "Item 2026" () INHERITS (item_2026)',
            'GRANT DELETE ON "Item 2026" TO PUBLIC',
        ),
    ),
    Fault("H115", "item {app}", ("GRANT TRUNCATE, TRIGGER ON item TO {app}",)),
    Fault("H115", "item public", ("GRANT REFERENCES ON item TO PUBLIC",)),
    Fault("H115", "item {admin}", ("GRANT REFERENCES (id) ON item TO {admin}",)),
    Fault(
        "H116",
        "DATABASE {database} app.role",
        ("ALTER DATABASE {database} SET app.role = 'admin'",),
    ),
    Fault(
        "H116",
        "ROLE {app} IN DATABASE {database} app.user_id",
        ("ALTER ROLE {app} IN DATABASE {database} SET app.user_id = 'somebody'",),
    ),
    Fault(
        "H116",
        "DATABASE {database} app.user_id",
        ("ALTER DATABASE {database} SET \"APP.USER_ID\" = 'somebody'",),
    ),
    Fault("H116", "ROLE {app} role", ("ALTER ROLE {app} SET role = {admin}",), own_roles=True),
    Fault(
        "H116",
        "ROLE {app} session_replication_role",
        ("ALTER ROLE {app} SET session_replication_role = replica",),
        own_roles=True,
    ),
    Fault(
        "H116",
        "ROLE {app} IN DATABASE {database} search_path",
        ("SET ROLE {app}; ALTER ROLE {app} IN DATABASE {database} SET search_path = nowhere",),
    ),
    Fault(
        "H116",
        "ROLE {admin} IN DATABASE {database} app.role",
        ("ALTER ROLE {admin} IN DATABASE {database} SET app.role = 'admin'",),
    ),
    Fault(
        "H116",
        "DATABASE {database} timezone",
        ("ALTER DATABASE {database} SET TimeZone = 'UTC'",),
    ),
    Fault(
        "H117",
        "item.for_reports",
        ("CREATE POLICY for_reports ON item FOR SELECT TO PUBLIC USING (true)",),
    ),
    # Applies to no request, until injected SQL takes the role.
    Fault(
        "H117",
        "item.for_admins",
        ("CREATE POLICY for_admins ON item FOR SELECT TO {admin} USING (true)",),
    ),
    Fault(
        "H117",
        "item.item_owner_delete",
        ("ALTER POLICY item_owner_delete ON item USING ((SELECT rls.role()) = 'user')",),
    ),
    Fault(
        "H117",
        "item.item_owner_update",
        (f"ALTER POLICY item_owner_update ON item USING ({_OWNS} OR description IS NULL)",),
    ),
    Fault(
        "H118",
        "item.item_owner_update",
        ("ALTER POLICY item_owner_update ON item WITH CHECK (true)",),
    ),
    Fault(
        "H118",
        "item.item_owner_insert",
        ("ALTER POLICY item_owner_insert ON item WITH CHECK (owner_id IS NOT NULL)",),
    ),
    Fault("H119", "pg_monitor", ("GRANT pg_monitor TO {app}",), own_roles=True),
    Fault("H120", "15.18", server_version=150018),
    Fault("H120", "18.6", server_version=180006),
    Fault(
        "H121",
        "item SELECT",
        (
            "ALTER POLICY item_owner_select ON item"
            f" USING ({_OWNS} OR (SELECT rls.role()) = 'admin')",
        ),
    ),
    Fault(
        "H121",
        "item UPDATE",
        (
            "ALTER POLICY item_owner_update ON item"
            f" USING (CASE WHEN (SELECT rls.role()) = 'admin' THEN true ELSE {_OWNS} END)",
        ),
    ),
    Fault(
        "H121",
        "item DELETE",
        (f"ALTER POLICY item_owner_delete ON item USING (coalesce({_OWNS}, false))",),
    ),
    Fault(
        "H122",
        "item.item_owner_select",
        ("ALTER POLICY item_owner_select ON item USING (owner_id = rls.user_id())",),
    ),
    Fault(
        "H122",
        "item.item_owner_insert",
        (
            "ALTER POLICY item_owner_insert ON item"
            " WITH CHECK (owner_id::text = current_setting('app.user_id'))",
        ),
    ),
    Fault(
        "H123",
        "ix_item_words",
        ("CREATE INDEX ix_item_words ON item USING gin (to_tsvector('english', title))",),
    ),
    Fault(
        "H123",
        "ix_item_price",
        ("ALTER TABLE item ADD price numeric", "CREATE INDEX ix_item_price ON item (price)"),
    ),
    Fault(
        "H124",
        "item",
        ("DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id",),
    ),
    Fault("H125", "pooler", autocommit=True),
    Fault("H126", "rls.audit", ("DROP TABLE rls.audit, rls.audit_head",)),
    Fault("H126", "rls.audit", ("ALTER TABLE rls.audit DISABLE ROW LEVEL SECURITY",)),
    Fault("H126", "rls.audit.tenant", ("ALTER TABLE rls.audit DROP COLUMN tenant",)),
    Fault("H126", "rls.audit {app}", ("GRANT INSERT ON rls.audit TO {app}",)),
    Fault("H126", "rls.audit {admin}", ("GRANT DELETE, TRUNCATE ON rls.audit TO {admin}",)),
    Fault(
        "H126", "rls.audit_head public", ("GRANT UPDATE (position) ON rls.audit_head TO PUBLIC",)
    ),
    Fault(
        "H126",
        "rls.record_change() public",
        ("GRANT EXECUTE ON FUNCTION rls.record_change() TO PUBLIC",),
    ),
    Fault("H126", "rls.chain() {app}", ("GRANT EXECUTE ON FUNCTION rls.chain() TO {app}",)),
    Fault("H126", "rls.audit chain", ("DROP TRIGGER chain ON rls.audit",)),
    Fault("H126", "rls.audit chain", ("ALTER TABLE rls.audit DISABLE TRIGGER chain",)),
    Fault("H126", "item rls_audit", ("DROP TRIGGER rls_audit ON item",)),
    Fault("H126", '"user" rls_audit', ('ALTER TABLE "user" DISABLE TRIGGER rls_audit',)),
    Fault("H126", "item rls_audit", ("ALTER TABLE item ENABLE REPLICA TRIGGER rls_audit",)),
    Fault("H127", "{maintenance}", ("DROP EVENT TRIGGER rls_audit_login",), since=170000),
    Fault(
        "H127",
        "{maintenance}",
        ("ALTER EVENT TRIGGER rls_audit_login DISABLE",),
        since=170000,
    ),
    Fault("H128", "label", models=UNDECLARED),
    Fault("H129", "queue", ("CREATE TABLE queue (id int)", "GRANT SELECT ON queue TO {app}")),
    Fault(
        "H129",
        "jobs.Queue 1",
        (
            "CREATE SCHEMA jobs",
            'CREATE TABLE jobs."Queue 1" (id int)',
            "GRANT USAGE ON SCHEMA jobs TO {admin}",
            'GRANT SELECT (id) ON jobs."Queue 1" TO PUBLIC',
        ),
    ),
    Fault(
        "H129",
        "queue",
        ("CREATE TABLE queue (id int)", "ALTER TABLE queue OWNER TO {app}"),
    ),
    Fault(
        "H129",
        "default privileges FOR ROLE {maintenance} IN SCHEMA public {app}",
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE {maintenance} IN SCHEMA public"
            " GRANT SELECT, DELETE ON TABLES TO {app}",
        ),
    ),
    Fault(
        "H129",
        "default privileges FOR ROLE {maintenance} public",
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {maintenance} GRANT SELECT ON TABLES TO PUBLIC",),
    ),
    Fault("H130", "rls_refuse_ddl", ("DROP EVENT TRIGGER rls_refuse_ddl",)),
    Fault("H130", "rls_refuse_ddl", ("ALTER EVENT TRIGGER rls_refuse_ddl DISABLE",)),
    Fault("H130", "rls_refuse_ddl", ("ALTER EVENT TRIGGER rls_refuse_ddl ENABLE REPLICA",)),
    Fault(
        "H130",
        "rls_refuse_ddl",
        (
            "DROP EVENT TRIGGER rls_refuse_ddl",
            "CREATE EVENT TRIGGER rls_refuse_ddl ON ddl_command_start WHEN TAG IN ('CREATE TABLE')"
            " EXECUTE FUNCTION rls.refuse_ddl()",
        ),
    ),
    Fault("H130", "rls.refuse_ddl()", ("DROP FUNCTION rls.refuse_ddl() CASCADE",)),
    Fault(
        "H130",
        "rls.refuse_ddl()",
        (
            "CREATE OR REPLACE FUNCTION rls.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql"
            " SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
        ),
    ),
    Fault("H130", "TEMPORARY public", ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC",)),
    Fault(
        "H130",
        "TEMPORARY {admin} {app}",
        ("GRANT ALL ON DATABASE {database} TO {app}, {admin}",),
    ),
    Fault(
        "H131",
        "sessions public",
        ("GRANT EXECUTE ON FUNCTION pg_terminate_backend(integer, bigint) TO PUBLIC",),
    ),
    Fault("H131", "sessions pg_signal_backend", ("GRANT pg_signal_backend TO {app}",), True),
    Fault("H131", "large objects {app}", ("GRANT EXECUTE ON FUNCTION lo_get(oid) TO {app}",)),
    Fault("H131", "files public", ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO PUBLIC",)),
    Fault("H131", "files {admin}", ("GRANT EXECUTE ON FUNCTION lo_export(oid, text) TO {admin}",)),
    Fault("H131", "server public", ("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO PUBLIC",)),
    Fault(
        "H131",
        "parameter session_replication_role {app}",
        ("GRANT SET ON PARAMETER session_replication_role TO {app}",),
        own_roles=True,
    ),
    Fault("H131", "other databases public", ("CREATE EXTENSION dblink",)),
)
