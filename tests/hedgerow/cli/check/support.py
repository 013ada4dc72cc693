"""The real command, in a project's folder."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.databases import Database
from tests.support.programs import run_program

PROJECT_LINES = '[tool.hedgerow]\nproject = "app.core.project:project"\n'
VIEW = "CREATE VIEW everything AS SELECT * FROM item; GRANT SELECT ON everything TO rls_app_user"
SLOW = "DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id"


def allow(folder: Path, *entries: str) -> None:
    (folder / "pyproject.toml").write_text(f"{PROJECT_LINES}allow = [{', '.join(entries)}]\n")


def entry(check: str, subject: str, reason: str = "it is right") -> str:
    return f'{{check = "{check}", subject = "{subject}", reason = "{reason}"}}'


def check(
    folder: Path, database: Database, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return run_program(
        "hedgerow",
        "check",
        *arguments,
        folder=folder,
        environment=database.environment(**settings),
    )


def findings(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON report's checks by number."""
    return {answer["number"]: answer for answer in json.loads(result.stdout)["checks"]}
