"""`hedgerow why`: explain what row security does with one row."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.formats import OutputFormat
from hedgerow.config.project import load_project
from hedgerow.why import explain_for_user
from hedgerow.why.question import Command, Question, find_table, parse_key
from hedgerow.why.sentences import as_json, sentences

_HELP = """Say whether a user may see or change a row, and what decides it.

Looks as the owner, and changes nothing. Of the row it shows only the columns that policies name.

Examples:

  hedgerow why --user user@example.com --table item --id 0d6f7a52-3a0f-4a0e-9d43-8a4f5c1f2b6e

  hedgerow why --user user@example.com --table item --id 0d6f7a52-3a0f-4a0e-9d43-8a4f5c1f2b6e
  --command update

  hedgerow why --user user@example.com --table member --id team_id=7 --id user_id=9 --format json
"""


def register(commands: typer.Typer) -> None:
    """Add the command to the command line."""
    commands.command("why", help=_HELP)(_why)


def _why(
    user: Annotated[str, typer.Option("--user", help="Who asks, by e-mail.")],
    table: Annotated[str, typer.Option("--table", help="The table, as `name` or `schema.name`.")],
    key: Annotated[
        list[str],
        typer.Option(
            "--id", metavar="VALUE", help="The row's key; of several columns, column=value each."
        ),
    ],
    command: Annotated[
        Command, typer.Option("--command", help="What is to be done to the row.")
    ] = Command.SELECT,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="For people, or for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    project = load_project(Path.cwd())
    asked = find_table(project.metadata, table)
    explanation = explain_for_user(project, Question(asked, parse_key(asked, key), command), user)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(explanation), indent=2))
    else:
        for line in sentences(explanation):
            typer.echo(line)
