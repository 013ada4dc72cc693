"""Settings planted for later sessions of a role; roles are cluster-wide, so these are own ones."""

import psycopg
import pytest
from sqlalchemy import text

from hedgerow import RowSecurity, sql
from hedgerow.errors import INVALID_SIGNATURE, MISSING_IDENTITY
from tests.hedgerow.signing.support import PLAIN, SIGNING, demand, session_with, signature
from tests.support.deployments import Deployment
from tests.support.people import add_person
from tests.support.raw import connect, visible_items
from tests.support.sessions import visible


def plant(deployment: Deployment, name: str, value: object) -> None:
    """Give the application's login a default, as a superuser may."""
    with deployment.database.as_owner() as owner:
        role = sql.name(deployment.roles.app)
        owner.execute(text(f"ALTER ROLE {role} SET {name} = '{value}'"))


def sqlstate_of_new_session(deployment: Deployment, database_role: str = "none") -> str | None:
    with connect(deployment.app_url) as connection:
        connection.execute("SELECT set_config('role', %s, true)", [database_role])
        with pytest.raises(psycopg.Error) as caught:
            visible_items(connection)
    return caught.value.sqlstate


def test_planted_defaults_make_nobody(own_deployment: Deployment) -> None:
    """P10."""
    own_deployment.upgrade(RLS_CONTEXT_SECRET=SIGNING.secret)
    roles = own_deployment.roles
    alice = add_person(own_deployment.database, "alice")
    bob = add_person(own_deployment.database, "bob")
    row_security = RowSecurity(roles=roles, signing=SIGNING)
    engine = own_deployment.database.engine(own_deployment.app_url)
    for name, value, expected in (
        ("app.role", "admin", MISSING_IDENTITY),
        ("app.user_id", bob.id, INVALID_SIGNATURE),
        ("app.signature", signature(alice.id, "user"), INVALID_SIGNATURE),
    ):
        plant(own_deployment, name, value)
        for role in ("none", roles.admin):
            assert sqlstate_of_new_session(own_deployment, role) == expected
        with session_with(engine, alice, row_security) as session:
            assert visible(session) == set(alice.items)

    with own_deployment.database.as_owner() as owner:
        database = sql.name(own_deployment.database.name)
        owner.execute(text(f"ALTER ROLE {sql.name(roles.app)} RESET ALL"))
        for name, value in (("app.user_id", bob.id), ("app.role", "user")):
            owner.execute(text(f"ALTER DATABASE {database} SET {name} = '{value}'"))
    assert sqlstate_of_new_session(own_deployment) == INVALID_SIGNATURE

    # The negative control: plain identities come from wherever they are set.
    demand(own_deployment.database, PLAIN)
    with connect(own_deployment.app_url) as anybody:
        assert visible_items(anybody) == set(bob.items)


def test_the_application_cannot_plant_defaults(own_deployment: Deployment) -> None:
    """P10: PostgreSQL asks for SET on a parameter that it does not know."""
    own_deployment.upgrade(RLS_CONTEXT_SECRET=SIGNING.secret)
    database = sql.name(own_deployment.database.name)
    with connect(own_deployment.app_url) as attacker:
        for name in ("app.role", "app.user_id", "app.signature"):
            attacker.execute("SELECT set_config(%s, 'admin', false)", [name])
            for statement in (
                f"ALTER ROLE CURRENT_USER SET {name} = 'admin'",
                f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET {name} = 'admin'",
                f"ALTER ROLE CURRENT_USER SET {name} FROM CURRENT",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), attacker.transaction():
                    attacker.execute(statement)
    assert sqlstate_of_new_session(own_deployment) == MISSING_IDENTITY
