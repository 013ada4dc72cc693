"""Writes those parts of pages that would be copies of the code; run by scripts/docs.

A part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`; the text around it is
written by hand. Names, signatures and defaults come from the source, the sentences from docstrings
and descriptions: what lacks one is an error. `python -m scripts._reference --check` writes nothing.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import griffe
from fastapi.params import Depends
from typer import Context
from typer.cli import get_docs_for_click
from typer.core import TyperCommand, TyperGroup

import app.api.deps
import benchmarks.page
from app.core.config import Settings
from hedgerow.cli import COMMANDS
from hedgerow.cli.lazy import LazyCommand
from hedgerow.migrations.operation import RowSecurityOp
from scripts import _rooms
from scripts._generated import one_line, table, with_parts

PROJECT = Path(__file__).resolve().parents[1]
REFERENCE = PROJECT / "docs" / "reference"


class UndocumentedError(Exception):
    """A public name has no docstring, or a setting or an option no description."""


def rewritten(page: str) -> str:
    """Return the text of a page with its generated parts as they should be."""
    return with_parts(page, PARTS)


def _settings() -> str:
    rows = [("setting", "default", "what it is")]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, []) else f"`{_written(field.default)}`"
        rows.append((f"`{name}`", default, _said(field.description, name)))
    return table(rows)


def _written(default: object) -> str:
    """Return a default as a line of `.env` has it."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default)


def _commands() -> str:
    parts = []
    for typed, command in _real_commands(COMMANDS, "hedgerow"):
        _said(command.help, typed)
        context = Context(command, info_name=typed)
        parts.append(get_docs_for_click(obj=command, ctx=context, indent=1, name=typed))
    text = "".join(parts).replace("\b\n", "").replace(_HELP, "")
    return _INDENTED.sub(_fenced, text).strip()


_HELP = "* `--help`: Show this message and exit.\n"
_INDENTED = re.compile(r"\n+((?:^  .+\n)+)", re.MULTILINE)
"""What a person types is indented in a command's help."""


def _fenced(indented: re.Match[str]) -> str:
    return f"\n\n```text\n{textwrap.dedent(indented[1])}```\n"


def _real_commands(group: TyperGroup, typed: str) -> Iterator[tuple[str, TyperCommand]]:
    """Yield each command, after what a person types."""
    for command in group.commands.values():
        name = f"{typed} {command.name}"
        if isinstance(command, LazyCommand):
            yield name, command.command()
        elif isinstance(command, TyperGroup):
            yield from _real_commands(command, name)


_SOURCE = griffe.load("hedgerow", search_paths=[PROJECT])
"""What stands in the source: what Python makes of annotations differs by version."""


def _names(package: str) -> str:
    return "\n\n".join(map(_name, (_SOURCE[one] for one in _exported(package))))


def _exported(package: str) -> list[str]:
    """Return the public names of a package, below `hedgerow`."""
    inner = package.removeprefix("hedgerow").removeprefix(".")
    return [
        ".".join(filter(None, (inner, name))) for name in sorted(import_module(package).__all__)
    ]


def _name(thing: Any) -> str:
    thing = thing.final_target if thing.is_alias else thing
    parts = [f"### `{thing.name}`", f"```text\n{_signature(thing)}\n```", _docstring(thing)]
    methods = [
        f"* `{_signature(one)}`: {one_line(_docstring(one))}"
        for one in thing.members.values()
        if one.has_docstring and not one.name.startswith("_")
    ]
    return "\n\n".join([*parts, "\n".join(methods)] if thing.is_class and methods else parts)


def _signature(thing: Any) -> str:
    if thing.is_function:
        return f"{'async ' if 'async' in thing.labels else ''}{thing.signature()}"
    if thing.is_class:
        fields = [_signature(one) for one in thing.attributes.values() if _is_field(one)]
        bases = f"({', '.join(map(str, thing.bases))})" if thing.bases else ""
        return "\n    ".join([f"class {thing.name}{bases}", *fields])
    if "property" in thing.labels:
        return str(thing.name)
    annotation = f": {thing.annotation}" if thing.annotation else ""
    return f"{thing.name}{annotation}" + (f" = {thing.value}" if thing.value is not None else "")


def _is_field(attribute: Any) -> bool:
    """Whether the class declares it: what `__init__` assigns is not a parameter."""
    declared = "class-attribute" in attribute.labels or attribute.value is None
    return declared and "property" not in attribute.labels and not attribute.name.startswith("_")


def _dependencies() -> str:
    rows = [("name", "gives", "from")]
    for name, value in vars(app.api.deps).items():
        # What gives nothing is no argument's type, and stands in a route's decorator.
        gives, *told = (None, value) if isinstance(value, Depends) else get_args(value) or [None]
        for depends in told:
            if isinstance(depends, Depends) and depends.dependency is not None:
                given = f"`{getattr(gives, '__name__', str(gives))}`" if gives else ""
                rows.append((f"`{name}`", given, _from(depends.dependency, name)))
    return table(rows)


def _from(dependency: Callable[..., Any], name: str) -> str:
    if not inspect.isfunction(dependency):  # FastAPI's own, such as the header's bearer
        return f"{type(dependency).__name__}"
    return one_line(_said(inspect.getdoc(dependency), name))


def _operations() -> str:
    calls = {
        operation.call: operation
        for operation in _subclasses(RowSecurityOp)
        if "call" in vars(operation) and operation.__module__.startswith("hedgerow.")
    }
    parts = []
    for name, operation in sorted(calls.items()):
        signature = str(inspect.Signature(operation.parameters())).replace("collections.abc.", "")
        module = operation.__module__.removeprefix("hedgerow.")
        # From the source: Alembic replaces the docstrings of its operations.
        said = _docstring(_SOURCE[f"{module}.{operation.__qualname__}"])
        parts.append(f"## `{name}`\n\n```text\nop.{name}{signature}\n```\n\n{said}")
    return "\n\n".join(parts)


def _subclasses(of: type[RowSecurityOp]) -> Iterator[type[RowSecurityOp]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _docstring(thing: Any) -> str:
    return _said(thing.docstring and thing.docstring.value, thing.path)


def _said(sentence: str | None, name: str) -> str:
    if not sentence or not sentence.strip():
        raise UndocumentedError(f"{name} has no docstring or description: write one.")
    return sentence


PARTS: dict[str, Callable[[], str]] = {
    "settings": _settings,
    "commands": _commands,
    **{
        package: partial(_names, package)
        for package in ("hedgerow", "hedgerow.fastapi", "hedgerow.embedded")
    },
    "app.api.deps": _dependencies,
    "operations": _operations,
    "rooms": _rooms.listing,
    "imports": _rooms.picture,
    **benchmarks.page.parts(benchmarks.page.read_results()),
}


def pages() -> dict[Path, str]:
    """Return the text of each page that has generated parts."""
    paths = [*PROJECT.glob("*.md"), *sorted((PROJECT / "docs").rglob("*.md"))]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    return {path: text for path, text in texts.items() if "<!-- generated: " in text}


def outdated() -> dict[Path, str]:
    """Return each page whose generated parts are not what they should be, with the right text."""
    found = pages()
    wanted = {page: rewritten(text) for page, text in found.items()}
    return {page: text for page, text in wanted.items() if text != found[page]}


def main(arguments: list[str]) -> int:
    wrong = outdated()
    for page, text in wrong.items():
        shown = page.relative_to(PROJECT)
        if "--check" in arguments:
            print(f"{shown} is out of date: run scripts/docs --write.", file=sys.stderr)
        else:
            page.write_text(text, encoding="utf-8", newline="\n")
            print(f"Wrote {shown}.")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
