"""The application role and both admin roles can add what they did, and do nothing else to it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import URL

from hedgerow import Identity, Role
from hedgerow.errors import INVALID_SIGNATURE, UNRECORDED_ELEVATION
from tests.hedgerow.audit.entries import changes, elevations, entries
from tests.hedgerow.audit.support import check
from tests.hedgerow.signing.support import SIGNED, apply, demand, sign_in, signature
from tests.support.databases import Database, clone_template, drop
from tests.support.elevation import record_elevation
from tests.support.people import Person, add_person, remove_all_users
from tests.support.raw import RawConnection, become, connect

REFUSED = (
    "INSERT INTO rls.audit (event, role) VALUES ('elevation', 'admin')",
    "INSERT INTO rls.audit (event, role) SELECT event, role FROM rls.audit",
    "UPDATE rls.audit SET reason = 'none'",
    "UPDATE rls.audit SET user_id = 'somebody else'",
    "DELETE FROM rls.audit",
    "TRUNCATE rls.audit",
    "TRUNCATE rls.audit, rls.audit_head",
    "MERGE INTO rls.audit USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "SELECT * FROM rls.audit FOR UPDATE",
    "LOCK rls.audit",
    "COPY rls.audit (event, role) FROM STDIN",
    "ALTER TABLE rls.audit DISABLE TRIGGER chain",
    "ALTER TABLE rls.audit DISABLE TRIGGER ALL",
    "ALTER TABLE rls.audit DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE rls.audit OWNER TO CURRENT_USER",
    "DROP TABLE rls.audit",
    "DROP TRIGGER chain ON rls.audit",
    "CREATE TRIGGER skip BEFORE INSERT ON rls.audit FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE nothing AS ON INSERT TO rls.audit DO INSTEAD NOTHING",
    "CREATE POLICY all_users ON rls.audit USING (true)",
    "SELECT * FROM rls.audit_head",
    "INSERT INTO rls.audit_head VALUES (0, '')",
    "UPDATE rls.audit_head SET position = 0",
    "DELETE FROM rls.audit_head",
    "TRUNCATE rls.audit_head",
    "SELECT nextval('rls.audit_id_seq')",
    "SELECT setval('rls.audit_id_seq', 1)",
    "ALTER SEQUENCE rls.audit_id_seq RESTART",
    "SET session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', true)",
    "ALTER TABLE item DISABLE TRIGGER rls_audit",
    "ALTER TABLE item DISABLE TRIGGER ALL",
    "DROP TRIGGER rls_audit ON item",
    "CREATE TRIGGER rls_a BEFORE UPDATE ON item FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE OR REPLACE FUNCTION rls.verify_elevation() RETURNS text LANGUAGE sql RETURN 'admin'",
    "DROP FUNCTION rls.record_change() CASCADE",
    "ALTER FUNCTION rls.record_change() SECURITY INVOKER",
    # GRANT itself only warns.
    "GRANT INSERT ON rls.audit TO CURRENT_USER;"
    " INSERT INTO rls.audit (event, role) VALUES ('elevation', 'admin')",
)
"""What the application's login may not do."""

NOT_ALLOWED = errors.InsufficientPrivilege.sqlstate

INTERNAL = ("record_change('{}', '', '{}')", "chain()")


def sqlstate_of(connection: RawConnection, statement: str) -> str | None:
    """Return why a statement fails, or None where it does not; it is undone in either case."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.fixture(params=["none", "rls_admin", "rls_read_only_admin"])
def connection(
    request: pytest.FixtureRequest, database: Database, admin: Person
) -> Iterator[RawConnection]:
    """Yield the application's connection, in each role that it may take; recorded as an admin."""
    role = "admin" if request.param == "none" else request.param.removeprefix("rls_")
    with connect(database.app_url) as connection:
        become(connection, admin, role)
        connection.execute("SELECT set_config('role', %s, false)", [request.param])
        connection.commit()
        yield connection


