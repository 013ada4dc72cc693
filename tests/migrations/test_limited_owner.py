"""Migrations by an owner that is not a superuser, as on a managed PostgreSQL."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from tests.migrations.opening import new_project
from tests.support.deployments import PASSWORD
from tests.support.raw import connect


def test_an_owner_who_may_create_roles(server: URL, tmp_path: Path) -> None:
    """All works but BYPASSRLS and two guards; a line each says what an administrator runs."""
    with new_project(server, tmp_path, "new_model", "CREATEROLE") as project:
        project.use("models")
        first = project.run("upgrade", "head")
        assert first.code == 0, first.err
        [bypass] = first.err.splitlines()
        maintenance = project.deployment.roles.maintenance
        assert bypass.endswith(f"until an administrator runs: ALTER ROLE {maintenance} BYPASSRLS;")
        project.revise("models")
        [_, *guards] = project.run("upgrade", "head").err.splitlines()
        assert len(guards) == 2
        project.alembic("check")

        with connect(server.set(database=project.deployment.database.name)) as superuser:
            for guard in guards:
                _, statement = guard.split(" until an administrator runs, in this database: ")
                superuser.execute(statement)
            superuser.commit()
        [_] = project.run("upgrade", "head").err.splitlines()
        with connect(project.deployment.app_url) as application:
            for refused in (
                "DROP OWNED BY CURRENT_USER",
                "EXPLAIN ANALYZE SELECT 1 INTO TEMP t",
                "SELECT lo_from_bytea(0, 'x')",
            ):
                with pytest.raises(psycopg.Error, match=r"runs no DDL|permission denied"):
                    application.execute(refused)
                application.rollback()
        project.alembic("downgrade", "base")
        with connect(server.set(database=project.deployment.database.name)) as superuser:
            assert superuser.execute("SELECT evtname FROM pg_event_trigger").fetchall() == []


def test_an_owner_who_may_not_create_roles(server: URL, tmp_path: Path) -> None:
    """One line holds all the SQL for an administrator; once it has run, all works."""
    with new_project(server, tmp_path, "new_model", "NOCREATEROLE") as project:
        project.use("models")
        line = project.refused("upgrade", "head")
        assert project.refused("check") == line
        _, script = line.split(" Ask an administrator to run: ")
        assert script.count("CREATE ROLE") == len(project.deployment.roles.names)
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
