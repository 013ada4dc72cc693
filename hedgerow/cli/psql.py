"""`hedgerow psql`: PostgreSQL's own client, as the application role."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from hedgerow.embedded import binary
from hedgerow.errors import DatabaseNotReadyError, IdentityError
from hedgerow.explain import explain_connection_failure
from hedgerow.identity import Identity
from hedgerow.project import Project, load_project

_HELP = """Open psql as the application role, optionally with a user's identity.

Examples:

  hedgerow psql

  hedgerow psql --as user@example.com

  hedgerow psql --as user@example.com -- -c 'SELECT title FROM item'
"""


def register(commands: typer.Typer) -> None:
    """Add the command to the command line."""
    commands.command("psql", help=_HELP)(_psql)


def _psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="What psql itself is given, after `--`.")
    ] = None,
    as_user: Annotated[
        str | None, typer.Option("--as", metavar="USER", help="Whose rows to see, by e-mail.")
    ] = None,
) -> None:
    project = load_project(Path.cwd())
    url = _direct_url(project)
    environment = {**os.environ, **_connection_variables(url)}
    if as_user is not None:
        environment["PGOPTIONS"] = _identity_options(project, _find_user(project, url, as_user))
    program = shutil.which("psql") or str(binary("psql"))
    # psql takes Ctrl-C itself, to cancel a query; this process only waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    client = subprocess.Popen(
        [program, *(arguments or [])],
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    sys.exit(client.wait())


def _direct_url(project: Project) -> URL:
    """Return the database's own address for the application role.

    A pooler would refuse the options that carry the identity, or keep them for the next client.
    """
    login = project.application_url()
    return project.owner_url().set(username=login.username, password=login.password)


def _connection_variables(url: URL) -> Mapping[str, str]:
    parts = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password else None,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {name: value for name, value in parts.items() if isinstance(value, str)}


def _find_user(project: Project, url: URL, name: str) -> Identity:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with Session(engine) as session:
            user_id = project.find_user(session, name)
    except OperationalError as error:
        cure = "If it is a new database, run `alembic upgrade head`."
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, cure)) from None
    except ProgrammingError as error:
        reason = str(error.orig).splitlines()[0]
        raise DatabaseNotReadyError(
            f"Cannot look up {name!r}: {reason}."
            " If the database is new, run `alembic upgrade head`."
        ) from None
    if user_id is None:
        raise IdentityError(f"There is no user {name!r}: give the address they sign in with.")
    return Identity(user_id)


def _identity_options(project: Project, identity: Identity) -> str:
    """Spell the identity as libpq's PGOPTIONS; a backslash escapes spaces and itself."""
    settings = project.row_security.settings_for(identity)
    return " ".join(
        "-c " + f"{name}={value}".replace("\\", "\\\\").replace(" ", "\\ ")
        for name, value in settings.items()
    )
