"""Let both variants take turns under every load, and sum up."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.http.client import Order, Outcome
from benchmarks.http.data import VARIANTS
from benchmarks.http.loads import Load
from benchmarks.http.servers import Client, Server
from benchmarks.medians import median_with_interval, percentile
from benchmarks.progress import tell

WITHOUT, WITH = VARIANTS


@dataclass(frozen=True)
class Pace:
    """Each variant's turn takes `seconds`, and there are `rounds` of them after one warm-up."""

    connections: Sequence[int]
    rounds: int
    seconds: float
    latencies_ms: Sequence[float]


@dataclass(frozen=True)
class Throughput:
    """One variant: requests a second (median of the rounds), milliseconds of all its requests."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Measurement:
    """One load. `ratio` is the median of the rounds' ratios of requests a second, with to without.

    `ratio_low` and `ratio_high` are its 95 % confidence interval, by the sign test.
    """

    load: str
    kind: str
    connections: int
    latency_ms: float
    variants: Mapping[str, Throughput]
    ratio: float
    ratio_low: float
    ratio_high: float


def measure_loads(
    servers: Mapping[str, Server],
    client: Client,
    loads: Sequence[Load],
    pace: Pace,
    latency_ms: float,
) -> list[Measurement]:
    """Return a measurement of each load at each number of connections."""
    found = []
    for connections in pace.connections:
        for load in loads:
            tell(f"{latency_ms:g} ms away, {connections} connections: {load.kind} {load.name}")
            outcomes = _take_turns(servers, client, load, connections, pace)
            found.append(_summed_up(outcomes, load, connections, latency_ms))
    return found


def _take_turns(
    servers: Mapping[str, Server], client: Client, load: Load, connections: int, pace: Pace
) -> dict[str, list[Outcome]]:
    outcomes: dict[str, list[Outcome]] = {variant: [] for variant in servers}
    for turn in range(pace.rounds + 1):
        order = list(servers) if turn % 2 else list(servers)[::-1]
        for variant in order:
            order_ = Order(servers[variant].port, load.requests, connections, pace.seconds)
            outcome = client.load(order_)
            if turn > 0:
                outcomes[variant].append(outcome)
    return outcomes


def _summed_up(
    outcomes: Mapping[str, Sequence[Outcome]], load: Load, connections: int, latency_ms: float
) -> Measurement:
    rates = {
        variant: [len(outcome.milliseconds) / outcome.seconds for outcome in mine]
        for variant, mine in outcomes.items()
    }
    pairs = zip(rates[WITH], rates[WITHOUT], strict=True)
    ratio, low, high = median_with_interval([mine / reference for mine, reference in pairs])
    return Measurement(
        load.name,
        load.kind,
        connections,
        latency_ms,
        {variant: _throughput(rates[variant], mine) for variant, mine in outcomes.items()},
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
    )


def _throughput(rates: Sequence[float], outcomes: Sequence[Outcome]) -> Throughput:
    taken = sorted(each for outcome in outcomes for each in outcome.milliseconds)
    return Throughput(
        requests=len(taken),
        requests_per_second=round(statistics.median(rates), 1),
        p50_ms=round(percentile(taken, 0.50), 3),
        p99_ms=round(percentile(taken, 0.99), 3),
    )
