"""Migrations by an owner that is not a superuser, as on a managed PostgreSQL."""

from pathlib import Path

from sqlalchemy import URL

from tests.migrations.opening import new_project
from tests.support.deployments import PASSWORD
from tests.support.raw import connect


def test_an_owner_who_may_create_roles(server: URL, tmp_path: Path) -> None:
    """All works but BYPASSRLS, and a line says what an administrator may run for that."""
    with new_project(server, tmp_path, "new_model", "CREATEROLE") as project:
        project.use("models")
        first = project.run("upgrade", "head")
        assert first.code == 0, first.err
        [line] = first.err.splitlines()
        maintenance = project.deployment.roles.maintenance
        assert line.endswith(f"until an administrator runs: ALTER ROLE {maintenance} BYPASSRLS;")
        project.revise("models")
        project.alembic("upgrade", "head")
        project.alembic("check")


def test_an_owner_who_may_not_create_roles(server: URL, tmp_path: Path) -> None:
    """One line holds all the SQL for an administrator; once it has run, all works."""
    with new_project(server, tmp_path, "new_model", "NOCREATEROLE") as project:
        project.use("models")
        line = project.refused("upgrade", "head")
        _, script = line.split(" Ask an administrator to run: ")
        assert script.count("CREATE ROLE") == 4
        project.by_hand(script.replace("'…'", f"'{PASSWORD}'"))

        again = project.run("upgrade", "head")
        assert again.code == 0, again.err
        assert "The owner may not set the password of" in again.err
        project.revise("models")
        project.alembic("upgrade", "head")
        project.alembic("check")
        for url in (project.deployment.app_url, project.deployment.maintenance_url):
            with connect(url) as connection:
                connection.execute("SELECT 1")
