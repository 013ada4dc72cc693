"""The audit level of `scripts/bench`: the throughput of concurrent admins, with and without it."""

import os
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.orm import Session

import hedgerow
from benchmarks.machine import describe_machine
from benchmarks.medians import Ratio, Throughput, Turn, compare
from benchmarks.progress import tell
from benchmarks.server import (
    PROJECT,
    SETTINGS,
    autocommitting,
    create_database,
    private_server,
    run,
    upgrade,
)
from hedgerow import Audit, Identity, Role, RowSecurity

WITHOUT_AUDIT = "4f1c7d20a9b3"
"""The revision before the audit trail's."""

SERVER_SETTINGS = {**SETTINGS, "fsync": "on", "full_page_writes": "on"}
WAYS = {"without": (WITHOUT_AUDIT, RowSecurity()), "with": ("head", RowSecurity(audit=Audit()))}
ADMINS = 20
ROUNDS, QUICK_ROUNDS = 5, 2
SECONDS, QUICK_SECONDS = 2.0, 0.3
ADMIN = UUID(int=1)

METHOD = (
    "Threads of one process act as admins over and over, in transactions of their own: `read` reads"
    " the newest 20 items of all users as a read-only admin, `write` changes one item of another"
    " user. `without` is the same database before the migration that adds the trail. Both take"
    " turns, the first turn of each is thrown away, every result is checked, and a commit waits for"
    " the disk, as in production."
)

_FILL = (
    """INSERT INTO "user" (email, is_active, is_superuser, id, hashed_password, created_at)
    SELECT n || '@example.com', true, false, lpad(to_hex(n), 32, '0')::uuid, '', now()
    FROM generate_series(1, 100) n""",
    """INSERT INTO item (id, title, owner_id, created_at)
    SELECT gen_random_uuid(), 'item ' || n, lpad(to_hex(n % 100 + 1), 32, '0')::uuid,
        now() - n * interval '1 second'
    FROM generate_series(1, 10000) n""",
    "VACUUM ANALYZE",
)


@dataclass(frozen=True)
class Pace:
    """Each way's turn takes `seconds`, and there are `rounds` of them after one warm-up."""

    admins: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Measurement(Ratio):
    """One kind of work; the ratio is that of requests a second, with the trail to without."""

    work: str
    ways: Mapping[str, Throughput]


@dataclass(frozen=True)
class Place:
    """One way's database, as the application's role."""

    engine: Engine
    row_security: RowSecurity
    items: list[UUID]


def read(place: Place, turn: int) -> None:
    """Read the newest 20 items of all users."""
    with Session(place.engine) as session:
        identity = Identity(ADMIN, Role.READ_ONLY_ADMIN, "benchmark")
        hedgerow.bind(session, identity, place.row_security)
        newest = text("SELECT * FROM item ORDER BY created_at DESC LIMIT 20")
        assert len(session.execute(newest).all()) == 20


def write(place: Place, turn: int) -> None:
    """Change one item of another user."""
    with Session(place.engine) as session:
        hedgerow.bind(session, Identity(ADMIN, Role.ADMIN, "benchmark"), place.row_security)
        changed = session.execute(
            text("UPDATE item SET title = :title WHERE id = :id"),
            {"title": str(turn), "id": place.items[turn % len(place.items)]},
        )
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        session.commit()


Work = Callable[[Place, int], None]
WORKS: dict[str, Work] = {"read": read, "write": write}


@contextmanager
def prepared(server: URL, way: str, pace: Pace) -> Iterator[Place]:
    """Yield a migrated database with rows in it."""
    revision, row_security = WAYS[way]
    url = create_database(server, f"audit_{way}")
    environment = {**os.environ, "DATABASE_URL": url.render_as_string(hide_password=False)}
    upgrade(environment, str(PROJECT), revision)
    run(url, *_FILL)
    with autocommitting(url) as connection:
        items = list(connection.scalars(text("SELECT id FROM item ORDER BY id")))
    login = url.set(username="rls_app_user", password="changethis")  # noqa: S106
    engine = create_engine(login, pool_size=pace.admins)
    try:
        yield Place(engine, row_security, items)
    finally:
        engine.dispose()


def hammer(place: Place, work: Work, pace: Pace) -> Turn:
    """Return what all admins' threads finished in one turn."""
    ready, end = threading.Barrier(pace.admins), time.monotonic() + pace.seconds

    def act(turn: int) -> list[float]:
        times = []
        ready.wait()
        while (began := time.monotonic()) < end:
            work(place, turn)
            times.append((time.monotonic() - began) * 1000)
            turn += pace.admins  # each admin changes other items than the others
        return times

    with ThreadPoolExecutor(pace.admins) as threads:
        try:
            found = list(threads.map(act, range(pace.admins)))
        except BaseException:
            # Interrupted before all had started: those who have would wait for the others for ever.
            ready.abort()
            raise
    return Turn(pace.seconds, [taken for times in found for taken in times])


def measure_pace(pace: Pace) -> dict[str, Any]:
    """Measure both kinds of work on a server of their own."""
    began = time.monotonic()
    with private_server(SERVER_SETTINGS) as server:
        description = describe_machine(server, SERVER_SETTINGS)
        with (
            prepared(server, "without", pace) as without,
            prepared(server, "with", pace) as audited,
        ):
            places = {"without": without, "with": audited}
            measurements = [_measure(name, work, places, pace) for name, work in WORKS.items()]
    return {
        "level": "audit",
        **description,
        "method": METHOD,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "measurements": [asdict(one) for one in measurements],
    }


def _measure(name: str, work: Work, places: Mapping[str, Place], pace: Pace) -> Measurement:
    tell(f"{pace.admins} admins: {name}")
    turns: dict[str, list[Turn]] = {way: [] for way in places}
    for number in range(pace.rounds + 1):
        for way, place in places.items():
            turn = hammer(place, work, pace)
            if number:
                turns[way].append(turn)
    throughputs, ratio = compare(turns)
    return Measurement(**asdict(ratio), work=name, ways=throughputs)


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if arguments.quick else (ROUNDS, SECONDS)
    return measure_pace(Pace(ADMINS, arguments.rounds or rounds, seconds))
