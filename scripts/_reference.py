"""Writes those parts of docs/reference/ that would be copies of the code; run by scripts/docs.

A part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`; the text around it is
written by hand. Names, signatures and defaults come from the source, the sentences from docstrings
and descriptions: what lacks one is an error. `python -m scripts._reference --check` writes nothing.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args

from fastapi.params import Depends
from typer.core import TyperGroup
from typer.models import ArgumentInfo, OptionInfo

import app.api.deps
import hedgerow
import hedgerow.embedded
import hedgerow.fastapi
import hedgerow.migrations
from app.core.config import Settings
from hedgerow.cli import COMMANDS
from hedgerow.cli.lazy import LazyCommand
from hedgerow.migrations.operation import RowSecurityOp
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


def _commands_part() -> str:
    return "\n\n".join(
        _command(name, function) for name, function in _functions(COMMANDS, "hedgerow")
    )


def _functions(group: TyperGroup, typed: str) -> Iterator[tuple[str, Callable[..., None]]]:
    """Yield the function of each command, after the command as a person types it."""
    for command in group.commands.values():
        name = f"{typed} {command.name}"
        if isinstance(command, LazyCommand):
            yield name, command.function()
        elif isinstance(command, TyperGroup):
            yield from _functions(command, name)


def _command(name: str, function: Callable[..., None]) -> str:
    parts = [f"## `{name}`", _help(_docstring(function, name))]
    parameters = inspect.signature(function).parameters.values()
    rows = [row for parameter in parameters for row in _parameter(parameter, name)]
    head = ("argument", "default", "what it is")
    return "\n\n".join([*parts, table([head, *rows])] if rows else parts)


def _parameter(parameter: inspect.Parameter, command: str) -> Iterator[tuple[str, str, str]]:
    """Yield the row of a parameter, unless it is Typer's own context."""
    kind, *notes = get_args(parameter.annotation) or (parameter.annotation,)
    for note in notes:
        if not isinstance(note, OptionInfo | ArgumentInfo):
            continue
        said = _said(note.help, f"{command}: {parameter.name}")
        if inspect.isclass(kind) and issubclass(kind, Enum):
            said += f" One of {', '.join(f'`{choice.value}`' for choice in kind)}."
        if parameter.default is inspect.Parameter.empty:
            said += " Required."
        # In Annotated, Typer keeps the first spelling where the default would be.
        spellings = [note.default, *(note.param_decls or ())]
        written = [str(one) for one in spellings if str(one).startswith("-")]
        if isinstance(note, OptionInfo) and not written:
            written = [f"--{parameter.name.replace('_', '-')}"]
        spelling = ", ".join(f"`{one}`" for one in written)
        shown = parameter.default not in (None, False, inspect.Parameter.empty)
        default = getattr(parameter.default, "value", parameter.default)
        yield spelling or f"`{parameter.name}`", f"`{default}`" if shown else "", said


def _help(text: str) -> str:
    """Return a command's help as Markdown: its indented lines are what a person types."""
    return re.sub(r"\n+((?:^  .*\n?)+)", _code_block, text, flags=re.MULTILINE).rstrip("\n")


def _code_block(indented: re.Match[str]) -> str:
    return f"\n\n```text\n{inspect.cleandoc(indented[1])}\n```\n"


def _names(module: ModuleType) -> str:
    return "\n\n".join(_name(getattr(module, name), name) for name in sorted(module.__all__))


def _name(thing: Any, name: str) -> str:
    if isinstance(thing, UnionType):
        return _alias(name)
    signature = "\n".join(_signature(thing, name))
    parts = [f"### `{name}`", f"```text\n{signature}\n```", _docstring(thing, name)]
    if inspect.isclass(thing):
        parts += _methods(thing)
    return "\n\n".join(parts)


def _alias(name: str) -> str:
    """Return an alias of types, with the string below it, of which Python itself keeps nothing."""
    body = ast.parse(inspect.getsource(import_module(hedgerow._HOMES[name]))).body
    for line, below in pairwise(body):
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name:
            said = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else None
            return f"### `{name}`\n\n```text\n{ast.unparse(line)}\n```\n\n{_said(said, name)}"
    raise UndocumentedError(f"{name} is defined nowhere.")


