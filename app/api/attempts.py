"""Who guesses passwords, signs up or asks for e-mails in masses is told to wait: 429.

NIST SP 800-63B-4, section 3.2.2 and OWASP ASVS 4.0.3, 2.2.1: no more than 100 failures in an hour
for one account. And nobody's account is to be locked by what others do (CWE-645).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Final

import limits
from fastapi import Depends, HTTPException, status
from fastapi.requests import HTTPConnection

from app.core.config import settings
from app.core.counters import get_counters
from app.core.hashing import HashingBusyError
from app.core.security import pseudonym
from app.core.text import normalize_email

_REMEMBERED: Final = limits.parse("1 per 30 days")
"""How long an address is known to an account that has signed in from there."""

_rate = cache(limits.parse)

Limit = tuple[limits.RateLimitItem, tuple[str, ...]]
"""So many attempts in a time, and what is counted."""


@dataclass(frozen=True)
class Attempts:
    """The attempts of one client address, counted while they are made.

    Counting first leaves no gap in which many attempts at once would all be allowed. What tells
    nobody whether an account exists: names are counted as they are given.
    """

    address: str

    @asynccontextmanager
    async def password_of(self, name: str) -> AsyncIterator[None]:
        """Count an attempt at an account's password, and less again if the block ends well.

        A refusal in the block (HTTPException) is a wrong password. The counts of an account are
        of its client addresses each, and of all unknown ones together: strangers cannot keep
        anybody out at an address from which they have signed in before.
        Raises HTTPException 429 where there were too many.
        """
        account = _account(name)
        counted = [
            (_rate(settings.THROTTLE_ADDRESS), ("password", self.address)),
            (_rate(settings.THROTTLE_GUESSES), ("password", account, self.address)),
        ]
        if await get_counters().allows(_REMEMBERED, "known", account, self.address):
            counted.append((_rate(settings.THROTTLE_ACCOUNT), ("password", account)))
        async with _counted_if_refused(*counted):
            yield
        await self.recognize(name)

    @asynccontextmanager
    async def link(self) -> AsyncIterator[None]:
        """Count an attempt at a link from an e-mail, and less again if the block ends well.

        Raises HTTPException 429 where there were too many.
        """
        async with _counted_if_refused((_rate(settings.THROTTLE_ADDRESS), ("link", self.address))):
            yield

    async def recognize(self, name: str) -> None:
        """Remember that the client is the person of the account, and forget its failures."""
        account, counters = _account(name), get_counters()
        await counters.forget(_rate(settings.THROTTLE_GUESSES), "password", account, self.address)
        await counters.add(_REMEMBERED, "known", account, self.address)

    async def sign_up(self, email: str) -> None:
        """Count a sign-up; raises HTTPException 429 where there were too many."""
        await self._count_all("sign-up", email)

    async def recovery(self, email: str) -> None:
        """Count a request for an e-mail; raises HTTPException 429 where there were too many."""
        await self._count_all("recovery", email)

    async def invitation(self, email: str) -> None:
        """Count an invitation; raises HTTPException 429 where there were too many."""
        await self._count_all("invitation", email)

    async def _count_all(self, kind: str, email: str) -> None:
        await _count(
            (_rate(settings.THROTTLE_ADDRESS), (kind, self.address)),
            (_rate(settings.THROTTLE_EMAILS), (kind, _account(email))),
        )


@asynccontextmanager
async def _counted_if_refused(*counted: Limit) -> AsyncIterator[None]:
    await _count(*counted)
    try:
        yield
    except HashingBusyError:
        await _take_back(*counted)
        raise
    await _take_back(*counted)


async def _count(*counted: Limit) -> None:
    """Count an attempt at each limit, or at none where one of them refuses it."""
    counters = get_counters()
    for number, (rate, key) in enumerate(counted, 1):
        if not await counters.add(rate, *key):
            seconds = await counters.seconds_left(rate, *key)
            await _take_back(*counted[:number])
            raise HTTPException(
                status.HTTP_429_TOO_MANY_REQUESTS,
                detail="Too many attempts: try again later",
                headers={"Retry-After": str(seconds)},
            )


async def _take_back(*counted: Limit) -> None:
    for rate, key in counted:
        await get_counters().take_back(rate, *key)


def _account(name: str) -> str:
    # Whoever reads Redis, or this process's memory, finds no addresses.
    return pseudonym(normalize_email(name) or name)


def client_address(host: str | None) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 network of an IPv6 address.

    A person has a whole /64. Where the server is reached by a Unix socket, all are one client.
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


async def get_attempts(connection: HTTPConnection) -> Attempts:
    """Return the attempts of the client that asks.

    The address is the server's word: behind a proxy it has to be told which proxy to believe
    (`--forwarded-allow-ips`). The header X-Forwarded-For is anybody's word.
    """
    return Attempts(client_address(connection.client.host if connection.client else None))


AttemptsDep = Annotated[Attempts, Depends(get_attempts)]
