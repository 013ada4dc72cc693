"""The roles that a migration makes, and how it fixes those that are there already."""

from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import OperationalError

from hedgerow import RoleNames, RowSecurity
from hedgerow.provisioning.role_changes import pending_role_changes
from hedgerow.provisioning.roles import ensure_roles
from tests.support.databases import Database, server_version
from tests.support.roles import PASSWORDS, attributes, inherits, may_become, run

POWERLESS = {
    "rolsuper": False,
    "rolcreatedb": False,
    "rolcreaterole": False,
    "rolreplication": False,
    "rolbypassrls": False,
}


def test_the_roles_are_as_documented(superuser: Connection, names: RoleNames) -> None:
    """P1, P2."""
    ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    groups = {**POWERLESS, "rolcanlogin": False, "rolinherit": False}
    assert [attributes(superuser, name) for name in names.taken] == [groups] * 5
    assert attributes(superuser, names.app) == {
        **POWERLESS,
        "rolcanlogin": True,
        "rolinherit": False,
    }
    assert attributes(superuser, names.maintenance) == {
        **POWERLESS,
        "rolcanlogin": True,
        "rolinherit": True,
        "rolbypassrls": True,
    }
    assert inherits(superuser, names.app) == set()
    assert may_become(superuser, names.app) == set(names.taken)
    assert inherits(superuser, names.maintenance) == {names.admin}


def test_a_membership_is_not_inherited_whatever_the_role_says(
    server: URL, superuser: Connection, names: RoleNames
) -> None:
    """P2: from 16 on the grant itself says so."""
    if server_version(server) < 160000:
        pytest.skip("PostgreSQL 15 knows the role's NOINHERIT only.")
    ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    run(superuser, f"ALTER ROLE {names.app} INHERIT")
    assert inherits(superuser, names.app) == set()


def test_weakened_roles_are_fixed(superuser: Connection, names: RoleNames) -> None:
    """P1, P2."""
    run(
        superuser,
        f"CREATE ROLE {names.admin} LOGIN INHERIT",
        f"CREATE ROLE {names.app} LOGIN SUPERUSER BYPASSRLS CREATEROLE CREATEDB REPLICATION"
        f" INHERIT IN ROLE {names.admin}",
    )
    assert inherits(superuser, names.app) >= {names.admin}
    ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    assert attributes(superuser, names.app) == {
        **POWERLESS,
        "rolcanlogin": True,
        "rolinherit": False,
    }
    assert inherits(superuser, names.app) == set()
    assert not attributes(superuser, names.admin)["rolcanlogin"]


def test_a_second_run_finds_nothing_to_change(superuser: Connection, names: RoleNames) -> None:
    row_security = RowSecurity(names)
    assert pending_role_changes(superuser, row_security)
    ensure_roles(superuser, row_security, PASSWORDS)
    assert pending_role_changes(superuser, row_security) == []


def test_force_takes_bypassrls_and_gives_it_back(superuser: Connection, names: RoleNames) -> None:
    for force in (True, False, True):
        ensure_roles(superuser, RowSecurity(names, force=force), PASSWORDS)
        assert attributes(superuser, names.maintenance)["rolbypassrls"] is not force


def test_passwords_are_stored_as_scram_and_work(
    server: URL, superuser: Connection, names: RoleNames
) -> None:
    ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    superuser.commit()
    stored = superuser.scalar(
        text("SELECT rolpassword FROM pg_authid WHERE rolname = :role"), {"role": names.app}
    )
    assert stored is not None
    assert stored.startswith("SCRAM-SHA-256$")
    with (
        Database(server)
        .engine(server.set(username=names.app, password=PASSWORDS.app))
        .connect() as connection
    ):
        assert connection.scalar(text("SELECT current_user")) == names.app
    wrong = Database(server).engine(server.set(username=names.app, password="wrong"))
    with pytest.raises(OperationalError, match="password authentication failed"):
        wrong.connect()


def test_passwords_are_not_in_the_representation() -> None:
    assert "password" not in repr(PASSWORDS)


@pytest.mark.xdist_group("the role named select")
@pytest.mark.parametrize(
    "app",
    ["select", "Mixed Case", 'with "quotes"', "semi;colon", "it's", "100%", "rôle", "a\\b", ":b"],
)
def test_unusual_names(superuser: Connection, app: str) -> None:
    """P41; everything is rolled back."""
    suffix = uuid4().hex[:10]
    names = RoleNames(
        app=app if app == "select" else f"{app} {suffix}",
        admin=f'Admin "{suffix}"',
        read_only_admin=f"Reader % {suffix}",
        maintenance=f"maintenance' {suffix}",
        sign_in=f"sign-in {suffix}",
        anonymous=f"no one {suffix}",
        service=f"Ser$$vice {suffix}",
    )
    ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    assert may_become(superuser, names.app) == set(names.taken)
    assert pending_role_changes(superuser, RowSecurity(names)) == []


def test_the_template_databases_application_role(database: Database) -> None:
    """P1, P2: what the suite itself connects as."""
    with database.as_owner() as owner:
        assert attributes(owner, "rls_app_user") == {
            **POWERLESS,
            "rolcanlogin": True,
            "rolinherit": False,
        }
        assert inherits(owner, "rls_app_user") == set()
        owned = owner.scalar(
            text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'rls_app_user'")
        )
    assert owned == 0
