"""The audit level of `scripts/bench`: the throughput of concurrent admins, with and without it."""

import os
import statistics
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.orm import Session

import hedgerow
from benchmarks.machine import PROJECT, describe_machine
from benchmarks.medians import median_with_interval, percentile
from benchmarks.progress import tell
from benchmarks.server import SETTINGS, create_database, private_server, run
from hedgerow import Audit, Identity, Role, RowSecurity

WITHOUT_AUDIT = "4f1c7d20a9b3"
"""The revision before the audit trail's."""

SERVER_SETTINGS = {**SETTINGS, "fsync": "on", "full_page_writes": "on"}
WAYS = {"without": (WITHOUT_AUDIT, RowSecurity()), "with": ("head", RowSecurity(audit=Audit()))}
ADMINS = 20
ROUNDS, QUICK_ROUNDS = 5, 2
SECONDS, QUICK_SECONDS = 2.0, 0.3
OWNERS, ITEMS = 100, 100
ADMIN = UUID(int=1)

METHOD = (
    "Each of `admins` threads of one process acts as an admin over and over, in transactions of its"
    " own: `read` reads the newest 20 items of all users as a read-only admin, `write` changes one"
    " item of somebody else's. `with` has the audit trail, `without` is the same database before"
    " that migration. Both take turns, the first turn of each is thrown away, every result is"
    " checked, and a commit waits for the disk, as in production. `ratio` is the median of the"
    " rounds' ratios of requests a second, with to without; `ratio_low` and `ratio_high` are its"
    " 95 % confidence interval."
)

_FILL = f"""
INSERT INTO "user" (email, is_active, is_superuser, id, hashed_password, created_at)
SELECT n || '@example.com', true, false, lpad(to_hex(n), 32, '0')::uuid, '', now()
FROM generate_series(1, {OWNERS}) n;
INSERT INTO item (id, title, owner_id, created_at)
SELECT gen_random_uuid(), 'item ' || n, lpad(to_hex(n % {OWNERS} + 1), 32, '0')::uuid,
    now() - n * interval '1 second'
FROM generate_series(1, {OWNERS * ITEMS}) n;
"""


@dataclass(frozen=True)
class Pace:
    """Each way's turn takes `seconds`, and there are `rounds` of them after one warm-up."""

    admins: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Throughput:
    """One way: requests a second (median of the rounds), milliseconds of all its requests."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Measurement:
    """One kind of work. `ratio` is of requests a second, with the audit trail to without."""

    work: str
    ways: Mapping[str, Throughput]
    ratio: float
    ratio_low: float
    ratio_high: float


def read(engine: Engine, row_security: RowSecurity, _: list[UUID], __: int) -> None:
    """Read the newest 20 items of all users."""
    with Session(engine) as session:
        identity = Identity(ADMIN, Role.READ_ONLY_ADMIN, "benchmark")
        hedgerow.bind(session, identity, row_security)
        newest = text("SELECT * FROM item ORDER BY created_at DESC LIMIT 20")
        assert len(session.execute(newest).all()) == 20


def write(engine: Engine, row_security: RowSecurity, items: list[UUID], turn: int) -> None:
    """Change one item, which belongs to somebody else."""
    with Session(engine) as session:
        hedgerow.bind(session, Identity(ADMIN, Role.ADMIN, "benchmark"), row_security)
        changed = session.execute(
            text("UPDATE item SET title = :title WHERE id = :id"),
            {"title": str(turn), "id": items[turn % len(items)]},
        )
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        session.commit()


Work = Callable[[Engine, RowSecurity, list[UUID], int], None]
WORKS: dict[str, Work] = {"read": read, "write": write}


def prepare(server: URL, way: str) -> URL:
    """Migrate a database by the real command, and fill it."""
    url = create_database(server, f"audit_{way}")
    environment = {**os.environ, "DATABASE_URL": url.render_as_string(hide_password=False)}
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", WAYS[way][0]],
        cwd=PROJECT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    run(url, *filter(str.strip, _FILL.split(";")), "VACUUM ANALYZE")
    return url


def hammer(engine: Engine, way: str, work: Work, items: list[UUID], pace: Pace) -> list[float]:
    """Return the times in seconds of all requests that the admins' threads finished."""
    ready, end = threading.Barrier(pace.admins), time.monotonic() + pace.seconds

    def act(turn: int) -> list[float]:
        times = []
        ready.wait()
        while (began := time.monotonic()) < end:
            work(engine, WAYS[way][1], items, turn)
            times.append(time.monotonic() - began)
            turn += pace.admins  # each admin changes other items than the others
        return times

    with ThreadPoolExecutor(pace.admins) as threads:
        try:
            return [taken for times in threads.map(act, range(pace.admins)) for taken in times]
        except BaseException:
            # Interrupted before all had started: those who have would wait for the others for ever.
            ready.abort()
            raise


