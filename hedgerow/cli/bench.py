"""`hedgerow bench`: what the policies of a project's own tables cost."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.bench import Request, measure, steps
from hedgerow.bench.report import Limits, as_json, lines
from hedgerow.cli.formats import OutputFormat
from hedgerow.config.project import load_project


def command(
    user: Annotated[
        str | None,
        typer.Option("--user", help="The user, by e-mail. Without: a typical owner."),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="How often each statement is timed.")
    ] = 50,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.001, help="Seconds after which a statement is cancelled."),
    ] = 5.0,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Measure what the policies of your tables cost.

    Each scoped table is measured with its policies, and with a WHERE written by hand instead, as a
    user with a typical number of rows: the count, the first page and one row. Says how PostgreSQL
    finds the rows, and how to fix what is slow. Changes nothing: all transactions are READ ONLY.

    Examples:
      hedgerow bench
      hedgerow bench --user user@example.com --rounds 200
      hedgerow bench --timeout 0.5 --format json
    """
    project = load_project(Path.cwd())
    with _progress(steps(project)) as progress:
        report = measure(project, Request(user, Limits(rounds, timeout)), progress)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(report), indent=2))
    else:
        for line in lines(report):
            typer.echo(line)


@contextmanager
def _progress(length: int) -> Iterator[Callable[[str, int], None]]:
    """Yield the function that draws a bar on stderr, if that is a terminal."""
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
