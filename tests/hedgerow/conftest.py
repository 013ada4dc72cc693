"""The ways in that tests of the engine share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Connection, Engine

from hedgerow import RoleNames
from tests.support.databases import Database
from tests.support.ddl import allow_ddl, refuse_ddl
from tests.support.deployments import Deployment, deployment, drop_roles, unique_role_names
from tests.support.raw import RawConnection, connect
from tests.support.sessions import one_connection


@pytest.fixture
def connection(database: Database) -> Iterator[RawConnection]:
    """Yield a raw connection as the application role; nothing that it does is committed."""
    with connect(database.app_url) as connection:
        yield connection


@pytest.fixture
def may_run_ddl(database: Database) -> Iterator[None]:
    """Have `database` refuse no DDL for the length of a test, so that other guards are seen."""
    allow_ddl(database)
    yield
    refuse_ddl(database)


@pytest.fixture
def pool(database: Database) -> Iterator[Engine]:
    """Yield the application role's engine, whose pool is one connection."""
    engine = one_connection(database)
    yield engine
    engine.dispose()


@pytest.fixture
def own_deployment(server: URL) -> Iterator[Deployment]:
    """Yield an empty database with role names of its own."""
    with deployment(server, unique_role_names()) as own:
        yield own


@pytest.fixture
def names(server: URL) -> Iterator[RoleNames]:
    """Yield role names of the test's own; the roles are dropped at the end."""
    names = unique_role_names()
    yield names
    drop_roles(server, names)


@pytest.fixture
def superuser(server: URL) -> Iterator[Connection]:
    """Yield a superuser's connection, rolled back at the end."""
    with Database(server).engine().connect() as connection:
        yield connection
