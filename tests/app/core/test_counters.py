"""Counts of attempts: of several processes together where there is a Redis, of each where not."""

import logging
from collections.abc import AsyncIterator

import limits
import pytest
from fakeredis import FakeServer
from fakeredis.aioredis import FakeAsyncRedisConnection
from redis.asyncio import ConnectionPool

from app.core import counters
from app.core.config import settings
from app.core.counters import Counters

TWICE = limits.parse("2 per hour")


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the settings name a Redis, with the real client; what answers it is in this process."""
    server = FakeServer()

    def from_url(url: str, **options: float) -> ConnectionPool:
        assert url == "redis://elsewhere/0"
        return ConnectionPool(connection_class=FakeAsyncRedisConnection, server=server)

    monkeypatch.setattr(ConnectionPool, "from_url", from_url)
    monkeypatch.setattr(settings, "REDIS_URL", "redis://elsewhere/0")


@pytest.fixture
async def processes() -> AsyncIterator[tuple[Counters, Counters]]:
    """Yield what two processes count with."""
    both = Counters(), Counters()
    yield both
    for one in both:
        await one.close()


async def test_processes_count_together_in_redis(
    redis: None, processes: tuple[Counters, Counters]
) -> None:
    one, other = processes
    assert [await one.add(TWICE, "guess"), await other.add(TWICE, "guess")] == [True, True]
    assert not await one.allows(TWICE, "guess")
    assert not await other.add(TWICE, "guess")
    assert 3500 < await other.seconds_left(TWICE, "guess") <= 3600
    for _ in range(2):
        await one.take_back(TWICE, "guess")
    assert await other.add(TWICE, "guess")
    await one.forget(TWICE, "guess")
    assert [await other.add(TWICE, "guess") for _ in range(3)] == [True, True, False]


async def test_without_redis_each_process_counts_for_itself(
    processes: tuple[Counters, Counters],
) -> None:
    one, other = processes
    assert [await one.add(TWICE, "guess") for _ in range(3)] == [True, True, False]
    await one.take_back(TWICE, "guess")
    await one.take_back(TWICE, "guess")
    assert await one.add(TWICE, "guess")
    assert await other.add(TWICE, "guess")


async def test_while_redis_is_away_the_process_counts_and_says_so_once(
    processes: tuple[Counters, Counters],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "redis://:secret@127.0.0.1:1/0")  # nobody listens
    lonely = Counters()
    with caplog.at_level(logging.ERROR, "app.core.counters"):
        assert [await lonely.add(TWICE, "guess") for _ in range(3)] == [True, True, False]
    await lonely.close()
    (record,) = caplog.records
    assert "Redis does not answer (ConnectionError)" in record.getMessage()
    assert "secret" not in caplog.text


async def test_the_counts_of_a_process_do_not_grow_without_end(
    processes: tuple[Counters, Counters],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(counters, "_LARGEST_MEMORY", 100)
    one, _ = processes
    assert [await one.add(TWICE, "account") for _ in range(3)] == [True, True, False]
    for number in range(250):
        assert await one.add(TWICE, str(number))
        assert len(one._storage.storage) <= 100
    assert [record.getMessage()[:10] for record in caplog.records] == ["100 counts"] * 4
    # Whoever fills the memory gets no further attempt at an account with it.
    assert not await one.add(TWICE, "account")
