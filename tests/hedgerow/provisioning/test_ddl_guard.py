"""DDL by the application's login is refused, whatever role it has taken (P57)."""

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from hedgerow.errors import REFUSED_DDL
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.raw import RawConnection, connect
from tests.support.sessions import session_of, visible

# Each kind of command of the event trigger firing matrix. It comes before any look at privileges,
# and at whether what is named exists.
REFUSED = """
DROP OWNED BY CURRENT_USER
DROP OWNED BY SESSION_USER CASCADE
CREATE TEMP TABLE item (id uuid)
CREATE TEMP TABLE item AS SELECT 1
SELECT 1 AS id INTO TEMP item
CREATE TEMP VIEW item AS SELECT 1
CREATE TEMP SEQUENCE s
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE PROCEDURE pg_temp.p() LANGUAGE sql AS 'SELECT 1'
CREATE AGGREGATE pg_temp.a (int) (SFUNC = int4pl, STYPE = int)
CREATE TYPE pg_temp.t AS (a int)
CREATE DOMAIN pg_temp.d AS int
CREATE OPERATOR pg_temp.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
CREATE OPERATOR CLASS pg_temp.c FOR TYPE int USING btree AS STORAGE int
CREATE OPERATOR FAMILY pg_temp.f USING btree
CREATE COLLATION pg_temp.c FROM "C"
CREATE CONVERSION pg_temp.c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1
CREATE TEXT SEARCH CONFIGURATION pg_temp.c (COPY = simple)
CREATE TEXT SEARCH DICTIONARY pg_temp.d (TEMPLATE = simple)
CREATE TEXT SEARCH PARSER p (START = a, GETTOKEN = b, END = c, LEXTYPES = d)
CREATE TEXT SEARCH TEMPLATE t (LEXIZE = dsimple_lexize)
CREATE STATISTICS s ON id, owner_id FROM item
CREATE CAST (int AS text) WITHOUT FUNCTION
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f(internal))
CREATE ACCESS METHOD m TYPE INDEX HANDLER bthandler
CREATE EXTENSION hstore
CREATE FOREIGN DATA WRAPPER w
CREATE SERVER s FOREIGN DATA WRAPPER w
CREATE USER MAPPING FOR CURRENT_USER SERVER s
CREATE FOREIGN TABLE f (a int) SERVER s
IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public
CREATE INDEX ON item (title)
CREATE LANGUAGE l
CREATE MATERIALIZED VIEW m AS SELECT 1
CREATE POLICY p ON item USING (true)
CREATE RULE r AS ON INSERT TO item DO ALSO SELECT 1
CREATE TRIGGER t BEFORE INSERT ON item EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE SCHEMA s
CREATE PUBLICATION p
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)
ALTER TABLE item DISABLE ROW LEVEL SECURITY
ALTER POLICY item_owner_select ON item USING (true)
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
ALTER FUNCTION rls.refuse_ddl() RENAME TO f
ALTER LARGE OBJECT 1 OWNER TO CURRENT_USER
ALTER SCHEMA rls RENAME TO s
ALTER EXTENSION plpgsql UPDATE
DROP TABLE item
DROP POLICY item_owner_select ON item
DROP FUNCTION rls.refuse_ddl()
GRANT SELECT ON item TO PUBLIC
GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC
REVOKE SELECT ON item FROM CURRENT_USER
COMMENT ON TABLE item IS 'x'
COMMENT ON COLUMN item.title IS 'x'
COMMENT ON LARGE OBJECT 1 IS 'x'
SECURITY LABEL ON TABLE item IS 'x'
REFRESH MATERIALIZED VIEW m
DO $$ BEGIN CREATE TEMP TABLE item (id uuid); END $$
""".strip().splitlines()

