"""The engine's commands on a project that is not the template, and what that project needs."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import URL

from tests.second_app.support import HERE, Library
from tests.support.databases import create_empty, drop
from tests.support.deployments import drop_roles
from tests.support.raw import connect

pytestmark = pytest.mark.xdist_group("second_app")

IMPORTED = """
import sys
import library.declared, library.main
print(*sorted(name for name in sys.modules if name.partition(".")[0] in {"app", "sqlmodel"}))
"""


def test_nothing_of_the_template_is_imported(library: Library) -> None:
    """Nor is SQLModel."""
    assert library.run("python", "-W", "error", "-c", IMPORTED).strip() == ""
    for file in HERE.glob("[lm]i*/**/*.py"):
        assert "from app" not in file.read_text(encoding="utf-8")


def test_the_database_is_safe(library: Library) -> None:
    """H120 and H127 are about the server's version alone."""
    report = json.loads(library.run("hedgerow", "check", "--format", "json"))
    assert {check["number"] for check in report["checks"] if check["findings"]} <= {"H120", "H127"}
    assert [check for check in report["checks"] if check["undetermined"]] == []


def test_the_models_and_the_database_agree(library: Library) -> None:
    assert "No new upgrade operations detected" in library.run("alembic", "check")


def test_lint_finds_nothing(library: Library) -> None:
    assert ": 3 tables and 5 routes, 0 findings" in library.run("hedgerow", "lint")


def test_the_diagram_is_up_to_date(library: Library) -> None:
    assert library.run("hedgerow", "erd", "--check") == "tables.md is up to date.\n"


@pytest.fixture
def unmigrated(server: URL) -> Iterator[Library]:
    """Yield a library whose database is empty."""
    library = Library(create_empty(server), f"library_{uuid4().hex[:10]}")
    yield library
    drop(library.database)
    drop_roles(server, library.roles)


def test_rows_that_were_there_before_are_kept_apart(unmigrated: Library) -> None:
    """And the way back leads to where the project came from."""
    unmigrated.run("alembic", "upgrade", "0001")
    ann, ben = (unmigrated.add_reader(name) for name in ("ann", "ben"))
    said = unmigrated.run("alembic", "upgrade", "head")
    assert "Running upgrade 0001 -> 0002" in said
    why = ("hedgerow", "why", "--user", "ann@example.com", "--table", "book", "--id")
    assert "Yes, as the user" in unmigrated.run(*why, str(ann.items[0]))
    assert "No, as the user" in unmigrated.run(*why, str(ben.items[0]))
    unmigrated.run("alembic", "downgrade", "0001")
    with connect(unmigrated.database.owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM book").fetchone() == (4,)
