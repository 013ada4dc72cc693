"""`hedgerow check`: is this database safe?"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL, Connection, NullPool, create_engine, text

from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.reports import as_json, plain, sarif
from hedgerow.checks.runner import run
from hedgerow.cli.allowed import allowlist_at
from hedgerow.config.project import load_project
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import connect
from hedgerow.sessions.guard import guard

# Comparing policies locks a table against writers, who must not wait long for that.
_LOCK_TIMEOUT = text("SET lock_timeout = '3s'")


class ReportFormat(StrEnum):
    """Sentences for people, JSON for programs, or SARIF for code scanning."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


_WRITERS = {
    ReportFormat.TEXT: plain.write,
    ReportFormat.JSON: as_json.write,
    ReportFormat.SARIF: sarif.write,
}


def command(
    output: Annotated[
        ReportFormat,
        typer.Option("--format", help="For people, programs or code scanning."),
    ] = ReportFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> None:
    """Check that the database keeps users apart.

    Looks as the application role and as the owner, and changes nothing. Exits with 1 if it finds
    an error or cannot tell, and with --strict also if it finds a warning.
    A finding that is intended can be allowed in pyproject.toml, with the reason:

      [tool.hedgerow]
      allow = [{check = "H112", subject = "sign_up(text)", reason = "checks the invitation itself"}]

    Examples:
      hedgerow check
      hedgerow check --strict
      hedgerow check --format sarif > hedgerow.sarif
    """
    here = Path.cwd()
    allowlist = allowlist_at(here)
    project = load_project(here)
    owner_url = project.owner_url()
    with (
        _connect(owner_url, "These name the owner of the tables.") as owner,
        _connect(
            project.application_url(),
            "If it is a new database or a changed password, run `alembic upgrade head`.",
            project.row_security,
        ) as application,
    ):
        owner.execute(_LOCK_TIMEOUT)
        owner.commit()  # or a rollback would take the setting back
        inspection = Inspection(application, project.row_security, project.metadata, owner)
        report = run(CHECKS, inspection, allowlist=allowlist, progress=_show_progress)
    _clear_progress()
    typer.echo(_WRITERS[output](report))
    sys.exit(1 if report.fails(strict=strict) else 0)


@contextmanager
def _connect(url: URL, fix: str, guarded: RowSecurity | None = None) -> Iterator[Connection]:
    # A prepared statement would stay on a pooler's connection, which the next transaction leaves.
    is_psycopg = url.get_driver_name() == "psycopg"
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"prepare_threshold": None} if is_psycopg else {}
    )
    if guarded is not None and is_psycopg:
        guard(engine, guarded)  # a pooler may hand out a session in which a request left settings
    with connect(engine, fix) as connection:
        yield connection


def _show_progress(check: Check) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{check.number} {check.title} ...", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
