"""Commands that are imported when they are invoked, so that none waits for what others import.

The module of a command defines a function `command`, whose docstring is the help. The first line of
it, which the help of the group shows, is read from the source without importing the module.
"""

import ast
import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class LazyCommand(TyperCommand):
    """The command that `module` defines; its name is the module's."""

    def __init__(self, module: str) -> None:
        super().__init__(name=_last_part(module))
        self._module = module

    def command(self) -> TyperCommand:
        """Import the module and return the real command, which has the options."""
        function = import_module(self._module).command
        commands = typer.Typer(add_completion=False, rich_markup_mode=None)
        commands.command(self.name, help=_unwrapped(function.__doc__))(function)
        return cast("TyperCommand", get_command(commands))

    def get_short_help_str(self, limit: int = 45) -> str:
        for node in _parse(self._module).body:
            if isinstance(node, ast.FunctionDef) and node.name == "command":
                return (ast.get_docstring(node) or "").partition("\n")[0]
        raise AttributeError(f"{self._module} has no function `command`.")

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse what was typed with the real command, which is also the one that runs then."""
        return self.command().make_context(*arguments, **options)


def group(package: str, *commands: TyperCommand | TyperGroup) -> TyperGroup:
    """Return the group of `commands`; the docstring of `package` is its help.

    Without Rich, which takes longer to import than the rest of a help.
    """
    return TyperGroup(
        name=_last_part(package),
        help=_unwrapped(ast.get_docstring(_parse(package))),
        commands=commands,
        no_args_is_help=True,
        rich_markup_mode=None,
    )


def _last_part(module: str) -> str:
    return module.rpartition(".")[2]


def _parse(module: str) -> ast.Module:
    """Parse the source of a module that need not be imported."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"There is no module {module}.")
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _unwrapped(docstring: str | None) -> str:
    r"""Return a docstring with `\b` above indented lines, whose breaks Typer then keeps."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(f"\b\n{each}" if "\n  " in each else each for each in paragraphs)
