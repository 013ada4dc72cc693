"""`hedgerow bench`: what the policies of a project's own tables cost."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.bench import Wish, measure, steps
from hedgerow.bench.connections import Limits
from hedgerow.bench.report import as_json, lines
from hedgerow.cli.formats import OutputFormat
from hedgerow.config.project import load_project

_HELP = """Measure each scoped table with its policies, beside the same with a WHERE by hand.

As a user with a typical number of rows: their count, first page and one row. Says how PostgreSQL
finds the rows, and what to do where that is slow. Changes nothing: every transaction is READ ONLY.

Examples:

  hedgerow bench

  hedgerow bench --user user@example.com --rounds 200

  hedgerow bench --timeout 0.5 --format json
"""


def register(commands: typer.Typer) -> None:
    """Add the command to the command line."""
    commands.command("bench", help=_HELP)(_bench)


def _bench(
    user: Annotated[
        str | None, typer.Option("--user", help="Whose rows, by e-mail; else a typical owner's.")
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="How often each statement runs in each way.")
    ] = 50,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.001, help="After how many seconds a statement is ended."),
    ] = 5.0,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="For people, or for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    project = load_project(Path.cwd())
    with _progress(steps(project)) as progress:
        report = measure(project, Wish(user, Limits(rounds, timeout)), progress)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(report), indent=2))
    else:
        for line in lines(report):
            typer.echo(line)


@contextmanager
def _progress(length: int) -> Iterator[Callable[[str, int], None]]:
    """Yield what draws a bar on stderr, where somebody sees it."""
    if not sys.stderr.isatty():
        yield lambda _, __: None
        return
    with typer.progressbar(
        length=length, label="Measuring", file=sys.stderr, item_show_func=lambda item: item
    ) as bar:

        def show(item: str, done: int) -> None:
            bar.current_item = item
            bar.update(done)
            bar.render_progress()

        yield show
