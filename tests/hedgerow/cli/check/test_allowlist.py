"""What a project allows, with its reasons."""

import json
from pathlib import Path

import pytest

from tests.hedgerow.cli.check.support import PROJECT_LINES, allow, check, entry
from tests.support.databases import Database


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
        (entry("H999", "everything"), "allow names 'H999', which is not a check"),
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
