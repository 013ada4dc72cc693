"""The command `hedgerow`."""

import sys

import typer

from hedgerow.cli import audit, bench, check, erd, lint, psql, why
from hedgerow.errors import HedgerowError

_commands = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Row-level security for a FastAPI project: look at data as the application does.",
)
audit.register(_commands)
bench.register(_commands)
check.register(_commands)
erd.register(_commands)
lint.register(_commands)
psql.register(_commands)
why.register(_commands)


@_commands.callback()
def _root() -> None:
    """Keep `psql` a command of its own while there is only one."""


def app() -> None:
    """Run the command line; what is wrong is one line that names the fix, and exit code 1."""
    try:
        _commands()
    except HedgerowError as error:
        typer.echo(f"hedgerow: {error}", err=True)
        sys.exit(1)
