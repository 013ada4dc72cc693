"""A deployment with role names of its own, for tests that change roles: those are cluster-wide."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import URL

from hedgerow import RoleNames, sql
from tests.support.databases import Database, create_empty, drop, run_alembic

PASSWORD = "changethis"


@dataclass(frozen=True)
class Deployment:
    """An empty database, and settings in which every role has a name that nobody else uses."""

    database: Database
    roles: RoleNames

    @property
    def app_url(self) -> URL:
        return self.database.owner_url.set(username=self.roles.app, password=PASSWORD)

    @property
    def maintenance_url(self) -> URL:
        return self.database.owner_url.set(username=self.roles.maintenance, password=PASSWORD)

    def settings(self, **others: str) -> dict[str, str]:
        """Return the settings that name the roles, with `others`."""
        return {
            "RLS_APP_USER": self.roles.app,
            "RLS_ADMIN_ROLE": self.roles.admin,
            "RLS_READ_ONLY_ADMIN_ROLE": self.roles.read_only_admin,
            "RLS_MAINTENANCE_ADMIN": self.roles.maintenance,
            "RLS_SIGN_IN_ROLE": self.roles.sign_in,
            "RLS_ANONYMOUS_ROLE": self.roles.anonymous,
            "RLS_SERVICE_ROLE": self.roles.service,
            **others,
        }

    def alembic(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the real `alembic` with these settings, whatever comes of it."""
        return run_alembic(self.database, *arguments, settings=self.settings(**settings))

    def upgrade(self, **settings: str) -> None:
        """Run `alembic upgrade head` with these settings; it must succeed."""
        result = self.alembic("upgrade", "head", **settings)
        assert result.returncode == 0, result.stdout + result.stderr


def unique_role_names(prefix: str = "") -> RoleNames:
    """Return role names that no other test has."""
    suffix = f"{prefix}{uuid4().hex[:10]}"
    return RoleNames.prefixed(f"own_{suffix}")


@contextmanager
def deployment(server: URL, roles: RoleNames) -> Iterator[Deployment]:
    """Yield a deployment with an empty database; removes the database and the roles at the end."""
    database = create_empty(server)
    try:
        yield Deployment(database, roles)
    finally:
        drop(database)
        drop_roles(server, roles)


def drop_roles(server: URL, roles: RoleNames) -> None:
    """Drop the roles that exist; no database may hold anything of theirs any more."""
    with Database(server).as_owner() as connection:
        for name in roles.names:
            connection.execute(sql.Statement(f"DROP ROLE IF EXISTS {sql.name(name)}"))
