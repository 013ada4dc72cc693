"""What an application imports of the engine is public: `hedgerow`, and four documented rooms."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import hedgerow
from tests.docs.support.following import PYTHON
from tests.docs.support.pages import Page, all_pages
from tests.support.databases import PROJECT

ROOMS = {"hedgerow.audit", "hedgerow.embedded", "hedgerow.fastapi", "hedgerow.migrations"}
PUBLIC = {"hedgerow", *ROOMS, *(f"hedgerow.{name}" for name in hedgerow.__all__)}


def private_imports(python: str) -> list[str]:
    """Return what the code imports of the engine although it is the engine's own."""
    return sorted(set(_imports_of_the_engine(python)) - PUBLIC)


def _imports_of_the_engine(python: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(python)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "hedgerow":
            names = [f"hedgerow.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
        yield from (name for name in names if name.partition(".")[0] == "hedgerow")


@pytest.mark.parametrize("folder", ["app", "tests/second_app"])
def test_an_application_imports_what_is_public(folder: str) -> None:
    found = {
        file.relative_to(PROJECT).as_posix(): private_imports(file.read_text(encoding="utf-8"))
        for file in sorted((PROJECT / folder).rglob("*.py"))
    }
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_a_page_imports_what_is_public(page: Page) -> None:
    found = [
        f"{page.name}:{block.line}: {name}"
        for block in page.blocks()
        if block.language in PYTHON
        for name in private_imports(textwrap.dedent(block.text))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("python", "found"),
    [
        ("import hedgerow\nfrom hedgerow import bind, Role\nimport hedgerow_of_mine", []),
        ("from hedgerow.fastapi import install\nimport hedgerow.audit", []),
        ("import hedgerow.sessions.bind", ["hedgerow.sessions.bind"]),
        ("def late():\n    from hedgerow.audit.trail import read", ["hedgerow.audit.trail"]),
        ("from hedgerow import sessions", ["hedgerow.sessions"]),
    ],
)
def test_a_private_import_is_found(python: str, found: list[str]) -> None:
    assert private_imports(python) == found


def test_the_engines_names_are_the_same_for_type_checkers_and_for_python() -> None:
    """Each stands twice in `hedgerow/__init__.py`: typed, and where it is found on first use."""
    assert hedgerow.__file__ is not None
    module = ast.parse(Path(hedgerow.__file__).read_text(encoding="utf-8"))
    (typed,) = (
        node
        for node in module.body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    )
    declared = {
        str(alias.asname): f"{node.module}.{alias.name}"
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert len(declared) == sum(len(getattr(node, "names", ())) for node in typed.body)
    lazy = {name: f"{home}.{name}" for name, home in hedgerow._HOMES.items()}
    assert declared == lazy
    assert hedgerow.__all__ == sorted(declared)
    for name in hedgerow.__all__:
        getattr(hedgerow, name)