# What concerns the whole server, or event triggers, calls none.
BY_PRIVILEGE = """
DROP EVENT TRIGGER rls_refuse_ddl
ALTER EVENT TRIGGER rls_refuse_ddl DISABLE
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION rls.refuse_ddl()
SET event_triggers = off
SET session_replication_role = replica
SET SESSION AUTHORIZATION rls_maintenance_admin
REASSIGN OWNED BY rls_app_user TO rls_read_only_admin
CREATE ROLE r
ALTER ROLE CURRENT_USER CREATEROLE
ALTER ROLE CURRENT_USER VALID UNTIL 'yesterday'
DROP ROLE CURRENT_USER
GRANT rls_app_user TO rls_admin
REVOKE rls_admin FROM rls_app_user
COMMENT ON ROLE rls_app_user IS 'x'
CREATE DATABASE d
ALTER DATABASE postgres SET work_mem = '1MB'
DROP DATABASE postgres
CREATE TABLESPACE t LOCATION '/t'
ALTER SYSTEM SET work_mem = '1MB'
GRANT SET ON PARAMETER work_mem TO CURRENT_USER
CLUSTER item
EXPLAIN ANALYZE CREATE TEMP TABLE item AS SELECT 1 AS id
EXPLAIN ANALYZE SELECT 1 AS id INTO TEMP item
""".strip().splitlines()

ROLES = ("none", "rls_admin", "rls_read_only_admin")


@pytest.fixture
def attacker(connection: RawConnection) -> RawConnection:
    """Return the login itself, each of whose statements is a transaction."""
    connection.autocommit = True
    return connection


def why_refused(connection: RawConnection, statement: str) -> str | None:
    """Return the SQLSTATE, or None where it works."""
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.mark.parametrize("role", ROLES)
def test_each_command_is_refused_to_the_login(role: str, attacker: RawConnection) -> None:
    attacker.execute("SELECT set_config('role', %s, false)", [role])
    for statement in REFUSED:
        assert why_refused(attacker, statement) == REFUSED_DDL, statement


@pytest.mark.parametrize("role", ROLES)
def test_what_calls_no_event_trigger_lacks_a_privilege(role: str, attacker: RawConnection) -> None:
    attacker.execute("SELECT set_config('role', %s, false)", [role])
    for statement in BY_PRIVILEGE:
        if "event_triggers" in statement and attacker.info.server_version < 170000:
            continue
        assert why_refused(attacker, statement) == "42501", statement


def test_a_function_with_its_owners_rights_runs_none_for_the_login(
    fresh_database: Database,
) -> None:
    with connect(fresh_database.owner_url) as owner:
        owner.execute(
            "CREATE FUNCTION make() RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
            " AS 'BEGIN CREATE TEMP TABLE item (id uuid); END'"
        )
        owner.execute("SELECT make()")
        owner.execute("DROP TABLE pg_temp.item")
        owner.commit()
    with connect(fresh_database.app_url) as application:
        application.autocommit = True
        assert why_refused(application, "SELECT make()") == REFUSED_DDL


def test_the_message_says_what_to_do(connection: RawConnection) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("CREATE TABLE notes (id int)")
    assert str(caught.value.diag.message_primary) == (
        "row security: the application's login runs no DDL (CREATE TABLE)"
    )
    assert "as the owner, in a migration" in str(caught.value.diag.message_hint)


def test_policies_outlast_an_injected_drop(pool: Engine, alice: Person) -> None:
    """One statement of any kind, in a user's transaction."""
    with session_of(pool, alice) as session:
        with pytest.raises(DBAPIError) as caught:
            session.execute(text("DROP OWNED BY CURRENT_USER"))
        assert getattr(caught.value.orig, "sqlstate", None) == REFUSED_DDL
        session.rollback()
        assert visible(session) == set(alice.items)


def test_the_owner_runs_ddl_as_before(database: Database) -> None:
    with connect(database.owner_url) as connection:
        connection.execute("CREATE TEMP TABLE notes (id int)")
        connection.execute("SELECT 1 AS id INTO TEMP more_notes")
