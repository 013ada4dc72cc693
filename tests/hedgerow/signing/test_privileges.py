"""The key: who may read it (its owner), and what could sign with it (nothing in the database)."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import DatabaseNotReadyError, sql
from hedgerow.checks.readiness import verify
from hedgerow.embedded import binary
from tests.hedgerow.signing.support import SIGNED, SIGNING, sign_in
from tests.support.databases import Database
from tests.support.deployments import unique_role_names
from tests.support.people import Person
from tests.support.processes import output_of
from tests.support.raw import RawConnection, connect, visible_items

KEY_STATEMENTS = (
    "SELECT * FROM rls.signing_key",
    "SELECT count(*) FROM rls.signing_key",
    "SELECT inner_pad FROM rls.signing_key",
    "COPY rls.signing_key TO STDOUT",
    "INSERT INTO rls.signing_key VALUES ('', '', '1 year')",
    "UPDATE rls.signing_key SET retires_at = NULL",
    "DELETE FROM rls.signing_key",
    "TRUNCATE rls.signing_key",
    "LOCK rls.signing_key IN ACCESS SHARE MODE",
    "CREATE TEMP VIEW key AS SELECT * FROM rls.signing_key; SELECT * FROM key",
    "ALTER TABLE rls.signing_key OWNER TO CURRENT_USER",
    "GRANT SELECT ON rls.signing_key TO CURRENT_USER",
)


def expect_refusal(connection: RawConnection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
        connection.execute(statement)


@pytest.mark.parametrize("role", ["none", "rls_admin", "rls_read_only_admin"])
@pytest.mark.usefixtures("may_run_ddl")
def test_the_application_cannot_touch_the_key(
    role: str, connection: RawConnection, alice: Person
) -> None:
    sign_in(connection, alice)
    connection.execute("SELECT set_config('role', %s, true)", [role])
    for statement in KEY_STATEMENTS:
        expect_refusal(connection, statement)


def test_maintenance_cannot_read_the_key(database: Database) -> None:
    with connect(database.maintenance_url) as connection:
        expect_refusal(connection, "SELECT * FROM rls.signing_key")


def test_the_statistics_of_the_key_are_not_shown(
    database: Database, connection: RawConnection
) -> None:
    with database.as_owner() as owner:
        owner.execute(text("ANALYZE rls.signing_key"))
    statement = "SELECT count(*) FROM pg_stats WHERE schemaname = 'rls'"
    assert connection.execute(statement).fetchone() == (0,)
    expect_refusal(connection, "SELECT * FROM pg_statistic")


def test_no_function_signs(connection: RawConnection) -> None:
    """All of schema `rls`: who asks, the checks behind them, the audit trail, a guard."""
    functions = connection.execute(
        "SELECT proname, pg_get_function_result(oid), prosecdef FROM pg_proc"
        " WHERE pronamespace = 'rls'::regnamespace ORDER BY proname"
    ).fetchall()
    assert functions == [
        ("chain", "trigger", True),
        ("claim", "text", False),
        ("identity_name", "text", True),
        ("record_change", "trigger", True),
        ("record_elevation", "bigint", True),
        ("record_login", "event_trigger", True),
        ("record_write", "boolean", True),
        ("refuse_ddl", "event_trigger", False),
        ("role", "text", False),
        ("service", "text", False),
        ("sign_in", "text", False),
        ("tenant_id", "text", False),
        ("user_id", "uuid", True),
        ("verify_elevation", "text", True),
        ("verify_identity", "boolean", True),
    ]


AUDIT = {
    "chain",
    "record_change",
    "record_elevation",
    "record_login",
    "record_write",
    "verify_elevation",
}


def test_in_plain_mode_the_audit_trail_alone_has_the_owners_rights(
    plain_database: Database,
) -> None:
    with connect(plain_database.app_url) as connection:
        functions = connection.execute(
            "SELECT proname, prosecdef FROM pg_proc"
            " WHERE pronamespace = 'rls'::regnamespace ORDER BY proname"
        ).fetchall()
    assert {str(name): definer for name, definer in functions} == {
        **dict.fromkeys(AUDIT, True),
        **dict.fromkeys(("identity_name", "refuse_ddl", "require_identity"), False),
        **dict.fromkeys(("claim", "role", "service", "sign_in", "tenant_id", "user_id"), False),
    }


def test_the_application_may_call_what_records_and_what_is_asked_alone(
    connection: RawConnection,
) -> None:
    """A trigger function that it may call is one that it may put on a temporary table."""
    callable_ = connection.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'rls'::regnamespace"
        " AND has_function_privilege(oid, 'EXECUTE') ORDER BY proname"
    ).fetchall()
    assert [name for (name,) in callable_] == [
        "claim",
        "identity_name",
        "record_elevation",
        "role",
        "service",
        "sign_in",
        "tenant_id",
        "user_id",
        "verify_elevation",
        "verify_identity",
    ]


def test_no_catalog_shows_the_key(database: Database, connection: RawConnection) -> None:
    """It lies in a table, not in a function's text or a setting, which everybody may read."""
    with database.as_owner() as owner:
        pads = owner.execute(text("SELECT inner_pad, outer_pad FROM rls.signing_key")).one()
    readable = connection.execute(
        "SELECT string_agg(pg_get_functiondef(oid), '') || (SELECT string_agg(setting, '')"
        " FROM pg_settings) FROM pg_proc WHERE pronamespace = 'rls'::regnamespace"
    ).fetchone()
    assert readable is not None
    for pad in pads:
        assert pad.hex() not in str(readable[0])
    assert SIGNED.signing is not None
    assert SIGNED.signing.secret not in str(readable[0])


