"""Ctrl-C, and a server that goes away, while BEGIN and the identity are under way."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from hedgerow import guard
from tests.hedgerow.paths.support import (
    ITEM_IDS,
    NOBODY,
    WHO,
    async_pool_of_one,
    async_session_of,
    connection_of,
    visible,
)
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.proxy import Proxy
from tests.support.sessions import ROW_SECURITY, session_of

CUTS = range(0, 240, 8)
"""After how many bytes to cut the answer to BEGIN and the identity, which has some 200."""


@pytest.fixture
def engine(proxy: Proxy, database: Database) -> Iterator[Engine]:
    """Yield an engine whose one connection goes through the proxy."""
    engine = create_engine(
        proxy.through(database.app_url), pool_size=1, max_overflow=0, pool_timeout=5
    )
    yield guard(engine, ROW_SECURITY)
    engine.dispose()


class Interruption(KeyboardInterrupt):
    """What Ctrl-C raises, told apart from a person's."""


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Yield a function that interrupts the main thread, as Ctrl-C does."""

    def raise_interruption(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Interruption

    before = signal.signal(signal.SIGUSR1, raise_interruption)
    yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def use_session(engine: Engine, person: Person) -> None:
    with session_of(engine, person) as session:
        assert set(session.scalars(ITEM_IDS)) == set(person.items)


def use_connection(engine: Engine, person: Person) -> None:
    with connection_of(engine, person) as connection:
        assert set(connection.scalars(ITEM_IDS)) == set(person.items)


Work = Callable[[Engine, Person], None]
BOTH_WAYS = pytest.mark.parametrize("work", [use_session, use_connection])


@BOTH_WAYS
def test_ctrl_c_while_begin_is_under_way(
    work: Work,
    interrupt: Callable[[], None],
    proxy: Proxy,
    engine: Engine,
    alice: Person,
    bob: Person,
) -> None:
    """P11: psycopg may still wait for the answer; then a person presses it again."""
    work(engine, alice)
    over = threading.Event()

    def press_ctrl_c(asked: threading.Event) -> None:
        if asked.wait(10):
            interrupt()
            if not over.wait(0.5):
                interrupt()

    def work_and_tell() -> None:
        try:
            work(engine, bob)
        finally:
            over.set()

    with proxy.holding_answers() as asked:
        thread = threading.Thread(target=press_ctrl_c, args=(asked,))
        thread.start()
        with pytest.raises(Interruption):
            work_and_tell()
        thread.join()
    with engine.connect() as connection:
        assert tuple(connection.execute(WHO).one()) == NOBODY
    work(engine, alice)


@BOTH_WAYS
def test_a_server_that_goes_away_in_the_middle_of_an_answer(
    work: Work, proxy: Proxy, engine: Engine, alice: Person, bob: Person
) -> None:
    """Whatever it had answered by then, the connection is thrown away."""
    for cut in CUTS:
        work(engine, bob)
        proxy.cut_after(cut)
        with pytest.raises(DBAPIError) as caught:
            work(engine, alice)
        assert caught.value.connection_invalidated
        work(engine, alice)


async def test_a_server_that_goes_away_in_the_middle_of_an_answer_to_an_asynchronous_session(
    proxy: Proxy, database: Database, alice: Person, bob: Person
) -> None:
    async with async_pool_of_one(proxy.through(database.app_url)) as engine:
        for cut in CUTS:
            for person in (alice, bob):
                async with await async_session_of(engine, person) as session:
                    assert await visible(session) == set(person.items)
            proxy.cut_after(cut)
            async with await async_session_of(engine, alice) as session:
                with pytest.raises(DBAPIError) as caught:
                    await visible(session)
            assert caught.value.connection_invalidated
