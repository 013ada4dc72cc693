"""`hedgerow why`: explain what row security does with one row."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.claims import claims_given
from hedgerow.cli.formats import OutputFormat
from hedgerow.config.project import load_project
from hedgerow.why import explain_for_user
from hedgerow.why.question import Command, Question, find_table, parse_key
from hedgerow.why.sentences import as_json, sentences


def command(
    user: Annotated[str, typer.Option("--user", help="The user, by e-mail.")],
    table: Annotated[str, typer.Option("--table", help="The table, as `name` or `schema.name`.")],
    key: Annotated[
        list[str],
        typer.Option(
            "--id", metavar="VALUE", help="The row's key; of several columns, column=value each."
        ),
    ],
    command: Annotated[
        Command, typer.Option("--command", help="What the user would do to the row.")
    ] = Command.SELECT,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="ID", help="The tenant that the request is narrowed to."),
    ] = None,
    claims: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE", help="A claim of the request; repeatable."),
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Explain whether a user may see or change a row.

    Names the policies that decide. Looks as the owner, and changes nothing. It shows only those
    columns of the row that policies use.

    Examples:
      hedgerow why --user user@example.com --table item --id 0d6f7a52-3a0f-4a0e-9d43-8a4f5c1f2b6e
      hedgerow why --user user@example.com --table invoice --id 7 --command update
      hedgerow why --user user@example.com --table member --id team_id=7 --id user_id=9
      hedgerow why --user user@example.com --tenant 7 --claim location=3 --table visit --id 1
    """
    project = load_project(Path.cwd())
    asked = find_table(project.metadata, table)
    explanation = explain_for_user(
        project,
        Question(asked, parse_key(asked, key), command),
        user,
        tenant_id=tenant,
        claims=claims_given(claims),
    )
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(explanation), indent=2))
    else:
        for line in sentences(explanation):
            typer.echo(line)
