"""`hedgerow lint`: check models and routes, without a database."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.allowed import allowlist_at
from hedgerow.cli.formats import OutputFormat
from hedgerow.config.project import load_application, load_project
from hedgerow.errors import ConfigurationError
from hedgerow.lint.model import Declarations, Route
from hedgerow.lint.report import as_json, as_text, lint
from hedgerow.policies.declarations import check_declarations


def command(
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Find models without row security and routes without an identity.

    Needs no database. Exits with 1 if it finds something.

    Examples:
      hedgerow lint
      hedgerow lint --format json
    """
    here = Path.cwd()
    allowlist = allowlist_at(here)
    project = load_project(here)
    check_declarations(project.metadata, ())  # the rule L101 finds the tables that say nothing
    report = lint(Declarations(project.metadata, _routes(here)), allowlist)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(report, here), indent=2))
    else:
        for line in as_text(report, here):
            typer.echo(line)
    raise typer.Exit(1 if report.found else 0)


def _routes(directory: Path) -> tuple[Route, ...] | None:
    application = load_application(directory)
    if application is None:
        return None
    try:
        from hedgerow.fastapi.routes import routes_of
    except ImportError:  # hedgerow itself works without
        raise ConfigurationError("The routes of an application need FastAPI installed.") from None
    return routes_of(application)