@pytest.mark.usefixtures("may_run_ddl")
def test_each_way_to_change_it_is_refused(
    connection: RawConnection, database: Database, alice: Person
) -> None:
    before = entries(database)
    for statement in REFUSED:
        assert sqlstate_of(connection, statement) == NOT_ALLOWED, statement
    assert entries(database) == before


@pytest.mark.parametrize("function", INTERNAL)
@pytest.mark.usefixtures("may_run_ddl")
def test_what_writes_cannot_be_put_on_a_table_of_ones_own(
    function: str, connection: RawConnection
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TEMP TABLE own (id int, owner_id text)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(
                "CREATE TRIGGER forge AFTER INSERT ON own FOR EACH ROW"
                f" EXECUTE FUNCTION rls.{function}"
            )


@pytest.mark.parametrize("function", ["record_change", "chain", "record_login"])
def test_what_writes_cannot_be_called(function: str, connection: RawConnection) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(f"SELECT rls.{function}()")
    assert caught.value.sqlstate == NOT_ALLOWED


def test_an_admins_role_alone_records_nothing(database: Database, admin: Person) -> None:
    """The functions are the login's, so that what is injected there cannot add entries."""
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("SET ROLE rls_admin")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT rls.record_elevation('x', NULL, NULL, NULL, NULL)")


def test_maintenance_changes_none_of_it_either(database: Database) -> None:
    with connect(database.maintenance_url) as maintenance:
        for statement in REFUSED:
            if "rls.audit" in statement and "FOR UPDATE" not in statement:
                assert sqlstate_of(maintenance, statement) == NOT_ALLOWED, statement


@pytest.mark.usefixtures("may_run_ddl")
def test_a_table_that_shadows_it_receives_nothing(
    database: Database, alice: Person, admin: Person
) -> None:
    """P7: what stands earlier in the search_path does not matter to the functions."""
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("CREATE TEMP TABLE audit (id bigint, event text)")
        connection.execute("CREATE TEMP TABLE audit_head (position bigint, hash bytea)")
        connection.execute("SET search_path = pg_temp, rls, public")
        connection.execute("SET ROLE rls_admin")
        connection.execute("UPDATE item SET title = 'x'")
        connection.execute("RESET ROLE")
        assert connection.execute("SELECT count(*) FROM pg_temp.audit").fetchone() == (0,)
        connection.commit()
    assert len(changes(database, admin)) == len(alice.items)
    assert not check(database).faults


def test_who_may_read_it(database: Database, alice: Person, admin: Person) -> None:
    """An admin, recorded as one; and no user with only half of what makes an admin."""
    reads = "SELECT count(*) > 0 FROM rls.audit"
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        assert sqlstate_of(connection, reads) == NOT_ALLOWED
        connection.execute("SET ROLE rls_admin")
        assert connection.execute(reads).fetchone() == (True,)
        connection.execute("SET app.elevation = ''")
        assert sqlstate_of(connection, reads) == UNRECORDED_ELEVATION
        connection.execute("SET app.role = 'user'")
        assert connection.execute(reads).fetchone() == (False,)


UPDATE, DELETE = "UPDATE item SET title = 'x'", "DELETE FROM item"
FLIPS = (
    "set_config('app.elevation', '', true) = ''",
    "set_config('app.elevation', '1', true) = '1'",
    "set_config('app.user_id', '{alice}', true) <> ''",
    "set_config('app.role', 'user', true) <> ''",
    "set_config('role', 'none', true) <> ''",
)
BOTH = "set_config('app.elevation', '', true) || set_config('role', 'none', true) <> ''"


@pytest.mark.parametrize("flip", FLIPS)
@pytest.mark.parametrize("command", [UPDATE, DELETE])
def test_a_setting_flipped_inside_a_statement_hides_nothing(
    command: str, flip: str, database: Database, alice: Person, admin: Person
) -> None:
    """P3: whatever is changed in the end is recorded, or the statement fails."""
    assert_recorded_or_refused(command, flip, database, alice, admin)


def test_all_settings_flipped_inside_an_update_hide_nothing(
    database: Database, alice: Person, admin: Person
) -> None:
    assert_recorded_or_refused(UPDATE, BOTH, database, alice, admin)


def test_all_settings_flipped_inside_a_delete_hide_its_rows_and_not_the_statement(
    database: Database, alice: Person, admin: Person
) -> None:
    """A trigger's condition is asked after the statement's own; the policy is asked before."""
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("SET ROLE rls_admin")
        assert connection.execute(f"{DELETE} WHERE {BOTH}").rowcount == len(alice.items)
        connection.commit()
    (statement,) = entries(database, event="statement", user_id=str(admin.id))
    assert (statement["table_name"], statement["command"]) == ("public.item", "DELETE")
    assert not check(database).faults


def assert_recorded_or_refused(
    command: str, flip: str, database: Database, alice: Person, admin: Person
) -> None:
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("SET ROLE rls_admin")
        statement = f"{command} WHERE {flip.format(alice=alice.id)}"
        changed = 0
        if (sqlstate := sqlstate_of(connection, statement)) is None:
            changed = connection.execute(statement).rowcount
            assert changed > 0
            connection.commit()
    assert sqlstate in {None, UNRECORDED_ELEVATION, NOT_ALLOWED}
    recorded = entries(database, event="change", owner=str(alice.id))
    assert len(recorded) == changed
    assert {entry["user_id"] for entry in recorded} <= {str(admin.id)}


def test_chained_early_is_chained_well(database: Database, alice: Person, admin: Person) -> None:
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("SET ROLE rls_admin")
        for item in alice.items:
            connection.execute("UPDATE item SET title = 'x' WHERE id = %s", [item])
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
        connection.commit()
    assert len(changes(database, admin)) == len(alice.items)
    assert not check(database).faults


@pytest.fixture(scope="module")
def signed(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    demand(database, SIGNED)
    yield database
    drop(database)


@pytest.fixture
def people(signed: Database) -> tuple[Person, Person]:
    remove_all_users(signed)
    return add_person(signed, "alice"), add_person(signed, "admin", items=0, superuser=True)


def test_no_user_is_recorded_as_another(signed: Database, people: tuple[Person, Person]) -> None:
    """P3, P4: the user comes from the verified identity, and no argument names another."""
    alice, admin = people
    own = SIGNED.settings_for(Identity(alice.id, Role.ADMIN))
    forged = [
        {**own, "app.user_id": str(admin.id)},
        {**SIGNED.settings_for(Identity(alice.id)), "app.role": "admin"},
        {**own, "app.signature": ""},
        {**own, "app.signature": signature(admin.id, "admin", secret="another secret of theirs")},
    ]
    with connect(signed.app_url) as connection:
        for settings in forged:
            with pytest.raises(psycopg.Error) as caught:
                record_elevation(connection, settings)
            assert caught.value.sqlstate == INVALID_SIGNATURE
        record_elevation(connection, own)
    assert elevations(signed, admin) == []
    assert len(elevations(signed, alice)) == 1


def test_a_change_is_recorded_as_its_user(signed: Database, people: tuple[Person, Person]) -> None:
    alice, admin = people
    with connect(signed.app_url) as connection:
        sign_in(connection, admin, Role.ADMIN)
        forged = f"set_config('app.user_id', '{alice.id}', true) <> ''"
        assert sqlstate_of(connection, f"DELETE FROM item WHERE {forged}") == INVALID_SIGNATURE
        apply(connection, {"app.user_id": str(admin.id)})
        connection.execute("UPDATE item SET title = 'x'")
        connection.commit()
    assert changes(signed, alice) == []
    assert len(changes(signed, admin)) == len(alice.items)
