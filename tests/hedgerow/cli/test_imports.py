"""A command imports what it uses, and not what other commands use."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.hedgerow.lint.support import PYPROJECT, write_project
from tests.support.databases import PROJECT, clean_environment
from tests.support.processes import output_of

COMMANDS = (
    *("audit list", "audit prune", "audit verify"),
    *("bench", "check", "erd", "lint", "psql", "why"),
)
SCRIPT = """
import json, sys
from hedgerow.cli import app
try:
    app(sys.argv[1:])
finally:
    print()
    print(json.dumps(sorted(sys.modules)))
"""


def run(folder: Path, arguments: str) -> tuple[str, set[str]]:
    """Return what a command prints, and the names of the modules that are imported then."""
    output = output_of(
        [sys.executable, "-c", SCRIPT, *arguments.split()],
        folder=folder,
        environment=clean_environment(PYTHONDONTWRITEBYTECODE="1"),
    )
    printed, _, modules = output.rstrip("\n").rpartition("\n")
    return printed, set(json.loads(modules))


def test_the_help_of_a_group_imports_no_command(tmp_path: Path) -> None:
    for group in ("", "audit "):
        printed, modules = run(tmp_path, f"{group}--help")
        assert "Examples:\n    hedgerow " in printed
        loaded = {name for name in modules if name.startswith("hedgerow.")}
        assert loaded <= {
            "hedgerow.cli",
            "hedgerow.cli.audit",
            "hedgerow.cli.lazy",
            "hedgerow.errors",
        }
        assert not modules & {"sqlalchemy", "psycopg", "alembic", "fastapi", "rich"}


def test_the_help_lists_every_command_with_one_line(tmp_path: Path) -> None:
    listed = []
    for group in ("", "audit "):
        printed, _ = run(tmp_path, f"{group}--help")
        rows = re.findall(r"^  (\w+)  +\S.*[^.]\.$", printed.partition("Commands:\n")[2], re.M)
        listed += [f"{group}{name}" for name in rows]
    assert sorted(listed) == sorted([*COMMANDS, "audit"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_examples_and_imports_no_other(command: str, tmp_path: Path) -> None:
    printed, modules = run(tmp_path, f"{command} --help")
    assert f"Examples:\n    hedgerow {command}" in printed
    others = {f"hedgerow.cli.{each.replace(' ', '.')}" for each in COMMANDS if each != command}
    assert not modules & others
    assert not modules & {"app", "fastapi", "rich"}


def test_lint_imports_the_application_and_little_else() -> None:
    _, modules = run(PROJECT, "lint")
    assert "app.main" in modules
    unneeded = {"alembic", "hypothesis", "pytest", "rich", "uvicorn"}
    assert not modules & unneeded


def test_lint_imports_no_fastapi_where_no_application_is_named(tmp_path: Path) -> None:
    write_project(tmp_path)
    named = [line for line in PYPROJECT.splitlines() if not line.startswith("application")]
    (tmp_path / "pyproject.toml").write_text("\n".join(named))
    models = tmp_path / "shop" / "models.py"
    text = models.read_text().replace("from fastapi import APIRouter, Depends, FastAPI\n", "")
    models.write_text(text)
    _, modules = run(tmp_path, "lint")
    assert not modules & {"fastapi", "starlette"}
