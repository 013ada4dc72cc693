"""`hedgerow erd`: draw the tables, and which are scoped."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.config.project import find_settings, load_project
from hedgerow.erd import page, read_diagram
from hedgerow.errors import ConfigurationError

_DEFAULT = "docs/database/erd.md"


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the page is up to date.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", help="Another file for the page.")
    ] = None,
) -> None:
    """Draw the tables, their relationships, and which are scoped.

    Writes a page of Markdown with a Mermaid diagram, from the mapped classes alone: it needs no
    database. The page is docs/database/erd.md, or the one that pyproject.toml names:

      [tool.hedgerow]
      erd = "docs/tables.md"

    With --check it writes nothing, and exits with 1 if the page is out of date.

    Examples:
      hedgerow erd
      hedgerow erd --check
      hedgerow erd --output /tmp/tables.md
    """
    here = Path.cwd()
    target = output or _configured(here)
    wanted = page(read_diagram(load_project(here).metadata))
    stands = target.read_text(encoding="utf-8") if target.is_file() else None
    shown = target.relative_to(here) if target.is_relative_to(here) else target
    if wanted == stands:
        typer.echo(f"{shown} is up to date.")
    elif check:
        state = "is out of date" if stands is not None else "does not exist"
        how = f" --output {output}" if output else ""
        raise ConfigurationError(f"{shown} {state}: run `hedgerow erd{how}`.")
    else:
        _write(target, wanted)
        typer.echo(f"Wrote {shown}.")


def _configured(directory: Path) -> Path:
    """Return the configured path of the page; raises ConfigurationError where it is not a path."""
    file, settings = find_settings(directory)
    name = settings.get("erd", _DEFAULT)
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{file}: erd = {name!r} is not a path of a file.")
    return file.parent / name


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {target}: {error.strerror}.") from error
