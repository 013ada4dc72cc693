"""What `scripts/dev` runs: the database, its migrations, the first users, then FastAPI's server."""

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

import hedgerow
from app import crud
from app.core.config import settings
from app.core.db import new_session, owner_url, shutdown, startup
from app.core.rls import row_security
from app.core.strength import DEFAULT_SECRET
from app.initial_data import create_sample_items
from hedgerow import ConfigurationError, HedgerowError, Identity

PROJECT = Path(__file__).resolve().parents[1]

# Not the whole project: an installation into .venv, or a test that is edited, restarts nothing.
_WATCHED = ("--reload-dir", "app", "--reload-dir", "hedgerow")


def main(arguments: Sequence[str]) -> int:
    """Prepare everything, serve until interrupted, and stop what was started."""
    try:
        try:
            require_free(_address(arguments))
            prepare()
            print(banner(arguments), flush=True)  # noqa: T201
            return serve(arguments)
        finally:
            shutdown()
    except (HedgerowError, CommandError, DBAPIError) as error:
        print(f"scripts/dev: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def prepare() -> None:
    """Migrate the database, and create sample items for both first users."""
    owner_url()
    command.upgrade(Config(PROJECT / "alembic.ini"), "head")
    startup()
    for email in (settings.FIRST_USER, settings.FIRST_SUPERUSER):
        with new_session() as session:
            owner = crud.get_user_by_email(session=session, email=email)
            if owner is not None:
                hedgerow.bind(session, Identity(owner.id), row_security)
                create_sample_items(session, owner)


def _address(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what FastAPI's command takes for host, port and root_path."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=os.environ.get("PORT", "8000"))
    parser.add_argument("--root-path", default="")
    return parser.parse_known_args(arguments)[0]


def require_free(given: argparse.Namespace) -> None:
    """Raise ConfigurationError where the server could not listen, before anything is prepared."""
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    try:
        socket.create_server((given.host, int(given.port)), family=family).close()
    except (OSError, ValueError, OverflowError) as error:
        number = getattr(error, "errno", None)
        why = os.strerror(number) if number else "a port is a number up to 65535"
        raise ConfigurationError(
            f"Nothing can listen on {given.host}:{given.port} ({why}): name another with --port."
        ) from None


def banner(arguments: Sequence[str]) -> str:
    """Say where the application answers and how to sign in."""
    given = _address(arguments)
    address = f"http://{given.host}:{given.port}{given.root_path}"
    return "\n".join(
        (
            "",
            f"  {settings.PROJECT_NAME}   {address}",
            *([f"  Try the API    {address}/docs"] if settings.API_DOCS_ENABLED else []),
            f"  Sign in        {settings.FIRST_USER} / {_password(settings.FIRST_USER_PASSWORD)}",
            f"  as the admin   {settings.FIRST_SUPERUSER}"
            f" / {_password(settings.FIRST_SUPERUSER_PASSWORD)}",
            "  Ctrl-C stops it; the data stays.",
            "",
        )
    )


def _password(value: str) -> str:
    """Show the default password only."""
    return value if value == DEFAULT_SECRET else "(the password you set)"


def serve(arguments: Sequence[str]) -> int:
    """Run FastAPI's own command, and forward each signal to it once.

    It runs in a session of its own: otherwise Ctrl-C in a terminal would reach it twice.
    """
    server: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if server is None:
            early.append(number)
        else:
            server.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    # Before the server starts: an exception in between would leave it behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    server = subprocess.Popen(
        [sys.executable, "-m", "fastapi", "dev", "app/main.py", *_WATCHED, *arguments],
        cwd=PROJECT,
        start_new_session=True,
    )
    for missed in early:
        forward(missed, None)
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
