"""`hedgerow psql`: PostgreSQL's own client, as the application role."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL

from hedgerow.cli.claims import claims_given
from hedgerow.config.identity import REASON_SETTING, Identity
from hedgerow.config.project import Project, load_project
from hedgerow.embedded import binary
from hedgerow.errors import ConfigurationError
from hedgerow.sessions.lookup import require_user


def command(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments for psql itself, after `--`.")
    ] = None,
    as_user: Annotated[
        str | None,
        typer.Option("--as", metavar="USER", help="The user to be, by e-mail."),
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="ID", help="The tenant to be narrowed to; with --as."),
    ] = None,
    claims: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE", help="A claim; repeatable; with --as."),
    ] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="Log in as the maintenance role.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for the audit trail; with --maintenance.")
    ] = None,
) -> None:
    """Open psql as the application role, a user or the maintenance role.

    It says as whom. The maintenance role sees the rows of all users. An audit trail records each of
    its changes, and from PostgreSQL 17 on also its login, with the reason.

    Examples:
      hedgerow psql
      hedgerow psql --as user@example.com
      hedgerow psql --as user@example.com --tenant 7 --claim location=3
      hedgerow psql --as user@example.com -- -c 'SELECT title FROM item'
      hedgerow psql --maintenance --reason 'merge two accounts, ticket 4711'
    """
    if maintenance and as_user is not None:
        raise typer.BadParameter("The maintenance role has no user: leave --as out.")
    if maintenance is not bool(reason):
        raise typer.BadParameter("--maintenance and --reason go together: give both.")
    if as_user is None and (tenant is not None or claims):
        raise typer.BadParameter("--tenant and --claim are a user's: give --as, too.")
    claimed = claims_given(claims)
    project = load_project(Path.cwd())
    url = _maintenance_url(project) if maintenance else project.direct_application_url()
    environment = {**os.environ, **_connection_variables(url)}
    if as_user is not None:
        identity = Identity(require_user(project, as_user), tenant_id=tenant, claims=claimed)
        environment["PGOPTIONS"] = _options(project.row_security.settings_for(identity))
        who = _described(identity)
    elif reason:
        environment["PGOPTIONS"] = _options({REASON_SETTING: reason})
        who = "the maintenance role"
    else:
        who = "nobody, who may read no scoped table: --as USER is somebody"
    typer.echo(f"hedgerow: psql as {who}", err=True)
    program = shutil.which("psql") or str(binary("psql"))
    # psql takes Ctrl-C itself, to cancel a query; this process only waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    client = subprocess.Popen(
        [program, *(arguments or [])],
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    sys.exit(client.wait())


def _described(identity: Identity) -> str:
    claims = ", ".join(f"{name}={value}" for name, value in identity.claims.items())
    return f"{identity}, claims {claims}" if claims else str(identity)


def _maintenance_url(project: Project) -> URL:
    if project.maintenance_url is None:
        raise ConfigurationError(
            "This project does not say how the maintenance role logs in: give its"
            " hedgerow.Project a maintenance_url."
        )
    return project.maintenance_url()


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


def _options(settings: Mapping[str, str]) -> str:
    """Spell settings as libpq's PGOPTIONS; a backslash escapes spaces and itself."""
    return " ".join(
        "-c " + re.sub(r"([\\\s])", r"\\\1", f"{name}={value}") for name, value in settings.items()
    )
