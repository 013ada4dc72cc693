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
from hedgerow.connect import connect

_HELP = """Say whether the database keeps users apart, as the application role and as the owner.

Changes nothing. Exits with 1 where it finds an error, or cannot tell; with --strict, a warning too.
What is right as it is stands in pyproject.toml, with the reason:

  [tool.hedgerow]

  allow = [{check = "H112", subject = "sign_up(text)", reason = "checks the invitation itself"}]

Examples:

  hedgerow check

  hedgerow check --strict

  hedgerow check --format sarif > hedgerow.sarif
"""

# Comparing policies locks a table against writers: what is busy is not to wait for this.
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


def register(commands: typer.Typer) -> None:
    """Add the command to the command line."""
    commands.command("check", help=_HELP)(_check)


def _check(
    output: Annotated[
        ReportFormat, typer.Option("--format", help="For people, programs or code scanning.")
    ] = ReportFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
) -> None:
    here = Path.cwd()
    allowlist = allowlist_at(here)
    project = load_project(here)
    owner_url = project.owner_url()
    with (
        _connect(owner_url, "These name the owner of the tables.") as owner,
        _connect(
            project.application_url(),
            "If it is a new database or a changed password, run `alembic upgrade head`.",
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
def _connect(url: URL, fix: str) -> Iterator[Connection]:
    # A prepared statement would stay on a pooler's connection, which the next transaction leaves.
    is_psycopg = url.get_driver_name() == "psycopg"
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"prepare_threshold": None} if is_psycopg else {}
    )
    with connect(engine, fix) as connection:
        yield connection


def _show_progress(check: Check) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{check.number} {check.title} ...", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
