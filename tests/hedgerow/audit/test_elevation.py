"""Every way to become an admin leaves one committed entry, before the first row is read."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import hedgerow
from app.models import Item
from hedgerow import Audit, Identity, IdentityError, Origin, Role
from tests.hedgerow.audit.entries import elevations
from tests.hedgerow.audit.ways import (
    IDS,
    WAYS,
    Way,
    bind_session,
    bind_session_in_transaction,
)
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext, identity_on_server, visible

ORIGIN = Origin("PUT", "/api/v1/admin/items/", "request-1")
ROLES = (Role.ADMIN, Role.READ_ONLY_ADMIN)
PARTICULAR = replace(ROW_SECURITY, audit=Audit(reason_required=True))


class Particular(hedgerow.AdminContext):
    row_security = PARTICULAR


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.app_url)
    yield engine
    engine.dispose()


def assert_recorded_once(database: Database, admin: Person, role: Role) -> None:
    (entry,) = elevations(database, admin)
    assert (entry["role"], entry["reason"]) == (role, "a complaint")
    told = Origin(entry["method"], entry["path"], entry["request_id"])
    assert told == ORIGIN
    assert (entry["login"], entry["owner"]) == ("rls_app_user", None)
    assert entry["position"] is not None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_recorded_once_although_it_is_rolled_back(
    way: Way, role: Role, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    assert way(engine, Identity(admin.id, role, "a complaint", ORIGIN)) == set(alice.items)
    assert_recorded_once(database, admin, role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("way", ["session", "open session", "block", "connection"])
async def test_each_asynchronous_way_is_recorded_once(
    way: str, role: Role, database: Database, alice: Person, admin: Person
) -> None:
    identity = Identity(admin.id, role, "a complaint", ORIGIN)
    engine = create_async_engine(database.app_url)
    if way == "connection":
        async with engine.connect() as connection:
            await hedgerow.bind_async(connection, identity, ROW_SECURITY)
            seen = set(await connection.scalars(IDS))
    else:
        async with AsyncSession(engine) as session:
            if way != "session":
                await hedgerow.bind_async(session, Identity(admin.id), ROW_SECURITY)
                assert (await session.scalars(IDS)).all() == []
            if way == "block":
                async with AdminContext(identity, session):
                    seen = set(await session.scalars(IDS))
            else:
                await hedgerow.bind_async(session, identity, ROW_SECURITY)
                seen = set(await session.scalars(IDS))
    await engine.dispose()
    assert seen == set(alice.items)
    assert_recorded_once(database, admin, role)


def test_an_ordinary_user_is_not_recorded(
    engine: Engine, database: Database, alice: Person
) -> None:
    assert bind_session(engine, Identity(alice.id)) == set(alice.items)
    assert elevations(database, alice) == []


@pytest.mark.parametrize("end", [Session.commit, Session.rollback])
def test_each_transaction_of_a_session_has_a_record_of_its_own(
    end: Callable[[Session], None],
    engine: Engine,
    database: Database,
    alice: Person,
    admin: Person,
) -> None:
    """P13, P14."""
    with Session(engine) as session:
        hedgerow.bind(session, Identity(admin.id, Role.ADMIN), ROW_SECURITY)
        for number in (1, 2, 3):
            assert visible(session) == set(alice.items)
            with session.begin_nested():
                assert visible(session) == set(alice.items)
            assert len(elevations(database, admin)) == number
            end(session)


def test_each_transaction_of_a_connection_has_a_record_of_its_own(
    engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    """P13."""
    with engine.connect() as connection:
        hedgerow.bind(connection, Identity(admin.id, Role.ADMIN), ROW_SECURITY)
        for number in (1, 2):
            assert set(connection.scalars(IDS)) == set(alice.items)
            connection.commit()
            assert len(elevations(database, admin)) == number


def test_nested_blocks_are_recorded_each_and_the_outer_goes_on_with_its_own(
    engine: Engine, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    everything = {*alice.items, *bob.items}
    with Session(engine) as session:
        hedgerow.bind(session, Identity(admin.id), ROW_SECURITY)
        assert visible(session) == set()
        with AdminContext.create_full_admin(admin.id, session, reason="outer"):
            assert visible(session) == everything
            with AdminContext.create_read_only_admin(admin.id, session, reason="inner"):
                assert visible(session) == everything
            assert visible(session) == everything
        assert visible(session) == set()
        assert session.scalar(text("SELECT current_setting('app.elevation', true)")) == ""
    recorded = [(entry["role"], entry["reason"]) for entry in elevations(database, admin)]
    assert recorded == [("admin", "outer"), ("read_only_admin", "inner")]


def test_in_repeatable_read_before_its_first_query(
    engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    steady = engine.execution_options(isolation_level="REPEATABLE READ")
    assert bind_session(steady, Identity(admin.id, Role.ADMIN)) == set(alice.items)
    # After it, its snapshot is older than the record.
    with pytest.raises(DBAPIError, match="In a REPEATABLE READ transaction, elevate before"):
        bind_session_in_transaction(steady, Identity(admin.id, Role.ADMIN))


@pytest.mark.parametrize("reason", [None, "", " \t"])
def test_a_reason_may_be_required(
    reason: str | None, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with Session(engine) as session:
        hedgerow.bind(session, Identity(admin.id, Role.ADMIN, reason), PARTICULAR)
        for _ in range(2):  # trying again changes nothing
            with pytest.raises(IdentityError, match="give a reason"):
                visible(session)
            session.rollback()
    with engine.connect() as connection:
        hedgerow.bind(connection, Identity(admin.id, Role.ADMIN, reason), PARTICULAR)
        with pytest.raises(IdentityError, match="give a reason"):
            connection.execute(IDS)
    assert elevations(database, admin) == []
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0


def test_who_gives_no_reason_stays_the_user(
    engine: Engine, database: Database, alice: Person, bob: Person
) -> None:
    with Session(engine) as session:
        hedgerow.bind(session, Identity(alice.id), PARTICULAR)
        assert visible(session) == set(alice.items)
        with (
            pytest.raises(IdentityError, match="give a reason"),
            Particular.create_full_admin(alice.id, session),
        ):
            pytest.fail("this must not be an admin")
        assert visible(session) == set(alice.items)
        assert identity_on_server(session) == (str(alice.id), "user", "rls_app_user")
        with Particular.create_full_admin(alice.id, session, reason="a complaint"):
            assert visible(session) == {*alice.items, *bob.items}
    assert [entry["reason"] for entry in elevations(database, alice)] == ["a complaint"]


def test_who_looks_as_a_user_sees_what_the_user_sees_and_both_are_named(
    engine: Engine, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    viewer = Identity(admin.id, Role.READ_ONLY_ADMIN, "a complaint", ORIGIN)
    with Session(engine) as session:
        hedgerow.bind(session, Identity(alice.id, viewed_by=viewer), ROW_SECURITY)
        assert visible(session) == set(alice.items)
        assert identity_on_server(session) == (str(alice.id), "user", "rls_app_user")
        session.add(Item(owner_id=alice.id, title="new"))
        with pytest.raises(DBAPIError, match="read-only transaction"):
            session.flush()
    (entry,) = elevations(database, admin)
    assert (entry["role"], entry["reason"]) == ("read_only_admin", "a complaint")
    assert (entry["owner"], entry["path"]) == (str(alice.id), ORIGIN.path)
    assert elevations(database, alice) == []


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\udcff", "\N{SNOWMAN} ünï", "x" * 5000])
def test_whatever_a_client_sends_is_recorded(
    odd: str, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    identity = Identity(admin.id, Role.ADMIN, odd, Origin(odd, odd, odd))
    assert bind_session(engine, identity) == set(alice.items)
    (entry,) = elevations(database, admin)
    stored = odd.replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\udcff", "?")
    lengths = {"reason": 1000, "method": 20, "path": 2000, "request_id": 200}
    assert {name: entry[name] for name in lengths} == {
        name: stored[:length] for name, length in lengths.items()
    }


def test_an_admin_who_cannot_be_recorded_is_none(
    database: Database, alice: Person, admin: Person
) -> None:
    """P19: and no connection is kept by it."""
    options = {"options": "-c lock_timeout=50"}
    engine = create_engine(database.app_url.update_query_dict(options), pool_size=1)
    with database.as_owner() as owner:
        owner.execute(text("LOCK rls.audit"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            bind_session(engine, Identity(admin.id, Role.ADMIN))
    assert elevations(database, admin) == []
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0
    assert bind_session(engine, Identity(alice.id)) == set(alice.items)
    engine.dispose()
