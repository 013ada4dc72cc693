"""Row-level security for a FastAPI project: check it, explain it, and look at data through it.

Examples:
  hedgerow check
  hedgerow psql --as user@example.com
  hedgerow why --help
"""

import sys
from collections.abc import Sequence

import typer

from hedgerow.cli.lazy import LazyCommand, group
from hedgerow.errors import HedgerowError

COMMANDS = group(
    "hedgerow.cli",
    group(
        "hedgerow.cli.audit",
        LazyCommand("hedgerow.cli.audit.list"),
        LazyCommand("hedgerow.cli.audit.prune"),
        LazyCommand("hedgerow.cli.audit.verify"),
    ),
    LazyCommand("hedgerow.cli.bench"),
    LazyCommand("hedgerow.cli.check"),
    LazyCommand("hedgerow.cli.erd"),
    LazyCommand("hedgerow.cli.lint"),
    LazyCommand("hedgerow.cli.psql"),
    LazyCommand("hedgerow.cli.why"),
)


def app(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, with `sys.argv` unless `arguments` are given, and exit.

    An error of Hedgerow's is one line that names the fix, and exit code 1.
    """
    try:
        COMMANDS(arguments, prog_name="hedgerow")
    except HedgerowError as error:
        typer.echo(f"hedgerow: {error}", err=True)
        sys.exit(1)
