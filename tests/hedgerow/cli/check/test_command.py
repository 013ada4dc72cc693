"""`hedgerow check`, as a person or CI runs it."""

from pathlib import Path

from sqlalchemy import URL

from hedgerow.checks import CHECKS
from tests.hedgerow.cli.check.support import SLOW, check
from tests.support.databases import Database, clone_template, drop
from tests.support.raw import connect


def test_a_good_database_passes(folder: Path, good: Database) -> None:
    result = check(folder, good)
    assert result.returncode == 0, result.stdout
    assert result.stderr == ""  # progress is for a terminal
    assert f"{len(CHECKS)} checks: 0 errors," in result.stdout.splitlines()[-1]
    assert "error " not in result.stdout


def test_a_fault_says_what_it_is_and_what_fixes_it(folder: Path, faulty: Database) -> None:
    result = check(folder, faulty)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    start = lines.index("error    H110 everything")
    assert lines[start + 1 : start + 4] == [
        "    View 'everything' reads 'item' with the rights of 'postgres': each user who"
        " reads it sees every user's rows.",
        "    Fix: ALTER VIEW public.everything SET (security_invoker = true);",
        "    View bypasses RLS: docs/reference/checks/H110.md",
    ]
    assert "warning  H124 item" in lines
    unknown = lines.index("unknown  H121 Owner index unused")
    assert lines[unknown + 1] == (
        "    Could not determine: No index leads with item.owner_id (H124)."
    )
    assert lines[-1].startswith(f"{len(CHECKS)} checks: 1 error, ")
    assert "1 could not be determined, 0 allowed." in lines[-1]


def test_warnings_fail_only_when_strict(folder: Path, server: URL) -> None:
    database = clone_template(server)
    try:
        with connect(database.owner_url) as owner:
            owner.execute(SLOW)
            owner.commit()
        assert check(folder, database).returncode == 0
        assert check(folder, database, "--strict").returncode == 1
    finally:
        drop(database)


def test_another_secret_is_an_error(folder: Path, good: Database) -> None:
    result = check(folder, good, RLS_CONTEXT_SECRET="a secret that the database lacks")
    assert result.returncode == 1
    assert "error    H108 RLS_CONTEXT_SECRET" in result.stdout
    assert "a secret that the database lacks" not in result.stdout


def test_no_server(folder: Path) -> None:
    nowhere = Database(URL.create("postgresql+psycopg", "postgres", "x", "127.0.0.1", 1, "nowhere"))
    result = check(folder, nowhere)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Cannot connect to PostgreSQL as 'postgres' at 127.0.0.1:1/nowhere" in result.stderr


def test_a_password_that_is_not_the_roles(folder: Path, good: Database) -> None:
    result = check(folder, good, RLS_APP_PASSWORD="not-it")
    assert result.returncode == 1
    assert "Cannot connect to PostgreSQL as 'rls_app_user'" in result.stderr
    assert "alembic upgrade head" in result.stderr
    assert "not-it" not in result.stderr


def test_an_empty_database_is_no_pass(folder: Path, empty_database: Database) -> None:
    result = check(folder, empty_database)
    assert result.returncode == 1
    assert "Table 'item' is missing" in result.stdout


def test_help_has_examples(folder: Path, good: Database) -> None:
    result = check(folder, good, "--help")
    assert result.returncode == 0
    assert "hedgerow check --format sarif" in result.stdout
