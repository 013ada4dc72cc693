"""An owner who is not a superuser, as on a managed PostgreSQL: what works, and what it is told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection

from hedgerow import ProvisioningError, RoleNames, RowSecurity
from hedgerow.provisioning.roles import ensure_roles
from tests.support.databases import Database
from tests.support.roles import PASSWORDS, attributes, inherits, run


@contextmanager
def limited_owner(server: URL, attribute: str) -> Iterator[Connection]:
    """Yield a connection as an owner who is not a superuser, as on a managed PostgreSQL."""
    name = f"owner_{uuid4().hex[:10]}"
    with Database(server).as_owner() as connection:
        run(connection, f"CREATE ROLE {name} LOGIN PASSWORD 'changethis' {attribute}")
    try:
        with (
            Database(server)
            .engine(server.set(username=name, password="changethis"))
            .connect() as connection
        ):
            yield connection
    finally:
        with Database(server).as_owner() as connection:
            run(connection, f"DROP ROLE {name}")


def test_an_owner_who_may_not_grant_bypassrls_is_told_once(
    server: URL, names: RoleNames, caplog: pytest.LogCaptureFixture
) -> None:
    with limited_owner(server, "CREATEROLE") as owner:
        with caplog.at_level(logging.WARNING, "hedgerow.roles"):
            ensure_roles(owner, RowSecurity(names), PASSWORDS)
        assert not attributes(owner, names.maintenance)["rolbypassrls"]
        assert inherits(owner, names.maintenance) == {names.admin}
        assert inherits(owner, names.app) == set()
    [message] = caplog.messages
    assert f"ALTER ROLE {names.maintenance} BYPASSRLS;" in message


def test_an_owner_who_may_not_make_roles_gets_the_sql_for_an_administrator(
    server: URL, names: RoleNames
) -> None:
    with limited_owner(server, "NOCREATEROLE") as owner, pytest.raises(ProvisioningError) as caught:
        ensure_roles(owner, RowSecurity(names), PASSWORDS)
    assert f"Ask an administrator to run: CREATE ROLE {names.admin} " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_that_the_owner_may_not_set_is_not_shown(
    server: URL, names: RoleNames, caplog: pytest.LogCaptureFixture
) -> None:
    with Database(server).as_owner() as superuser:
        ensure_roles(superuser, RowSecurity(names), PASSWORDS)
    with (
        limited_owner(server, "NOCREATEROLE") as owner,
        caplog.at_level(logging.WARNING, "hedgerow.roles"),
    ):
        ensure_roles(owner, RowSecurity(names), PASSWORDS)
    assert f"ALTER ROLE {names.app} PASSWORD '…';" in caplog.text
    assert f"ALTER ROLE {names.maintenance} PASSWORD '…';" in caplog.text
    assert "SCRAM" not in caplog.text
    assert PASSWORDS.app not in caplog.text
