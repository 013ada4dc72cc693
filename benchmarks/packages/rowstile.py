"""rowstile: the policy that its own command drafts from the tables, and its SQLAlchemy sign-in."""

import subprocess
import sys
import tempfile

import rowstile.sqlalchemy

from benchmarks.database.variants import CannotRunError, Place, Runner, engine_for, sessions
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
    user = str(place.user)
    return sessions(rowstile.sqlalchemy.install(engine_for(place), user=lambda: user))
