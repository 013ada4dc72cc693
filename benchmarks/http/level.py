"""The HTTP level of `scripts/bench`."""

import tempfile
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from benchmarks.http.cores import separate_cores
from benchmarks.http.data import Data, environment, make_data
from benchmarks.http.goals import judge
from benchmarks.http.loads import check_answers, loads_of, sign_in_all
from benchmarks.http.measure import WITHOUT, Measurement, Pace, measure_loads
from benchmarks.http.round_trips import RoundTrips, count_round_trips
from benchmarks.http.servers import Client, await_answer, run_client, serve
from benchmarks.machine import describe_machine
from benchmarks.progress import tell
from benchmarks.server import SETTINGS, private_server
from tests.support.proxy import Proxy

ROWS, QUICK_ROWS = 1_000_000, 10_000
CONNECTIONS, QUICK_CONNECTIONS = (1, 8, 64), (1, 8)
ROUNDS, QUICK_ROUNDS = 8, 2
SECONDS, QUICK_SECONDS = 1.0, 0.2
LATENCIES_MS = (0.0, 1.0)

METHOD = (
    "The same application, with row security (identities signed) and with RLS_ENABLED=false, each"
    " served by uvicorn with one worker and ENVIRONMENT=production, from a database of its own with"
    " the same rows. The client is Hedgerow's own (benchmarks/http/client.py: asyncio, raw sockets,"
    " kept alive), in a process of its own: each connection sends its next request when the answer"
    " to the one before is complete, and an answer but 200 ends the run. Both variants take short"
    " turns, in an order that alternates; the first turn of each is thrown away. `ratio` is the"
    " median of the rounds' ratios of requests a second, with row security to without;"
    " `ratio_low` and `ratio_high` are its 95 % confidence interval. Readers own 100 items each;"
    " those who create own what they create, so that no list grows. Rows and owners in the answers"
    " are checked before and after, in what is not timed. Round trips are counted in a run of their"
    " own, through a proxy. With latency, a proxy in the process that directs the run delivers each"
    " message half of it later, in both directions; it takes computing time from client and"
    " database, the same in both variants. Where the system can do that, the application has a core"
    " of its own (`cores`); client, proxy and database share the others."
)


def add_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "the HTTP level", "It takes the largest of --rows, and --rounds, as well."
    )
    group.add_argument(
        "--connections",
        type=int,
        nargs="+",
        metavar="N",
        help=f"how many at the same time (default: {CONNECTIONS})",
    )
    group.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help=f"how long a variant's turn takes (default: {SECONDS:g})",
    )
    group.add_argument(
        "--latency",
        type=float,
        nargs="+",
        metavar="MS",
        help="how far away the database is, there and back; 0 goes without a proxy, and counts no"
        f" round trips (default: {LATENCIES_MS})",
    )


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    quick = arguments.quick
    rows = max(arguments.rows or [QUICK_ROWS if quick else ROWS])
    return measure_pace(
        rows,
        Pace(
            arguments.connections or (QUICK_CONNECTIONS if quick else CONNECTIONS),
            arguments.rounds or (QUICK_ROUNDS if quick else ROUNDS),
            arguments.seconds or (QUICK_SECONDS if quick else SECONDS),
            arguments.latency or LATENCIES_MS,
        ),
    )


@dataclass(frozen=True)
class _Place:
    """What is served, from which directory, and on which core."""

    data: Data
    directory: str
    core: int | None


def measure_pace(rows: int, pace: Pace) -> dict[str, Any]:
    """Measure with `rows` items in the table."""
    began = time.monotonic()
    with (
        separate_cores() as cores,
        tempfile.TemporaryDirectory(prefix="hedgerow-benchmark-") as directory,
        private_server() as database,
    ):
        description = describe_machine(database, SETTINGS)
        tell(f"{rows:,} rows: making them, twice")
        data = make_data(database, directory, rows)
        found = _Found()
        with run_client() as client:
            place = _Place(data, directory, cores.application)
            for latency_ms in pace.latencies_ms:
                _measure_at(latency_ms, place, client, pace, found)
    return {
        "level": "http",
        **description,
        "versions": description["versions"] | {"uvicorn": version("uvicorn")},
        "method": METHOD,
        "client": "Hedgerow's own",
        "cores": asdict(cores),
        "rows": data.rows,
        "rows_checked": found.right,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "goals": [asdict(goal) for goal in judge(found.measurements, found.trips)],
        "round_trips": [asdict(one) for one in found.trips],
        "measurements": [asdict(one) for one in found.measurements],
    }


@dataclass
class _Found:
    """What one run after the other comes to; `right` counts the rows that were checked."""

    measurements: list[Measurement] = field(default_factory=list)
    trips: list[RoundTrips] = field(default_factory=list)
    right: int = 0


def _measure_at(
    latency_ms: float, place: _Place, client: Client, pace: Pace, found: _Found
) -> None:
    """Measure with the database so far away; without a latency no proxy is in between."""
    with ExitStack() as stack:
        urls, proxies = dict(place.data.urls), {}
        if latency_ms:
            for variant, url in place.data.urls.items():
                proxy = stack.enter_context(Proxy(url, delay=latency_ms / 2000))
                proxies[variant], urls[variant] = proxy, proxy.through(url)
        tell(f"{latency_ms:g} ms away: starting the application, twice")
        servers = {
            variant: stack.enter_context(
                serve(environment(variant, url), place.directory, place.core)
            )
            for variant, url in urls.items()
        }
        for server in servers.values():
            await_answer(server)
        tokens = sign_in_all(servers[WITHOUT], place.data)
        loads = loads_of(place.data, tokens)
        for variant, proxy in proxies.items():
            found.trips += count_round_trips(servers[variant], proxy, variant, loads)
        found.right += sum(check_answers(each, place.data, tokens) for each in servers.values())
        found.measurements += measure_loads(servers, client, loads, pace, latency_ms)
        found.right += sum(check_answers(each, place.data, tokens) for each in servers.values())


def summary(results: dict[str, Any]) -> str:
    """Return the goals as lines that a person reads."""
    lines = [
        f"{'met' if goal['met'] else 'MISSED':7}{'' if goal['clear'] else '~':2}"
        f"{goal['value']:<8}{'at most' if goal['at_most'] else 'at least'} {goal['limit']:<6}"
        f"{goal['goal']} ({goal['where']})"
        for goal in results["goals"]
    ]
    return "\n".join([*lines, "~ the interval holds the limit: another run may judge otherwise"])