def _signature(thing: Any, name: str) -> Iterator[str]:
    node = _node(thing)
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        yield f"class {name}({bases})" if bases else f"class {name}"
        yield from (
            f"    {ast.unparse(line)}"
            for line in node.body
            if isinstance(line, ast.AnnAssign | ast.Assign) and not _private(line)
        )
    else:
        yield _call(node, name)


def _call(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, skip: int = 0) -> str:
    """Return how a function is called, without its first `skip` parameters."""
    arguments = node.args
    arguments.args = arguments.args[skip:]
    keyword = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{keyword}{name}({ast.unparse(arguments)}){returned}"


def _methods(owner: type) -> Iterator[str]:
    """Yield a list of what the class itself offers, as far as its docstrings tell of it."""
    rows = []
    for name, member in vars(owner).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        node = _node(inspect.unwrap(function))
        call = name if isinstance(member, property) else _call(node, name, skip=1)
        rows.append(f"* `{call}`: {one_line(inspect.cleandoc(function.__doc__))}")
    if rows:
        yield "\n".join(rows)


def _private(line: ast.AnnAssign | ast.Assign) -> bool:
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    return any(ast.unparse(target).startswith("_") for target in targets)


def _node(thing: Any) -> Any:
    """Return the definition as it is written: what Python makes of annotations varies."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    return node


def _dependencies() -> str:
    rows = [("name", "gives", "from")]
    for name, value in vars(app.api.deps).items():
        for depends in get_args(value)[1:]:
            if isinstance(depends, Depends) and depends.dependency is not None:
                given = getattr(get_args(value)[0], "__name__", str(get_args(value)[0]))
                rows.append((f"`{name}`", f"`{given}`", _from(depends.dependency, name)))
    return table(rows)


def _from(dependency: Callable[..., Any], name: str) -> str:
    if not inspect.isfunction(dependency):  # FastAPI's own, such as the header's bearer
        return f"{type(dependency).__name__}"
    return one_line(_docstring(dependency, name))


def _operations() -> str:
    calls = {
        operation.call: operation
        for operation in _subclasses(RowSecurityOp)
        if "call" in vars(operation) and operation.__module__.startswith("hedgerow.")
    }
    parts = []
    for name, operation in sorted(calls.items()):
        signature = str(inspect.Signature(operation.parameters())).replace("collections.abc.", "")
        parts.append(
            f"## `{name}`\n\n```text\nop.{name}{signature}\n```\n\n{_docstring(operation, name)}"
        )
    return "\n\n".join(parts)


def _subclasses(of: type[RowSecurityOp]) -> Iterator[type[RowSecurityOp]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _docstring(thing: Any, name: str) -> str:
    """Return the docstring as it is written: Alembic replaces those of its operations."""
    return _said(ast.get_docstring(_node(thing)), name)


def _said(sentence: str | None, name: str) -> str:
    if not sentence or not sentence.strip():
        raise UndocumentedError(f"{name} has no docstring or description: write one.")
    return sentence


PARTS: dict[str, Callable[[], str]] = {
    "settings": _settings,
    "commands": _commands_part,
    "hedgerow": lambda: _names(hedgerow),
    "hedgerow.fastapi": lambda: _names(hedgerow.fastapi),
    "hedgerow.embedded": lambda: _names(hedgerow.embedded),
    "app.api.deps": _dependencies,
    "operations": _operations,
}


def outdated() -> dict[Path, str]:
    """Return each page whose generated parts are not what they should be, with the right text."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(REFERENCE.glob("*.md"))}
    wanted = {page: rewritten(text) for page, text in pages.items()}
    return {page: text for page, text in wanted.items() if text != pages[page]}


def main(arguments: list[str]) -> int:
    pages = outdated()
    for page, text in pages.items():
        shown = page.relative_to(PROJECT)
        if "--check" in arguments:
            print(f"{shown} is out of date: run scripts/docs --write.", file=sys.stderr)
        else:
            page.write_text(text, encoding="utf-8", newline="\n")
            print(f"Wrote {shown}.")
    return 1 if pages and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
