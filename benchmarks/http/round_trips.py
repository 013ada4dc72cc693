"""Count the round trips to the database of one request, through a proxy between the two."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse

from benchmarks.http.loads import Load
from benchmarks.http.servers import Server, ServerError
from tests.support.proxy import Proxy

_WARM_UP = 8
"""psycopg prepares a statement the sixth time that it sees it."""
_COUNTED = 3


@dataclass(frozen=True)
class RoundTrips:
    """How often one request waits for the database."""

    load: str
    kind: str
    variant: str
    round_trips: int


def count_round_trips(
    server: Server, proxy: Proxy, variant: str, loads: Sequence[Load]
) -> list[RoundTrips]:
    """Send each kind of request alone, to a server that reaches its database through `proxy`."""
    return [
        RoundTrips(load.name, load.kind, variant, _count(server, proxy, load.requests))
        for load in loads
        if load.name != "mix"
    ]


def _count(server: Server, proxy: Proxy, requests: Sequence[str]) -> int:
    seen = []
    for number in range(_WARM_UP + _COUNTED):
        before = proxy.flights
        _send(server, requests[number % len(requests)])
        seen.append(proxy.flights - before)
    if len(set(seen[_WARM_UP:])) != 1:
        raise ServerError(f"The same request takes now more and now fewer round trips: {seen}")
    return seen[-1]


def _send(server: Server, request: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request.encode())
        with HTTPResponse(connection) as response:
            response.begin()
            response.read()
            if response.status != 200:
                raise ServerError(f"Status {response.status} for {request.splitlines()[0]}")
