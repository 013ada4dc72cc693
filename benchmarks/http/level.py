"""The HTTP level of `scripts/bench`."""

import tempfile
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.goals import judge_requests
from benchmarks.http.data import Data, environment, make_data
from benchmarks.http.loads import check_answers, loads_of, sign_in_all
from benchmarks.http.measure import (
    WITHOUT,
    Measurement,
    Pace,
    RoundTrips,
    count_round_trips,
    measure_load,
)
from benchmarks.http.servers import Client, run_client, serve
from benchmarks.machine import describe_machine, held_to, usable_cores
from benchmarks.progress import tell
from benchmarks.server import SETTINGS, private_server
from tests.support.proxy import Proxy

ROWS, QUICK_ROWS = 1_000_000, 10_000
CONNECTIONS, QUICK_CONNECTIONS = (1, 8, 64), (1, 8)
ROUNDS, QUICK_ROUNDS = 8, 2
SECONDS, QUICK_SECONDS = 1.0, 0.2
LATENCIES_MS = (0.0, 1.0)

METHOD = (
    "The same application with row security (identities signed) and with RLS_ENABLED=false, each"
    " served by one worker of uvicorn with ENVIRONMENT=production, from a database of its own with"
    " the same rows. In the client, a process of its own, each connection sends its next request"
    " when the answer to the one before is complete; an answer other than 200 ends the run. Both"
    " variants take short turns; the first turn of each is thrown away. A ratio is the median of"
    " the rounds' ratios of requests a second, with row security to without. Rows and owners in the"
    " answers are checked before and after. Latency is made by a proxy, half of it in each"
    " direction. The application has a core of its own where the system allows it."
)


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    rounds = arguments.rounds
    if arguments.quick:
        quick = Pace(QUICK_CONNECTIONS, rounds or QUICK_ROUNDS, QUICK_SECONDS, LATENCIES_MS)
        return measure_pace(max(arguments.rows or [QUICK_ROWS]), quick)
    pace = Pace(CONNECTIONS, rounds or ROUNDS, SECONDS, LATENCIES_MS)
    return measure_pace(max(arguments.rows or [ROWS]), pace)


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
        description = describe_machine(database, SETTINGS)
        tell(f"{rows:,} rows: making them, twice")
        run = _Run(make_data(database, directory, rows), directory, core, pace)
        with run_client() as client:
            for latency_ms in pace.latencies_ms:
                run.measure_at(latency_ms, client)
    return {
        "level": "http",
        **description,
        "method": METHOD,
        "own_core": core is not None,
        "rows": run.data.rows,
        "rows_checked": run.right,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "goals": [asdict(goal) for goal in judge_requests(run.measurements, run.trips)],
        "round_trips": [asdict(one) for one in run.trips],
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
    trips: list[RoundTrips] = field(default_factory=list)
    right: int = 0

    def measure_at(self, latency_ms: float, client: Client) -> None:
        """Measure with the database so far away; without a latency no proxy is in between."""
        with ExitStack() as stack:
            urls, proxies = dict(self.data.urls), {}
            if latency_ms:
                for variant, url in self.data.urls.items():
                    proxy = stack.enter_context(Proxy(url, delay=latency_ms / 2000))
                    proxies[variant], urls[variant] = proxy, proxy.through(url)
            tell(f"{latency_ms:g} ms away: starting the application, twice")
            servers = {
                variant: stack.enter_context(
                    serve(environment(variant, url), self.directory, self.core)
                )
                for variant, url in urls.items()
            }
            for server in servers.values():
                server.await_answer()
            tokens = sign_in_all(servers[WITHOUT], self.data)
            loads = loads_of(self.data, tokens)
            self.trips += [
                count_round_trips(servers[variant], proxy, variant, load)
                for variant, proxy in proxies.items()
                for load in loads
                if load.name != "mix"
            ]
            self.right += sum(check_answers(each, self.data, tokens) for each in servers.values())
            self.measurements += [
                measure_load(servers, client, load, connections, self.pace, latency_ms)
                for connections in self.pace.connections
                for load in loads
            ]
            self.right += sum(check_answers(each, self.data, tokens) for each in servers.values())
