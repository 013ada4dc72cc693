"""`hedgerow audit prune`: remove the oldest entries of the audit trail."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from hedgerow.audit.retention import remove_older_than
from hedgerow.cli.audit.trail import connect_as_owner, load_audited_project
from hedgerow.cli.formats import OutputFormat
from hedgerow.cli.times import duration


def command(
    older_than: Annotated[
        timedelta,
        typer.Option(parser=duration, metavar="TIME", help="The age, such as 365d or 52w."),
    ],
    reason: Annotated[str, typer.Option(help="Why they are removed: the trail records it.")],
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Remove entries older than a given age.

    The trail records the removal. Verify it first: removed entries cannot be verified any more.

    Examples:
      hedgerow audit prune --older-than 365d --reason "kept for one year"
      hedgerow audit prune --older-than 52w --reason "kept for one year" --format json
    """
    with connect_as_owner(load_audited_project()) as connection:
        removal = remove_older_than(connection, older_than, reason=reason)
    if output is OutputFormat.JSON:
        removed = {"rows": removal.rows, "through": removal.through} if removal else {"rows": 0}
        typer.echo(json.dumps(removed))
    elif removal is None:
        typer.echo("No entry is that old: nothing was removed.")
    else:
        typer.echo(f"Removed {removal.rows} entries, up to position {removal.through}.")
