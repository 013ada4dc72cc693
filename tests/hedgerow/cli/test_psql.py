"""`hedgerow psql`, as a person types it; psql itself is the real one."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.hedgerow.signing.support import PLAIN, SIGNED, SIGNING, demand
from tests.support.databases import Database, clone_template, drop
from tests.support.people import Person, add_person
from tests.support.programs import run_program

TITLES = ("-Atc", "SELECT title FROM item ORDER BY title")
SECRETS = {"plain": {}, "signed": {"RLS_CONTEXT_SECRET": SIGNING.secret}}


@pytest.fixture(scope="module", params=SECRETS)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def project_database(server: URL, mode: str) -> Iterator[Database]:
    database = clone_template(server)
    demand(database, SIGNED if mode == "signed" else PLAIN)
    yield database
    drop(database)


@pytest.fixture(scope="module")
def people(project_database: Database) -> tuple[Person, Person]:
    return add_person(project_database, "alice"), add_person(project_database, "bob")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project's folder without anybody's `.env`."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hedgerow]\nproject = "app.core.project:project"\n'
    )
    return tmp_path


def hedgerow(
    folder: Path, database: Database, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return run_program(
        "hedgerow",
        *arguments,
        folder=folder,
        environment=database.environment(**settings),
    )


def test_as_somebody_shows_what_they_see(
    mode: str, project_database: Database, people: tuple[Person, Person], folder: Path
) -> None:
    """As the application role, in each transaction of the session, changes included."""
    statements = (
        TITLES[1],
        "BEGIN; DELETE FROM item; ROLLBACK; BEGIN",
        "SELECT current_user, count(*) FROM item",
    )
    for name in ("alice", "bob"):
        result = hedgerow(
            folder,
            project_database,
            *("psql", "--as", f"{name.upper()}@example.com", "--", "-qAt"),
            *(part for statement in statements for part in ("-c", statement)),
            **SECRETS[mode],
        )
        lines = result.stdout.splitlines()
        assert lines == [f"{name}'s item 0", f"{name}'s item 1", "rls_app_user|2"], result.stderr
        assert result.returncode == 0


def test_in_a_tenant_with_claims_and_it_says_as_whom(
    mode: str, project_database: Database, people: tuple[Person, Person], folder: Path
) -> None:
    """Spaces, quotes, backslashes and other letters reach PostgreSQL as they were typed."""
    odd = ' a "b"=\\ü '
    result = hedgerow(
        folder,
        project_database,
        *("psql", "--as", people[0].email, "--tenant", odd, "--claim", f"at={odd}"),
        *("--", "-qAtc", "SELECT rls.tenant_id(), rls.claim('at'), count(*) FROM item"),
        **SECRETS[mode],
    )
    assert result.stdout == f"{odd}|{odd}|2\n", result.stderr
    who = f"hedgerow: psql as user {people[0].id} in tenant {odd}, claims at={odd}"
    assert result.stderr == f"{who}\n"


def test_another_user_by_hand(
    mode: str, project_database: Database, people: tuple[Person, Person], folder: Path
) -> None:
    """Plain identities are whoever one says; a signed one stays who it was signed for."""
    alice, bob = people
    result = hedgerow(
        folder,
        project_database,
        *("psql", "--as", alice.email, "--", "-qAt"),
        *("-c", f"SET app.user_id = '{bob.id}'", "-c", TITLES[1]),
        **SECRETS[mode],
    )
    if mode == "plain":
        assert result.stdout.splitlines() == ["bob's item 0", "bob's item 1"]
    else:
        assert result.stdout == ""
        assert result.returncode == 1
        assert "is not signed with a key of this database" in result.stderr


def test_a_psql_that_stays_open_is_to_be_opened_again(
    fresh_database: Database, folder: Path
) -> None:
    signing = replace(SIGNING, max_age=timedelta(milliseconds=200))
    demand(fresh_database, replace(SIGNED, signing=signing))
    alice = add_person(fresh_database, "alice")
    result = hedgerow(
        folder,
        fresh_database,
        *("psql", "--as", alice.email, "--", "-qAt", "-c", "SELECT pg_sleep(0.3)"),
        *("-c", TITLES[1]),
        RLS_CONTEXT_SECRET=SIGNING.secret,
    )
    assert result.returncode == 1
    assert "A psql session that was opened long ago must be opened again" in result.stderr


def test_without_a_user_it_is_nobody(database: Database, alice: Person, folder: Path) -> None:
    """And psql's own exit code comes through: 3 is its word for a script that stopped.

    There have to be rows: nobody is asked who may see those of an empty table.
    """
    script = folder / "items.sql"
    script.write_text(TITLES[1])
    result = hedgerow(folder, database, *("psql", "--", "-v", "ON_ERROR_STOP=1", "-f", str(script)))
    assert result.returncode == 3
    assert "this transaction carries no identity" in result.stderr


def test_it_goes_round_the_pooler(database: Database, alice: Person, folder: Path) -> None:
    """P11: a pooler in transaction mode has no place for a session's identity."""
    result = hedgerow(
        folder,
        database,
        *("psql", "--as", alice.email, "--", *TITLES),
        DATABASE_POOLER_URL="postgresql://nobody@127.0.0.1:1/nowhere",
    )
    assert result.stdout.splitlines() == ["alice's item 0", "alice's item 1"], result.stderr


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return the only line that the command printed as it failed."""
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("hedgerow: ")
    return line


def test_an_unknown_user(database: Database, folder: Path) -> None:
    line = one_line(hedgerow(folder, database, "psql", "--as", "nobody@example.com"))
    assert "There is no user 'nobody@example.com'" in line


def test_no_server(folder: Path) -> None:
    nowhere = Database(URL.create("postgresql+psycopg", "postgres", "x", "127.0.0.1", 1, "nowhere"))
    line = one_line(hedgerow(folder, nowhere, "psql", "--as", "alice@example.com"))
    assert "Cannot connect to PostgreSQL as 'rls_app_user' at 127.0.0.1:1/nowhere" in line
    assert "Check that the server runs there" in line


def test_no_database(database: Database, folder: Path) -> None:
    missing = Database(database.owner_url.set(database="there_is_none"))
    line = one_line(hedgerow(folder, missing, "psql", "--as", "alice@example.com"))
    assert '"there_is_none" does not exist' in line
    assert "run `alembic upgrade head`" in line


def test_no_tables(empty_database: Database, folder: Path) -> None:
    line = one_line(hedgerow(folder, empty_database, "psql", "--as", "alice@example.com"))
    assert "run `alembic upgrade head`" in line


def test_no_project(tmp_path: Path, database: Database) -> None:
    line = one_line(hedgerow(tmp_path, database, "psql"))
    assert "run this in a project" in line


def test_help_has_examples(folder: Path, database: Database) -> None:
    result = hedgerow(folder, database, "psql", "--help")
    assert result.returncode == 0
    assert "hedgerow psql --as user@example.com" in result.stdout
    assert "SELECT title FROM item" in result.stdout
