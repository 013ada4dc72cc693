"""`hedgerow audit`, as a person types it."""

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from tests.hedgerow.audit.support import (
    age,
    keep,
    put_back,
    tamper,
    write_history,
)
from tests.support.databases import Database, clone_template, drop
from tests.support.people import Person, add_person
from tests.support.programs import run_program

PROJECT = '[tool.hedgerow]\nproject = "app.core.project:project"\n'
WITHOUT = """
import sqlalchemy, hedgerow
from hedgerow import Project

def never(*_):
    raise AssertionError("it asked for a database")

project = Project(hedgerow.RowSecurity(), sqlalchemy.MetaData(), never, never, never)
"""


@pytest.fixture(scope="module")
def trail(server: URL) -> Iterator[tuple[Database, Person, Person]]:
    """Yield a database whose trail has eight entries, by its first person about the second."""
    database = clone_template(server)
    overseer = add_person(database, "overseer", items=0, superuser=True)
    owned = add_person(database, "carol")
    engine = database.engine(database.app_url)
    write_history(engine, overseer, owned)
    engine.dispose()
    keep(database)
    yield database, overseer, owned
    drop(database)


@pytest.fixture
def altered(trail: tuple[Database, Person, Person]) -> Iterator[Database]:
    """Yield the database for a test that alters the trail; it is put back."""
    database, _, _ = trail
    yield database
    put_back(database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def audit(folder: Path, database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program(
        "hedgerow",
        "audit",
        *arguments,
        folder=folder,
        environment=database.environment(),
    )


def positions(result: subprocess.CompletedProcess[str]) -> list[int]:
    assert result.returncode == 0, result.stderr
    return [json.loads(line)["position"] for line in result.stdout.splitlines()]


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("hedgerow: ")
    return line


def test_it_lists_newest_first_for_people(
    trail: tuple[Database, Person, Person], folder: Path
) -> None:
    database, overseer, _ = trail
    result = audit(folder, database, "list", "--since", "1h", "--user", "OVERSEER@example.com")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 8
    assert f"#1 elevation: read_only_admin {overseer.id} GET" in lines[-1]


def test_it_lists_what_filters_leave_for_programs(
    trail: tuple[Database, Person, Person], folder: Path
) -> None:
    database, overseer, owned = trail
    as_json = ("list", "--format", "json")
    changes = ("--event", "change", "--table", "item", "--user", str(overseer.id).upper())
    owned_by = ("--owner", owned.email)
    assert positions(audit(folder, database, *as_json, *changes, *owned_by)) == [7, 4]
    assert positions(audit(folder, database, *as_json, "--limit", "2")) == [8, 7]
    assert positions(audit(folder, database, *as_json, "--until", "2020-01-01")) == []


def test_it_lists_what_is_of_a_tenant(altered: Database, folder: Path) -> None:
    tamper(altered, "UPDATE rls.audit SET tenant = 'blue' WHERE position = 4")
    of_blue = audit(folder, altered, "list", "--tenant", "blue", "--format", "json")
    assert positions(of_blue) == [4]
    assert json.loads(of_blue.stdout)["tenant"] == "blue"


def test_it_verifies_and_prints_an_anchor(
    trail: tuple[Database, Person, Person], folder: Path
) -> None:
    database, _, _ = trail
    result = audit(folder, database, "verify")
    assert result.returncode == 0, result.stderr
    whole, anchor = result.stdout.splitlines()
    assert whole == "The audit trail is whole: 8 entries."
    noted = anchor.removeprefix("Anchor: ")
    assert noted.startswith("8:")
    again = audit(folder, database, "verify", "--anchor", noted, "--format", "json")
    assert json.loads(again.stdout) == {
        "entries": 8,
        "anchor": noted,
        "retentions": [],
        "faults": [],
    }
    other = audit(folder, database, "verify", "--anchor", f"8:{'ab' * 32}")
    assert other.returncode == 1
    assert other.stdout == "Position 8: not the entry that the anchor names; rewritten.\n"


def test_what_was_altered_is_an_exit_code(altered: Database, folder: Path) -> None:
    tamper(altered, "UPDATE rls.audit SET role = 'user' WHERE position = 2")
    result = audit(folder, altered, "verify")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("Position 2 (entry ")
    document = json.loads(audit(folder, altered, "verify", "--format", "json").stdout)
    assert document["anchor"] is None
    assert [fault["position"] for fault in document["faults"]] == [2]


def test_it_removes_what_is_old_and_verifies_with_what_is_left(
    altered: Database, folder: Path
) -> None:
    remove = ("prune", "--older-than", "1d", "--reason", "old\x1b[2J")
    none = audit(folder, altered, *remove)
    assert (none.returncode, none.stdout) == (0, "No entry is that old: nothing was removed.\n")
    age(altered, 2, days=2)
    with altered.as_owner() as owner:
        gone = owner.scalar(text("SELECT encode(hash, 'hex') FROM rls.audit WHERE position = 1"))
    removed = audit(folder, altered, *remove)
    assert (removed.returncode, removed.stdout) == (0, "Removed 2 entries, up to position 2.\n")
    with altered.as_owner() as owner:
        assert owner.scalar(text("SELECT min(position) FROM rls.audit")) == 3
        at = owner.scalars(text("SELECT at FROM rls.audit WHERE position = 9")).one()
    late = audit(folder, altered, "verify", "--anchor", f"1:{gone}")
    assert late.returncode == 1
    fault, retention = late.stdout.splitlines()
    assert fault.startswith("The anchor, position 1, was removed")
    assert retention == f"{at:%Y-%m-%d}: removed up to position 2 because: old\\x1b[2J"
    whole = audit(folder, altered, "verify", "--format", "json")
    assert whole.returncode == 0, whole.stderr
    document = json.loads(whole.stdout)
    assert document["entries"] == 7
    (said,) = document["retentions"]
    assert datetime.fromisoformat(said.pop("at")) == at
    assert said == {"position": 9, "through": 2, "rows": 2, "reason": "old\x1b[2J"}


def test_a_short_limit_is_one_line(database: Database, folder: Path) -> None:
    line = one_line(audit(folder, database, "prune", "--older-than", "2h", "--reason", "x"))
    assert "give 1d or more" in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("list", "--since", "yesterday"), "is not a time: write 2h or 7d"),
        (("prune", "--older-than", "365d"), "Missing option '--reason'"),
        (("prune", "--reason", "x"), "Missing option '--older-than'"),
        (("verify", "--user", "x"), "No such option"),
    ],
)
def test_a_command_that_cannot_be_meant(
    database: Database, folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = audit(folder, database, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr.splitlines()[-1]


def test_an_anchor_that_is_none(database: Database, folder: Path) -> None:
    assert "give POSITION:HASH" in one_line(audit(folder, database, "verify", "--anchor", "6"))


def test_an_unknown_user(database: Database, folder: Path) -> None:
    line = one_line(audit(folder, database, "list", "--user", "nobody@example.com"))
    assert "There is no user 'nobody@example.com'" in line


def test_a_database_that_is_not_migrated(empty_database: Database, folder: Path) -> None:
    assert "run `alembic upgrade head`" in one_line(audit(folder, empty_database, "list"))


def test_no_server(folder: Path) -> None:
    nowhere = Database(URL.create("postgresql+psycopg", "postgres", "x", "127.0.0.1", 1, "nowhere"))
    assert "Cannot connect to PostgreSQL" in one_line(audit(folder, nowhere, "list"))


def test_a_project_without_an_audit_trail(database: Database, tmp_path: Path) -> None:
    (tmp_path / "models_of_test.py").write_text(WITHOUT)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hedgerow]\nproject = "models_of_test:project"\n'
    )
    assert "has no audit trail" in one_line(audit(tmp_path, database, "list"))
