"""Counts of attempts in a time: in Redis where REDIS_URL is given, else in this process."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Final, TypeVar

from anyio.lowlevel import RunVar
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from app.core.config import settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LARGEST_MEMORY: Final = 10_000
"""How many counts this process keeps; the memory and the time to look for old ones are bounded."""

_REDIS_SECONDS: Final = 1.0
"""How long an answer of Redis may take."""

_PAUSE_SECONDS: Final = 10.0
"""How long Redis is left alone when it did not answer."""


class Counters:
    """The counts that the requests of one event loop make.

    While Redis does not answer, they are made in this process, and that is logged as an error: who
    guesses passwords then has as many attempts at each process, and nobody is kept from signing in.
    """

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._memory = FixedWindowRateLimiter(self._storage)
        self._redis: FixedWindowRateLimiter | None = None
        self._close: Callable[[], Awaitable[None]] | None = None
        self._leave_redis_until = 0.0
        if settings.REDIS_URL is not None:
            from redis.asyncio import ConnectionPool  # not needed without REDIS_URL

            pool = ConnectionPool.from_url(
                settings.REDIS_URL,
                socket_timeout=_REDIS_SECONDS,
                socket_connect_timeout=_REDIS_SECONDS,
            )
            storage = RedisStorage(
                "async+redis://",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix=f"{settings.PROJECT_NAME}:attempts",
                connection_pool=pool,  # type: ignore[arg-type]  # a pool is what it takes
            )
            self._redis = FixedWindowRateLimiter(storage)
            self._close = pool.aclose

    async def add(self, rate: RateLimitItem, *key: str) -> bool:
        """Count one attempt; return whether the rate allows it."""
        return await self._ask(lambda limiter: limiter.hit(rate, *key))

    async def take_back(self, rate: RateLimitItem, *key: str) -> None:
        """Count one attempt less."""
        await self._ask(lambda limiter: limiter.hit(rate, *key, cost=-1))

    async def allows(self, rate: RateLimitItem, *key: str) -> bool:
        """Return whether the rate would allow one attempt more, without counting it."""
        return await self._ask(lambda limiter: limiter.test(rate, *key))

    async def forget(self, rate: RateLimitItem, *key: str) -> None:
        """Count from zero again."""
        await self._ask(lambda limiter: limiter.clear(rate, *key))

    async def seconds_left(self, rate: RateLimitItem, *key: str) -> int:
        """Return after how many seconds the count begins from zero."""
        window = await self._ask(lambda limiter: limiter.get_window_stats(rate, *key))
        return max(1, ceil(window.reset_time - time.time()))

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._close is not None:
            await self._close()

    async def _ask(self, question: Callable[[FixedWindowRateLimiter], Awaitable[T]]) -> T:
        if self._redis is not None and time.monotonic() >= self._leave_redis_until:
            try:
                async with asyncio.timeout(_REDIS_SECONDS):
                    return await question(self._redis)
            except (StorageError, TimeoutError) as error:
                self._leave_redis_until = time.monotonic() + _PAUSE_SECONDS
                logger.error(
                    "Redis does not answer (%s): for %g s this process counts attempts by itself",
                    type(error.__cause__ or error).__name__,
                    _PAUSE_SECONDS,
                )
        if len(self._storage.storage) >= _LARGEST_MEMORY:
            logger.warning(
                "%d counts of attempts are too many for one process: the lower half is forgotten;"
                " REDIS_URL names a Redis that keeps more",
                _LARGEST_MEMORY,
            )
            await self._forget_lower_half()
        return await question(self._memory)

    async def _forget_lower_half(self) -> None:
        """Make room; who fills the memory is not to set an account's count back to zero with it.

        A new client address makes new counts at no cost, but none of them is as high as that of an
        account at its limit.
        """
        highest_first = self._storage.storage.most_common()
        for key, _ in highest_first[len(highest_first) // 2 :]:
            await self._storage.clear(key)


_counters: RunVar[Counters] = RunVar("counters of attempts")


def get_counters() -> Counters:
    """Return the counters of the running event loop."""
    if (counters := _counters.get(None)) is None:
        counters = Counters()
        _counters.set(counters)
    return counters


async def close_counters() -> None:
    """Close the connections of the running event loop's counters, if there are any."""
    if (counters := _counters.get(None)) is not None:
        await counters.close()
