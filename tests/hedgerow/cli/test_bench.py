"""`hedgerow bench`, as a person or a program runs it. No time is judged."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.hedgerow.bench.support import fill
from tests.support.databases import Database, clone_template, drop
from tests.support.programs import run_program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project's folder without anybody's `.env`."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hedgerow]\nproject = "app.core.project:project"\n'
    )
    return tmp_path


@pytest.fixture(scope="module")
def slow(server: URL) -> Iterator[Database]:
    """Yield a database whose items have no index on their owner."""
    database = clone_template(server)
    fill(database, "DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id")
    yield database
    drop(database)


def bench(
    folder: Path, database: Database, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return run_program(
        "hedgerow",
        "bench",
        *arguments,
        folder=folder,
        environment=database.environment(**settings),
    )


def test_a_person_reads_the_table_its_plans_and_the_fix(folder: Path, slow: Database) -> None:
    result = bench(folder, slow, "--rounds", "2", "--user", "7@example.com")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # progress is for a terminal
    lines = result.stdout.splitlines()
    assert lines[0].startswith("item: about 5,000 rows; user ")
    assert lines[0].endswith(" owns 50")
    assert lines[2].split()[0] == "count"
    assert lines[2].endswith("reads the whole table, identity asked once")
    assert lines[5].startswith("    Advice: No index of table 'item' leads with 'owner_id'")
    assert lines[6] == "        Fix: CREATE INDEX ix_item_owner_id ON item (owner_id);"
    assert lines[7] == "        H124: docs/reference/checks/H124.md"


def test_a_program_reads_json(folder: Path, slow: Database) -> None:
    result = bench(folder, slow, "--rounds", "2", "--timeout", "20", "--format", "json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["identity"], report["rounds"], report["timeout_seconds"]) == ("plain", 2, 20)
    assert [each["table"] for each in report["tables"]] == ["item", "user"]
    table = report["tables"][0]
    assert [each["operation"] for each in table["operations"]] == [
        "count",
        "first page",
        "get by id",
    ]
    assert table["operations"][0]["plan"]["access"] == "whole table"
    assert [advice["check"] for advice in table["advice"]] == ["H124"]


def test_what_is_wrong_is_one_line(folder: Path, empty_database: Database) -> None:
    result = bench(folder, empty_database)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"hedgerow: The database {empty_database.name!r} has none of the scoped tables: run"
        " `alembic upgrade head`.\n"
    )


def test_an_empty_table_is_a_line(folder: Path, fresh_database: Database) -> None:
    result = bench(folder, fresh_database)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == (
        "item: The table is empty: there is nothing to measure."
    )


def test_help_has_examples(folder: Path, slow: Database) -> None:
    result = bench(folder, slow, "--help")
    assert result.returncode == 0
    assert "hedgerow bench --timeout 0.5 --format json" in result.stdout
