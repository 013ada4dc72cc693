"""Who is no user stays what they are: signing in, nobody and services, whatever role SQL takes.

As an attacker with one SELECT, with a statement of any kind, and with the login itself; with signed
identities, and with plain ones where nothing is forged.
"""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, Role, RoleNames, RowSecurity
from hedgerow.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_SIGNATURE,
    MISSING_IDENTITY,
    UNRECORDED_ELEVATION,
)
from tests.hedgerow.signing.support import PLAIN, SIGNED, apply, run_injected
from tests.support.databases import Database
from tests.support.elevation import record_elevation
from tests.support.people import Person, add_person, remove_all_users
from tests.support.raw import RawConnection
from tests.support.sessions import one_connection

SERVICE = "first-superuser"
"""The one service that the template's declarations name: it inserts accounts, and reads none."""

ACCOUNTS = 'SELECT id FROM "user"'
ITEMS = "SELECT id FROM item"
BECOME_BOB = "set_config('app.user_id', 'bob@example.com', true)"
NEW_ACCOUNT = (
    'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)'
    " VALUES (gen_random_uuid(), '{email}', 'x', {active}, {superuser}, now())"
)
ROLES = ("none", *RoleNames().names)
COUNTED = {"preserve_rowcount": True}
KINDS = ("user", "sign_in", "anonymous", "service", "unknown service")


def of_kind(kind: str, alice: Person) -> Identity:
    return {
        "user": Identity(alice.id),
        "sign_in": Identity.sign_in(alice.email),
        "anonymous": Identity.anonymous(),
        "service": Identity.service(SERVICE),
        "unknown service": Identity.service("another"),
    }[kind]


@pytest.fixture(params=["signed", "plain"])
def way(request: pytest.FixtureRequest) -> RowSecurity:
    return SIGNED if request.param == "signed" else PLAIN


@pytest.fixture
def attacked(way: RowSecurity, database: Database, plain_database: Database) -> Database:
    """Return a database that takes identities in the way at hand, without people."""
    chosen = database if way is SIGNED else plain_database
    remove_all_users(chosen)
    return chosen


@pytest.fixture
def people(attacked: Database) -> tuple[Person, Person]:
    return add_person(attacked, "alice"), add_person(attacked, "bob")


@pytest.fixture
def engine(attacked: Database) -> Iterator[Engine]:
    engine = one_connection(attacked)
    yield engine
    engine.dispose()


def session_as(engine: Engine, identity: Identity, way: RowSecurity) -> Session:
    session = Session(engine)
    hedgerow.bind(session, identity, way)
    return session


def outcome(session: Session, statement: str) -> tuple[set[UUID], str | None]:
    """Return what injected SQL shows, and the SQLSTATE where it fails; undo it."""
    with session.begin_nested() as savepoint:
        found = run_injected(session, statement)
        savepoint.rollback()
    return found


def written(session: Session, role: str, statement: str) -> int | str | None:
    """Return how many rows an injected statement writes in a database role, or the SQLSTATE."""
    with session.begin_nested() as savepoint:
        try:
            session.execute(text(f"SET LOCAL ROLE {role}"))
            return session.execute(text(statement), execution_options=COUNTED).rowcount  # type: ignore[attr-defined, no-any-return]
        except DBAPIError as error:
            return getattr(error.orig, "sqlstate", None)
        finally:
            savepoint.rollback()


@pytest.mark.parametrize("kind", KINDS)
def test_no_database_role_shows_more(
    kind: str, way: RowSecurity, engine: Engine, people: tuple[Person, Person]
) -> None:
    """P2, P4: of accounts and of items, after RESET ROLE and SET ROLE to any of the seven."""
    alice, _ = people
    accounts = {alice.id} if kind in ("user", "sign_in") else set()
    items = set(alice.items) if kind == "user" else set()
    own = {"user": "rls_app_user", "sign_in": "rls_sign_in"}.get(kind)
    with session_as(engine, of_kind(kind, alice), way) as session:
        session.connection()
        for role in ROLES:
            take = f"SET LOCAL ROLE {role}; "
            seen = outcome(session, take + ACCOUNTS)
            assert seen[0] <= accounts, role
            assert outcome(session, take + ITEMS)[0] <= items, role
            if role == own:  # guards this test against a database that shows nobody anything
                assert seen == (accounts, None)