def dump(database: Database, *options: str) -> str:
    url = database.owner_url.set(drivername="postgresql")
    return output_of([binary("pg_dump"), *options, url.render_as_string(hide_password=False)])


def test_a_dump_holds_the_key_unless_told_otherwise(database: Database) -> None:
    pad = SIGNING.pads()[0].hex()
    assert pad in dump(database)
    without = dump(database, "--exclude-table-data=rls.signing_key")
    assert pad not in without
    assert "CREATE TABLE rls.signing_key" in without


def test_copy_gives_out_ones_own_rows(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    sign_in(connection, alice)
    for source in ("item (id)", "(SELECT id FROM item)"):
        with connection.cursor() as cursor, cursor.copy(f"COPY {source} TO STDOUT") as copy:
            lines = b"".join(bytes(block) for block in copy).decode().split()
        assert set(lines) == {str(item) for item in alice.items}


def test_one_prepared_statement_serves_each_their_own(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    """P17."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("PREPARE items AS SELECT id FROM item")
    connection.commit()
    for _ in range(3):
        for person in (alice, bob):
            sign_in(connection, person)
            assert {item for (item,) in connection.execute("EXECUTE items")} == set(person.items)
            connection.commit()


@pytest.fixture
def group(fresh_signed_database: Database) -> Iterator[str]:
    """Yield a role that the application's login may take, as a team's own group might be."""
    name = unique_role_names().admin
    with fresh_signed_database.as_owner() as owner:
        owner.execute(text(f"CREATE ROLE {sql.name(name)}"))
        owner.execute(text(f"GRANT {sql.name(name)} TO rls_app_user"))
    yield name
    with fresh_signed_database.as_owner() as owner:
        owner.execute(text(f"DROP OWNED BY {sql.name(name)}"))
        owner.execute(text(f"DROP ROLE {sql.name(name)}"))


@pytest.mark.parametrize(
    ("privilege", "role"),
    [
        ("SELECT", "rls_app_user"),
        ("SELECT (inner_pad)", "rls_app_user"),
        ("INSERT", "rls_app_user"),
        ("UPDATE", "rls_app_user"),
        ("SELECT", "rls_admin"),
        ("SELECT", "group"),
    ],
)
def test_the_start_stops_where_the_key_is_within_reach(
    privilege: str, role: str, fresh_signed_database: Database, request: pytest.FixtureRequest
) -> None:
    """A grant on all tables, or default privileges, would do it unnoticed."""
    if role == "group":
        role = request.getfixturevalue("group")
    engine = fresh_signed_database.engine(fresh_signed_database.app_url)
    verify(engine, SQLModel.metadata, SIGNED)
    with fresh_signed_database.as_owner() as owner:
        owner.execute(text(f"GRANT {privilege} ON rls.signing_key TO {sql.name(role)}"))
    with pytest.raises(DatabaseNotReadyError) as caught:
        verify(engine, SQLModel.metadata, SIGNED)
    _, _, command = str(caught.value).partition("run `")
    with fresh_signed_database.as_owner() as owner:
        owner.execute(text(command.split("`")[0]))
    verify(engine, SQLModel.metadata, SIGNED)


def test_the_key_is_not_needed_to_be_oneself(connection: RawConnection, alice: Person) -> None:
    sign_in(connection, alice)
    expect_refusal(connection, "SELECT * FROM rls.signing_key")
    assert visible_items(connection) == set(alice.items)
