"""rowstile: the policy that its own command drafts from the tables, and its SQLAlchemy sign-in."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import rowstile.sqlalchemy
from sqlalchemy.orm import Session

from benchmarks.database.variants import CannotRunError, Place, Runner, engine_for
from hedgerow import RoleNames

HOW = (
    "the policy that `rowstile init` drafts from the tables, as it is, brought in by `rowstile"
    " push`, with the audit triggers that it makes; rowstile.sqlalchemy.install(engine, user=...)"
)


def set_up(place: Place) -> None:
    with tempfile.TemporaryDirectory() as directory:
        tables = ("--schema", "public", "--users", "public.user", "--role", RoleNames.app)
        _run(directory, place, "init", *tables, "--out", "db")
        _run(directory, place, "push", "--development")


def _run(directory: str, place: Place, *arguments: str) -> None:
    address = place.owner_url.set(drivername="postgresql")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "rowstile", *arguments),
            *("--db", address.render_as_string(hide_password=False)),
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise CannotRunError(f"`rowstile {arguments[0]}` failed: {result.stderr.strip()[-300:]}")


def start(place: Place) -> Runner:
    engine = rowstile.sqlalchemy.install(engine_for(place), user=lambda: str(place.user))

    @contextmanager
    def transaction() -> Iterator[Session]:
        with Session(engine) as session, session.begin():
            yield session

    return Runner(transaction, engine)
