"""Reports for programs and for code scanning."""

import json
from pathlib import Path

from sqlalchemy import text

from hedgerow.checks import CHECKS
from tests.hedgerow.cli.check.support import allow, check, entry, findings
from tests.support.databases import Database


def test_json(folder: Path, faulty: Database) -> None:
    result = check(folder, faulty, "--format", "json")
    assert result.returncode == 1
    report = findings(result)
    assert list(report) == [c.number for c in CHECKS]
    (found,) = report["H110"]["findings"]
    assert (found["subject"], report["H110"]["level"]) == ("everything", "error")
    assert found["fix"] == "ALTER VIEW public.everything SET (security_invoker = true);"
    assert report["H110"]["page"] == "docs/reference/checks/H110.md"
    assert report["H121"]["undetermined"] == "No index leads with item.owner_id (H124)."
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


def test_a_finding_can_be_less_bad_than_its_check(folder: Path, fresh_database: Database) -> None:
    with fresh_database.as_owner() as owner:
        owner.execute(text(f"GRANT TEMPORARY ON DATABASE {fresh_database.name} TO PUBLIC"))
    result = check(folder, fresh_database, "--format", "json")
    assert result.returncode == 0
    answer = findings(result)["H130"]
    (found,) = answer["findings"]
    assert (answer["level"], found["level"]) == ("error", "warning")


def test_an_unknown_format_is_a_matter_of_usage(folder: Path, good: Database) -> None:
    assert check(folder, good, "--format", "xml").returncode == 2