WRITES = {
    "superuser": 'UPDATE "user" SET is_superuser = true',
    "password": "UPDATE \"user\" SET hashed_password = 'x' WHERE id = '{bob}'",
    "removal": "DELETE FROM \"user\" WHERE id = '{bob}'",
    "new superuser": NEW_ACCOUNT.format(email="eve@example.com", active=True, superuser=True),
    "new account": NEW_ACCOUNT.format(email="eve@example.com", active=True, superuser=False),
    "own superuser": NEW_ACCOUNT.format(email="new@example.com", active=True, superuser=True),
    "own inactive": NEW_ACCOUNT.format(email="new@example.com", active=False, superuser=False),
    "own account": NEW_ACCOUNT.format(email="new@example.com", active=True, superuser=False),
    "item": "INSERT INTO item (id, owner_id, title, created_at)"
    " VALUES (gen_random_uuid(), '{bob}', 'x', now())",
    "items": "DELETE FROM item WHERE owner_id = '{bob}'",
}
MAY_WRITE = {
    "sign_in": {"own account"},
    "service": {name for name in WRITES if name.startswith(("new", "own"))},
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_database_role_writes_more(
    kind: str, way: RowSecurity, engine: Engine, people: tuple[Person, Person]
) -> None:
    """P52: a superuser is made by the service that is declared to, and by nobody else."""
    alice, bob = people
    identity = of_kind(kind, alice)
    if kind == "sign_in":
        identity = Identity.sign_in("new@example.com")
    with session_as(engine, identity, way) as session:
        session.connection()
        done = {
            (name, role)
            for role in ROLES
            for name, statement in WRITES.items()
            if isinstance(count := written(session, role, statement.format(bob=bob.id)), int)
            and count > 0
        }
    assert done == {(name, f"rls_{kind}") for name in MAY_WRITE.get(kind, ())}


FORGERIES = (
    # One SELECT.
    f"WITH forged AS MATERIALIZED (SELECT {BECOME_BOB} AS x)"
    " SELECT id FROM \"user\" WHERE (SELECT x FROM forged) <> ''",
    f'SELECT "user".id FROM (SELECT {BECOME_BOB} OFFSET 0) forged LEFT JOIN "user" ON true',
    # Several.
    f"SELECT {BECOME_BOB}; {ACCOUNTS}",
    f"COMMIT; SELECT set_config('role', 'rls_sign_in', false), set_config('app.role', 'sign_in',"
    f" false), set_config('app.user_id', 'bob@example.com', false); {ACCOUNTS}",
)
"""Each signs in as Bob where identities are plain: the negative control."""


@pytest.mark.parametrize("attack", FORGERIES)
def test_who_signs_in_is_nobody_else(
    attack: str, way: RowSecurity, engine: Engine, people: tuple[Person, Person]
) -> None:
    """P3."""
    alice, bob = people
    with session_as(engine, Identity.sign_in(alice.email), way) as session:
        seen, sqlstate = run_injected(session, attack)
        session.invalidate()
    if way is SIGNED:
        assert (seen, sqlstate) == (set(), INVALID_SIGNATURE)
    else:
        assert (seen, sqlstate) == ({bob.id}, None)


@pytest.mark.parametrize(
    ("role", "statement", "sqlstate"),
    [
        ("none", ACCOUNTS, MISSING_IDENTITY),
        ("rls_sign_in", ACCOUNTS, MISSING_IDENTITY),
        ("rls_anonymous", ACCOUNTS, INSUFFICIENT_PRIVILEGE),
        ("rls_service", ACCOUNTS, INSUFFICIENT_PRIVILEGE),
        ("rls_service", WRITES["new account"], UNRECORDED_ELEVATION),
        ("rls_sign_in", WRITES["new account"], MISSING_IDENTITY),
    ],
)
def test_the_login_itself_is_nobody(
    role: str, statement: str, sqlstate: str, connection: RawConnection, alice: Person
) -> None:
    """P16: an error, never an empty list, whichever role it takes without an identity."""
    connection.execute(f"SET ROLE {role}")
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize("kind", ["user", "sign_in", "anonymous"])
def test_the_audit_trail_takes_no_entry_of_theirs(
    kind: str, way: RowSecurity, engine: Engine, people: tuple[Person, Person]
) -> None:
    """P4: neither an elevation, nor a statement, nor a change that carries another's record."""
    alice, _ = people
    with session_as(engine, of_kind(kind, alice), way) as session:
        session.connection()
        elevate = "SELECT rls.record_elevation('a lie', NULL, NULL, NULL, NULL)"
        assert written(session, "none", elevate) == UNRECORDED_ELEVATION
        write = "SELECT rls.record_write('item'::regclass, 'DELETE')"
        for role in ROLES:
            expected = (
                UNRECORDED_ELEVATION
                if role in ("rls_admin", "rls_service")
                else INSUFFICIENT_PRIVILEGE
            )
            assert written(session, role, write) == expected
            insert = "INSERT INTO rls.audit (event, role) VALUES ('elevation', 'admin')"
            assert written(session, role, insert) == INSUFFICIENT_PRIVILEGE
        if way is SIGNED:
            session.execute(text("SELECT set_config('app.role', 'service', true)"))
            assert written(session, "none", elevate) == INVALID_SIGNATURE


@pytest.mark.parametrize("first", [Role.ADMIN, Role.SERVICE])
def test_an_elevation_is_of_one_kind_of_identity(
    first: Role, connection: RawConnection, alice: Person
) -> None:
    """P4: a service that is called like an admin, and the admin, each have records of their own.

    Both identities are signed here: that the record is another's is all that is wrong.
    """
    service = Identity.service(str(alice.id))
    admin = Identity(alice.id, Role.ADMIN)
    recorded, other = (admin, service) if first is Role.ADMIN else (service, admin)
    elevation = record_elevation(connection, SIGNED.settings_for(recorded))
    apply(connection, SIGNED.settings_for(recorded, elevation))
    assert connection.execute("SELECT rls.role()").fetchone() == (recorded.role.value,)
    connection.rollback()
    apply(connection, SIGNED.settings_for(other, elevation))
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT rls.role()")
    assert caught.value.sqlstate == UNRECORDED_ELEVATION


@pytest.mark.parametrize("elevation", [None, "admin's"])
def test_a_service_without_a_record_of_its_own_writes_nothing(
    elevation: str | None, connection: RawConnection, alice: Person
) -> None:
    """P4: signed, declared, and unrecorded."""
    record = None
    if elevation:
        record = record_elevation(connection, SIGNED.settings_for(Identity(alice.id, Role.ADMIN)))
    apply(connection, SIGNED.settings_for(Identity.service(SERVICE), record))
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(WRITES["new account"])
    assert caught.value.sqlstate == UNRECORDED_ELEVATION
