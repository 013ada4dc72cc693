"""`hedgerow check`, as a person or CI runs it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from hedgerow.checks import CHECKS
from tests.support.databases import Database, clone_template, drop
from tests.support.raw import connect

PROJECT_LINES = '[tool.hedgerow]\nproject = "app.core.project:project"\n'
VIEW = "CREATE VIEW everything AS SELECT * FROM item; GRANT SELECT ON everything TO rls_app_user"
SLOW = "DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id"


@pytest.fixture(scope="module")
def good(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    yield database
    drop(database)


@pytest.fixture(scope="module")
def faulty(server: URL) -> Iterator[Database]:
    """Yield a database with an error, a warning, and what cannot be determined without an index."""
    database = clone_template(server)
    with connect(database.owner_url) as owner:
        owner.execute(f"{VIEW}; {SLOW}")
        owner.commit()
    yield database
    drop(database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project's folder without anybody's `.env`."""
    (tmp_path / "pyproject.toml").write_text(PROJECT_LINES)
    return tmp_path


def allow(folder: Path, *entries: str) -> None:
    (folder / "pyproject.toml").write_text(f"{PROJECT_LINES}allow = [{', '.join(entries)}]\n")


def entry(check: str, subject: str, reason: str = "it is right") -> str:
    return f'{{check = "{check}", subject = "{subject}", reason = "{reason}"}}'


def check(
    folder: Path, database: Database, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return subprocess.run(
        [Path(sys.executable).parent / "hedgerow", "check", *arguments],
        cwd=folder,
        env=database.environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def findings(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON report's checks by number."""
    return {answer["number"]: answer for answer in json.loads(result.stdout)["checks"]}


def test_a_good_database_passes(folder: Path, good: Database) -> None:
    result = check(folder, good)
    assert result.returncode == 0, result.stdout
    assert result.stderr == ""  # progress is for a terminal
    assert f"{len(CHECKS)} checks: 0 errors," in result.stdout.splitlines()[-1]
    assert "error " not in result.stdout


def test_a_fault_says_what_it_is_and_what_mends_it(folder: Path, faulty: Database) -> None:
    result = check(folder, faulty)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    start = lines.index("error    H110 everything")
    assert lines[start + 1 : start + 4] == [
        "    View 'everything' reads 'item' with the rights of 'postgres': whoever reads it sees"
        " every user's rows.",
        "    Cure: ALTER VIEW public.everything SET (security_invoker = true);",
        "    View goes round policies: docs/reference/checks/H110.md",
    ]
    assert "warning  H124 item" in lines
    unknown = lines.index("unknown  H121 Owner's index unused")
    assert lines[unknown + 1] == (
        "    Could not determine: No index leads with the owner of item (H124)."
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


def test_json(folder: Path, faulty: Database) -> None:
    result = check(folder, faulty, "--format", "json")
    assert result.returncode == 1
    report = findings(result)
    assert list(report) == [c.number for c in CHECKS]
    (found,) = report["H110"]["findings"]
    assert (found["subject"], report["H110"]["level"]) == ("everything", "error")
    assert found["cure"] == "ALTER VIEW public.everything SET (security_invoker = true);"
    assert report["H110"]["page"] == "docs/reference/checks/H110.md"
    assert report["H121"]["undetermined"] == "No index leads with the owner of item (H124)."
    assert report["H101"]["findings"] == []


def test_sarif(folder: Path, faulty: Database) -> None:
    """The parts of SARIF 2.1.0 that code scanning reads."""
    allow(folder, entry("H124", "item", "the table stays small"), entry("H101", "nobody"))
    result = check(folder, faulty, "--format", "sarif")
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [c.number for c in CHECKS]
    results = {result["ruleId"]: result for result in run["results"]}
    for number, found in results.items():
        assert rules[found["ruleIndex"]]["id"] == number
        assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (results["H110"]["kind"], results["H110"]["level"]) == ("fail", "error")
    assert results["H110"]["suppressions"] == []
    assert results["H124"]["suppressions"][0]["justification"] == "the table stays small"
    assert (results["H121"]["kind"], results["H121"]["level"]) == ("open", "none")
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "H101 nobody" in notification["message"]["text"]


def test_what_is_allowed_is_listed_with_its_reason_and_does_not_fail(
    folder: Path, faulty: Database
) -> None:
    allow(folder, entry("H110", "everything", "shows what everybody may know"))
    result = check(folder, faulty)
    assert result.returncode == 0, result.stdout
    assert "allowed  H110 everything\n    shows what everybody may know\n" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("1 allowed.")


def test_an_entry_that_allows_nothing_any_more_is_reported(folder: Path, good: Database) -> None:
    allow(folder, entry("H110", "everything", "was a report"))
    result = check(folder, good)
    assert result.returncode == 0
    assert "The allowlist's entry allows nothing any more (was a report)." in result.stdout
    assert "1 unused entry" in result.stdout.splitlines()[-1]
    assert check(folder, good, "--strict").returncode == 1
    report = json.loads(check(folder, good, "--format", "json").stdout)
    assert report["unused_allowlist_entries"] == [
        {"check": "H110", "subject": "everything", "reason": "was a report"}
    ]


def test_an_entry_of_a_check_that_could_not_tell_is_not_reported(
    folder: Path, faulty: Database
) -> None:
    allow(folder, entry("H121", "item SELECT"), entry("H110", "everything"))
    assert "allows nothing any more" not in check(folder, faulty).stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{check = "H110", subject = "everything"}', "needs check, subject and reason"),
        (entry("H110", "everything", " "), "has an empty value"),
        (entry("H999", "everything"), "allow names 'H999', which is no check"),
    ],
)
def test_an_entry_that_cannot_be_meant(line: str, said: str, folder: Path, good: Database) -> None:
    allow(folder, line)
    result = check(folder, good)
    assert result.returncode == 1
    assert result.stderr.startswith("hedgerow: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


def test_an_allowlist_that_is_no_list(folder: Path, good: Database) -> None:
    (folder / "pyproject.toml").write_text(f'{PROJECT_LINES}allow = "H110"\n')
    result = check(folder, good)
    assert result.returncode == 1
    assert "allow is a list such as" in result.stderr


def test_an_unknown_format_is_a_matter_of_usage(folder: Path, good: Database) -> None:
    assert check(folder, good, "--format", "xml").returncode == 2


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
