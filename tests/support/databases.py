"""Databases for tests: a template migrated by the real command, and copies of it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text

from hedgerow import sql
from tests.support import owners
from tests.support.processes import beside_this_python, run_command
from tests.support.programs import run_program

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE = "hedgerow_test_template"

SERVER_VARIABLE = "HEDGEROW_TEST_DATABASE_URL"
"""Names a superuser's address of another server to test on, for instance a PostgreSQL 15."""

_SETTINGS = (
    "API_DOCS_ENABLED",
    "DATABASE_URL",
    "ENVIRONMENT",
    "FASTAPI_ENV",
    "FRONTEND_HOST",
    "MAX_BODY_SIZE",
    "PROJECT_NAME",
    "REDIS_URL",
    "SECRET_KEY",
)
_SETTING_PREFIXES = ("POSTGRES_", "RLS_", "FIRST_", "SMTP_", "EMAIL", "PG", "THROTTLE_")


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with no application or libpq setting but those given."""
    # The database of such a run may be on another machine, and would be taken for production.
    said = {"ENVIRONMENT": "local"} if os.environ.get(SERVER_VARIABLE) else {}
    kept = said | {
        name: value
        for name, value in os.environ.items()
        if name not in _SETTINGS and not name.startswith(_SETTING_PREFIXES)
    }
    return kept | settings


@dataclass(frozen=True)
class Database:
    """One database of the test server, and the ways in."""

    owner_url: URL

    @property
    def name(self) -> str:
        assert self.owner_url.database is not None
        return self.owner_url.database

    @property
    def address(self) -> str:
        """The owner's address as DATABASE_URL takes it."""
        return self.owner_url.render_as_string(hide_password=False)

    @property
    def app_url(self) -> URL:
        """The address for the application role, with the template's password."""
        return self.owner_url.set(username="rls_app_user", password="changethis")

    @property
    def maintenance_url(self) -> URL:
        return self.owner_url.set(username="rls_maintenance_admin", password="changethis")

    def engine(self, url: URL | None = None) -> Engine:
        """Return an engine without a pool, as the owner where no `url` is given."""
        return create_engine(url or self.owner_url, poolclass=NullPool)

    @contextmanager
    def as_owner(self) -> Iterator[Connection]:
        """Yield the owner's connection in a transaction: to set up and to look.

        It is the same one again where it is free, as clean as a new one.
        """
        with owners.engine(self.owner_url).begin() as connection:
            yield connection

    def environment(self, **settings: str) -> dict[str, str]:
        """Return an environment in which the project's commands use this database."""
        return clean_environment(DATABASE_URL=self.address, **settings)


def run_alembic(
    database: Database, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the real `alembic` command of the project against `database`."""
    return run_program("alembic", *arguments, environment=database.environment(**(settings or {})))


def make_template(server: URL) -> None:
    """Create the template database anew and migrate it as a person would."""
    _recreate(server, TEMPLATE, template=None)
    template = Database(server.set(database=TEMPLATE))
    result = run_command(
        [beside_this_python("alembic"), "upgrade", "head"],
        folder=PROJECT,
        environment=template.environment(),
    )
    assert result.returncode == 0, result.stderr


def clone_template(server: URL, name: str | None = None) -> Database:
    """Return a new database that is a copy of the template."""
    name = name or f"hedgerow_test_{uuid4().hex[:12]}"
    _recreate(server, name, template=TEMPLATE)
    return Database(server.set(database=name))


def clone(source: Database) -> Database:
    """Return a new database that is a copy of `source`, to which nobody may be connected."""
    name = f"hedgerow_test_{uuid4().hex[:12]}"
    owners.leave(source.owner_url)
    _recreate(source.owner_url, name, template=source.name)
    return Database(source.owner_url.set(database=name))


def create_empty(server: URL, name: str | None = None) -> Database:
    """Return a new database with nothing in it."""
    name = name or f"hedgerow_test_{uuid4().hex[:12]}"
    _recreate(server, name, template=None)
    return Database(server.set(database=name))


def drop(database: Database) -> None:
    """Drop `database`, whoever is still connected."""
    owners.leave(database.owner_url)
    with _administering(database.owner_url) as connection:
        connection.execute(_drop_statement(database.name))


def _recreate(server: URL, name: str, template: str | None) -> None:
    # Written to the WAL block by block, as is the default, a copy costs half as much again.
    source = f" TEMPLATE {sql.name(template)} STRATEGY file_copy" if template else ""
    with _administering(server) as connection:
        connection.execute(_drop_statement(name))
        connection.execute(sql.Statement(f"CREATE DATABASE {sql.name(name)}{source}"))
        if template:  # a copy is not granted what its original was
            connection.execute(
                sql.Statement(f"REVOKE TEMPORARY ON DATABASE {sql.name(name)} FROM PUBLIC")
            )


def _drop_statement(name: str) -> sql.Statement:
    return sql.Statement(f"DROP DATABASE IF EXISTS {sql.name(name)} WITH (FORCE)")


@contextmanager
def _administering(url: URL) -> Iterator[Connection]:
    engine = owners.engine(url.set(database="postgres"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def server_version(url: URL) -> int:
    """Return the server's version number, such as 180006."""
    with _administering(make_url(url)) as connection:
        return int(connection.scalar(text("SELECT current_setting('server_version_num')")))