def measure_pace(pace: Pace) -> dict[str, Any]:
    """Measure both kinds of work on a server of their own."""
    began = time.monotonic()
    with private_server(SERVER_SETTINGS) as server:
        description = describe_machine(server, SERVER_SETTINGS)
        measurements = _measure(server, pace)
    return {
        "level": "audit",
        **description,
        "method": METHOD,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "measurements": [asdict(one) for one in measurements],
    }


def _measure(server: URL, pace: Pace) -> list[Measurement]:
    engines, items = {}, {}
    for way in WAYS:
        url = prepare(server, way).set(username="rls_app_user", password="changethis")  # noqa: S106
        engines[way] = create_engine(url, pool_size=pace.admins)
        with create_engine(server.set(database=f"audit_{way}")).connect() as connection:
            items[way] = list(connection.scalars(text("SELECT id FROM item ORDER BY id")))
    found = []
    for name, work in WORKS.items():
        tell(f"{pace.admins} admins: {name}")
        turns: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for number in range(pace.rounds + 1):
            for way in WAYS:
                times = hammer(engines[way], way, work, items[way], pace)
                if number:
                    turns[way].append(times)
        found.append(_summed_up(name, turns, pace.seconds))
    for engine in engines.values():
        engine.dispose()
    return found


def _summed_up(
    work: str, turns: Mapping[str, Sequence[Sequence[float]]], seconds: float
) -> Measurement:
    counts = {way: [len(times) for times in mine] for way, mine in turns.items()}
    pairs = zip(counts["with"], counts["without"], strict=True)
    ratio, low, high = median_with_interval([mine / reference for mine, reference in pairs])
    ways = {}
    for way, mine in turns.items():
        taken = sorted(each for times in mine for each in times)
        ways[way] = Throughput(
            requests=len(taken),
            requests_per_second=round(statistics.median(counts[way]) / seconds, 1),
            p50_ms=round(percentile(taken, 0.50) * 1000, 2),
            p99_ms=round(percentile(taken, 0.99) * 1000, 2),
        )
    return Measurement(work, ways, ratio, low, high)


def add_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the audit level", "It takes --rounds and --seconds as well.")
    group.add_argument(
        "--admins",
        type=int,
        default=ADMINS,
        metavar="N",
        help=f"at the same time (default: {ADMINS})",
    )


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    quick = arguments.quick
    return measure_pace(
        Pace(
            arguments.admins,
            arguments.rounds or (QUICK_ROUNDS if quick else ROUNDS),
            arguments.seconds or (QUICK_SECONDS if quick else SECONDS),
        )
    )


def summary(results: dict[str, Any]) -> str:
    """Return the throughput as lines that a person reads."""
    return "\n".join(
        f"{one['work']:6}{way:8}{figures['requests_per_second']:7.0f}/s"
        f"  p50 {figures['p50_ms']:7.2f} ms  p99 {figures['p99_ms']:7.2f} ms"
        for one in results["measurements"]
        for way, figures in one["ways"].items()
    )
