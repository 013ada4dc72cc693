"""Many clients of two users share two connections of the server's, and nothing else.

P11: what one transaction leaves on a connection, the next client would have.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import hedgerow
from app.models import Item
from hedgerow import Identity, Role, RowSecurity, guard
from tests.hedgerow.paths.support import BACKEND, ITEM_IDS, NOBODY, WHO
from tests.hedgerow.signing.support import PLAIN, session_with
from tests.pgbouncer.pgbouncer import SERVER_CONNECTIONS, PgBouncer
from tests.support.databases import Database
from tests.support.isolation import assert_kept_apart
from tests.support.leftovers import attack_and_look
from tests.support.people import Person

CLIENTS = 16
ROUNDS = 6
OPTIONS = {"pool_size": CLIENTS, "connect_args": {"prepare_threshold": None}}

Backends = defaultdict[UUID | None, set[int]]
"""Which connections of the server each user had."""


@pytest.fixture
def engine(pooler: PgBouncer, database: Database, row_security: RowSecurity) -> Iterator[Engine]:
    """Yield an engine with a connection to PgBouncer for each client."""
    engine = create_engine(pooler.through(database.app_url), **OPTIONS)
    yield guard(engine, row_security)
    engine.dispose()


def act(session: Session, person: Person, round_: int) -> None:
    """Do what may leave something behind, in each round something else."""
    match round_ % 6:
        case 0:
            session.commit()
        case 1:
            session.rollback()
        case 2:
            session.add(Item(owner_id=person.id, title="new"))
            session.flush()
            session.rollback()
        case 3:
            with pytest.raises(DBAPIError, match="division by zero"):
                session.execute(text("SELECT 1/0"))
            session.rollback()
        case 4:
            session.begin_nested().rollback()
        case 5:
            session.close()


def visit(engine: Engine, person: Person, security: RowSecurity, backends: Backends) -> None:
    """Be one client that comes back several times."""
    for round_ in range(ROUNDS):
        with session_with(engine, person, security) as session:
            for _ in range(2):
                assert set(session.scalars(ITEM_IDS)) == set(person.items)
                backends[person.id].add(session.scalars(BACKEND).one())
                act(session, person, round_)


def visit_as_an_admin(
    engine: Engine, person: Person, security: RowSecurity, everything: set[UUID]
) -> None:
    for role in [Role.ADMIN, Role.READ_ONLY_ADMIN] * ROUNDS:
        with session_with(engine, person, security, role) as session:
            assert set(session.scalars(ITEM_IDS)) == everything
            session.commit()


def visit_as_nobody(engine: Engine, backends: Backends) -> None:
    for _ in range(ROUNDS):
        with engine.connect() as connection:
            assert tuple(connection.execute(WHO).one()) == NOBODY
            backends[None].add(connection.scalars(BACKEND).one())
            with pytest.raises(DBAPIError, match="row-level security"):
                connection.execute(ITEM_IDS)


def assert_shared(backends: Backends) -> None:
    """Assert that everybody was on the same few connections: else the test has shown nothing."""
    assert len(set[int]().union(*backends.values())) <= SERVER_CONNECTIONS
    assert len(set.intersection(*backends.values())) > 0


def test_threads_of_two_users_and_an_admin(
    engine: Engine, row_security: RowSecurity, alice: Person, bob: Person, admin: Person
) -> None:
    backends: Backends = defaultdict(set)
    everything = {*alice.items, *bob.items}
    with ThreadPoolExecutor(CLIENTS) as threads:
        visits = [
            threads.submit(visit, engine, (alice, bob)[number % 2], row_security, backends)
            for number in range(CLIENTS - 4)
        ]
        visits += [threads.submit(visit_as_nobody, engine, backends) for _ in range(2)]
        visits += [
            threads.submit(visit_as_an_admin, engine, admin, row_security, everything)
            for _ in range(2)
        ]
        for each in visits:
            each.result()
    assert_shared(backends)


async def test_tasks_of_two_users(
    pooler: PgBouncer,
    database: Database,
    row_security: RowSecurity,
    alice: Person,
    bob: Person,
) -> None:
    backends: Backends = defaultdict(set)
    engine = create_async_engine(pooler.through(database.app_url), **OPTIONS)
    guard(engine, row_security)

    async def visit(person: Person) -> None:
        for round_ in range(ROUNDS):
            async with AsyncSession(engine) as session:
                await hedgerow.bind_async(session, Identity(person.id), row_security)
                for _ in range(2):
                    assert set(await session.scalars(ITEM_IDS)) == set(person.items)
                    backends[person.id].add((await session.scalars(BACKEND)).one())
                    await session.run_sync(act, person, round_)

    await asyncio.gather(*(visit((alice, bob)[number % 2]) for number in range(CLIENTS)))
    await engine.dispose()
    assert_shared(backends)


async def test_the_next_transaction_begins_clean(
    pooler: PgBouncer, database: Database, row_security: RowSecurity, alice: Person, bob: Person
) -> None:
    """P56: also where one client's SELECT has left settings in the session that another gets."""
    url = pooler.through(database.app_url)
    theirs = create_engine(url, **OPTIONS)
    ours = guard(create_engine(url, **OPTIONS), row_security)
    asynchronous = guard(create_async_engine(url, **OPTIONS), row_security)

    def attack(engine: Engine) -> None:
        with (
            session_with(theirs, alice, row_security) as attacker,
            session_with(engine, bob, row_security) as next_user,
        ):
            attack_and_look(attacker, next_user, Session(engine), bob)

    attack(ours)
    async with asynchronous.connect() as connection:
        await connection.close()
        await connection.run_sync(lambda _: attack(asynchronous.sync_engine))
    await asynchronous.dispose()
    for engine in (theirs, ours):
        engine.dispose()


@pytest.mark.parametrize("row_security", [PLAIN], indirect=True, ids=["plain"])
def test_identities_set_by_hand(
    pooler: PgBouncer, database: Database, alice: Person, bob: Person
) -> None:
    """What psql can do without signing, in one transaction."""
    assert_kept_apart(pooler.through(database.app_url), alice, bob)
