"""Settings that a login gives itself, for every later session, are told and taken back (P58)."""

import pytest
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import DatabaseNotReadyError, RowSecurity, sql
from hedgerow.catalogs.settings import default_settings
from hedgerow.checks.readiness import verify
from tests.support.deployments import Deployment
from tests.support.leftovers import IDENTITY
from tests.support.raw import connect

BY_THE_LOGIN = (
    "ALTER ROLE CURRENT_USER SET search_path = pg_temp",
    "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
    "ALTER ROLE CURRENT_USER SET statement_timeout = '30s'",
    "SET ROLE {admin}",
    "ALTER ROLE CURRENT_USER IN DATABASE {database} SET role = 'none'",
)
"""What PostgreSQL lets the login do: no event trigger is asked."""


def planted(deployment: Deployment) -> set[str]:
    with deployment.database.as_owner() as owner:
        settings = default_settings(owner, deployment.roles.names)
    return {f"{setting.whose} {setting.name}" for setting in settings}


def test_what_a_login_gave_itself_is_taken_back(own_deployment: Deployment) -> None:
    own_deployment.upgrade()
    roles, database = own_deployment.roles, own_deployment.database
    with connect(own_deployment.app_url) as login:
        for statement in BY_THE_LOGIN:
            login.execute(statement.format(admin=roles.admin, database=database.name))
        login.commit()
    with connect(database.owner_url) as owner:
        owner.execute(f"ALTER ROLE {sql.name(roles.maintenance)} SET log_statement = 'all'")
        owner.commit()

    engine = database.engine(own_deployment.app_url)
    with pytest.raises(DatabaseNotReadyError, match="`alembic upgrade head`"):
        verify(engine, SQLModel.metadata, RowSecurity(roles))  # no session works
    result = own_deployment.alembic("upgrade", "head")
    assert result.returncode == 0, result.stderr
    assert f"ROLE {roles.app} began its sessions with a setting of search_path" in result.stderr
    # An administrator's: a limit, and what only a superuser can set.
    assert planted(own_deployment) == {
        f"ROLE {roles.app} statement_timeout",
        f"ROLE {roles.maintenance} log_statement",
    }


def test_a_login_may_make_no_identity_its_default(own_deployment: Deployment) -> None:
    """P10."""
    own_deployment.upgrade()
    with connect(own_deployment.app_url) as login:
        login.autocommit = True
        for name in (*IDENTITY, "session_replication_role"):
            with pytest.raises(Exception, match="permission denied to set parameter"):
                login.execute(f"ALTER ROLE CURRENT_USER SET {name} = 'x'")
    assert planted(own_deployment) == set()
