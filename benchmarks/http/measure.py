"""Let both variants take turns under a load, and count round trips."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.http.client import Order, send_one
from benchmarks.http.data import VARIANTS
from benchmarks.http.loads import Load
from benchmarks.http.servers import Client, Server, ServerError
from benchmarks.medians import Ratio, Throughput, Turn, compare
from benchmarks.progress import tell
from tests.support.proxy import Proxy

WITHOUT, WITH = VARIANTS
_WARM_UP = 8
"""psycopg prepares a statement the sixth time that it sees it."""
_COUNTED = 3


@dataclass(frozen=True)
class Pace:
    """Each variant's turn takes `seconds`, and there are `rounds` of them after one warm-up."""

    connections: Sequence[int]
    rounds: int
    seconds: float
    latencies_ms: Sequence[float]


@dataclass(frozen=True)
class Measurement(Ratio):
    """One load; the ratio is that of requests a second, with row security to without."""

    load: str
    kind: str
    connections: int
    latency_ms: float
    variants: Mapping[str, Throughput]


@dataclass(frozen=True)
class RoundTrips:
    """How often one request waits for the database."""

    load: str
    kind: str
    variant: str
    round_trips: int


def measure_load(
    servers: Mapping[str, Server],
    client: Client,
    load: Load,
    connections: int,
    pace: Pace,
    latency_ms: float,
) -> Measurement:
    """Measure one load at one number of connections."""
    tell(f"{latency_ms:g} ms away, {connections} connections: {load.kind} {load.name}")
    turns: dict[str, list[Turn]] = {variant: [] for variant in servers}
    for number in range(pace.rounds + 1):
        for variant in list(servers) if number % 2 else list(servers)[::-1]:
            order = Order(servers[variant].port, load.requests, connections, pace.seconds)
            turn = client.load(order)
            if number > 0:
                turns[variant].append(turn)
    throughputs, ratio = compare(turns)
    return Measurement(
        **asdict(ratio),
        load=load.name,
        kind=load.kind,
        connections=connections,
        latency_ms=latency_ms,
        variants=throughputs,
    )


def count_round_trips(server: Server, proxy: Proxy, variant: str, load: Load) -> RoundTrips:
    """Send a load's requests one by one, to a server that reaches its database through `proxy`."""
    seen = []
    for number in range(_WARM_UP + _COUNTED):
        before = proxy.flights
        status = send_one(server.port, load.requests[number % len(load.requests)])
        if status != b"200":
            raise ServerError(f"Status {status.decode()} for {load.kind} {load.name}")
        seen.append(proxy.flights - before)
    if len(set(seen[_WARM_UP:])) != 1:
        raise ServerError(f"The same request takes now more and now fewer round trips: {seen}")
    return RoundTrips(load.name, load.kind, variant, seen[-1])
