"""The real server, which must not start where it could not keep users apart."""

import sys
from pathlib import Path

from hedgerow import RowSecurity, Signing
from hedgerow.provisioning.keys import reconcile_functions
from tests.support.databases import PROJECT, Database
from tests.support.processes import run_command

SECRET = "the secret of this database"
CHANGED = {
    name: f"no default, and long enough: {name.lower()}"
    for name in (
        "SECRET_KEY",
        "RLS_APP_PASSWORD",
        "RLS_MAINTENANCE_ADMIN_PASSWORD",
        "FIRST_SUPERUSER_PASSWORD",
        "FIRST_USER_PASSWORD",
    )
}


def start(database: Database, folder: Path, **settings: str) -> str:
    """Run `fastapi run` until it gives up; return all that it said."""
    result = run_command(
        [sys.executable, "-m", "fastapi", "run", PROJECT / "app" / "main.py", "--port", "0"],
        folder=folder,
        environment=database.environment(**settings) | {"NO_COLOR": "1", "COLUMNS": "1000"},
        merged=True,
    )
    assert result.returncode != 0
    return result.stdout


def test_another_secret_stops_the_start(fresh_database: Database, tmp_path: Path) -> None:
    with fresh_database.as_owner() as owner:
        reconcile_functions(owner, RowSecurity(signing=Signing(SECRET)))
    output = start(fresh_database, tmp_path, RLS_CONTEXT_SECRET=SECRET + "!")
    assert output.count("RLS_CONTEXT_SECRET differs from the database's key") == 1
    assert "run `alembic upgrade head`" in output
    assert "Traceback" not in output
    assert SECRET not in output

    output = start(fresh_database, tmp_path)
    assert output.count("The database expects signed identities, but") == 1
    assert "Set RLS_CONTEXT_SECRET" in output
    assert "Traceback" not in output


def test_outside_local_a_secret_is_required(fresh_database: Database, tmp_path: Path) -> None:
    url = fresh_database.owner_url.set(password="no default either")
    elsewhere = Database(url)
    output = start(elsewhere, tmp_path, ENVIRONMENT="production", **CHANGED)
    assert "ENVIRONMENT=production needs signed identities: set RLS_CONTEXT_SECRET" in output
    output = start(
        elsewhere, tmp_path, ENVIRONMENT="production", RLS_CONTEXT_SECRET="short", **CHANGED
    )
    assert "RLS_CONTEXT_SECRET" in output
    assert "at least 16 characters" in output
    for secret in CHANGED.values():
        assert secret not in output
