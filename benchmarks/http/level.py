"""The HTTP level of `scripts/bench`: both variants take turns under each load."""

import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any

from benchmarks.http.client import Order
from benchmarks.http.data import Data, environment, make_data
from benchmarks.http.loads import Load, check_answers, loads_of
from benchmarks.http.servers import Client, Server, run_client, serve
from benchmarks.machine import describe_machine, held_to, tell, usable_cores
from benchmarks.medians import Ratio, Throughput, Turn, compare
from benchmarks.server import private_server
from tests.support.proxy import Proxy

ROWS, QUICK_ROWS = 1_000_000, 10_000


@dataclass(frozen=True)
class Pace:
    """Each variant's turn takes `seconds`, and there are `rounds` of them after one warm-up."""

    connections: Sequence[int]
    rounds: int
    seconds: float
    latencies_ms: Sequence[float] = (0.0, 1.0)


@dataclass(frozen=True)
class Measurement(Ratio):
    """One load; the ratio is that of requests a second, with row security to without."""

    load: str
    kind: str
    connections: int
    latency_ms: float
    variants: Mapping[str, Throughput]


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    quick = arguments.quick
    pace = Pace((1, 8), 2, 0.2) if quick else Pace((1, 8, 64), 8, 1.0)
    pace = replace(pace, rounds=arguments.rounds or pace.rounds)
    return measure_pace(max(arguments.rows or [QUICK_ROWS if quick else ROWS]), pace)


def measure_pace(rows: int, pace: Pace) -> dict[str, Any]:
    """Measure with `rows` items in the table."""
    began = time.monotonic()
    cores = usable_cores()
    core = max(cores) if len(cores) > 1 else None
    with (
        held_to(cores - {core}),
        tempfile.TemporaryDirectory(prefix="hedgerow-benchmark-") as directory,
        private_server() as database,
    ):
        description = describe_machine(database)
        tell(f"{rows:,} rows: making them, twice")
        run = _Run(make_data(database, directory, rows), directory, core, pace)
        with run_client() as client:
            for latency_ms in pace.latencies_ms:
                run.measure_at(latency_ms, client)
    return {
        "level": "http",
        **description,
        "own_core": core is not None,
        "rows": run.data.rows,
        "rows_checked": run.right,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "measurements": [asdict(one) for one in run.measurements],
    }


@dataclass
class _Run:
    """What is served, how, and what was found; `right` counts the rows that were checked."""

    data: Data
    directory: str
    core: int | None
    pace: Pace
    measurements: list[Measurement] = field(default_factory=list)
    right: int = 0

    def measure_at(self, latency_ms: float, client: Client) -> None:
        """Measure with the database so far away; without a latency no proxy is in between."""
        with ExitStack() as stack:
            tell(f"{latency_ms:g} ms away: starting the application, twice")
            servers = {}
            for variant, url in self.data.urls.items():
                if latency_ms:
                    proxy = stack.enter_context(Proxy(url, delay=latency_ms / 2000))
                    url = proxy.through(url)
                serving = serve(environment(variant, url), self.directory, self.core)
                servers[variant] = stack.enter_context(serving)
            for server in servers.values():
                server.await_answer()
            # Both variants share the key, so a token is good for both.
            people = (*self.data.readers, *self.data.writers)
            tokens = {person.email: servers["without"].sign_in(person) for person in people}
            loads = loads_of(self.data, tokens)
            self.right += sum(check_answers(each, self.data, tokens) for each in servers.values())
            for connections in self.pace.connections:
                for load in loads:
                    tell(f"{latency_ms:g} ms, {connections} connections: {load.kind} {load.name}")
                    turns = self._turns(servers, client, load, connections)
                    throughputs, ratio = compare(turns)
                    where = (load.name, load.kind, connections, latency_ms)
                    self.measurements.append(Measurement(*astuple(ratio), *where, throughputs))
            self.right += sum(check_answers(each, self.data, tokens) for each in servers.values())

    def _turns(
        self, servers: Mapping[str, Server], client: Client, load: Load, connections: int
    ) -> Mapping[str, Sequence[Turn]]:
        turns: dict[str, list[Turn]] = {variant: [] for variant in servers}
        for number in range(self.pace.rounds + 1):
            for variant in list(servers) if number % 2 else list(servers)[::-1]:
                port = servers[variant].port
                turn = client.load(Order(port, load.requests, connections, self.pace.seconds))
                if number > 0:
                    turns[variant].append(turn)
        return turns
