"""Bring the database roles to what the configuration says; they belong to the whole cluster."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.config.roles import LoginPasswords, RoleNames
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE, ProvisioningError
from hedgerow.provisioning.role_changes import RoleChange, pending_role_changes

logger = logging.getLogger("hedgerow.roles")

_COUNT = text("SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names)")

_CONCURRENTLY_UPDATED = "XX000"


def ensure_roles(
    connection: Connection, row_security: RowSecurity, passwords: LoginPasswords
) -> None:
    """Create or fix the roles, their memberships and their passwords.

    Only what differs is changed, so an owner who may not touch an attribute (a managed PostgreSQL)
    fails over real differences alone. Raises ProvisioningError with all the SQL for an
    administrator where the owner may not do it. Where only BYPASSRLS is refused, the maintenance
    role is made without, which leaves it the admin policies, with a warning. A password that
    is refused stays as it is, with a warning: whether it is right, the role's next login tells.
    """
    for refused in _make(connection, row_security):
        logger.warning(
            "The owner may not grant BYPASSRLS. Maintenance goes through the admin policies"
            " until an administrator runs: %s;",
            refused.statement,
        )
    roles = row_security.roles
    logins = {roles.app: passwords.app, roles.maintenance: passwords.maintenance}
    for role, password in logins.items():
        if not _may_run(
            connection, _password_statement(role, _verifier(connection, role, password))
        ):
            logger.warning(
                "The owner may not set the password of %r, which stays as it is. To change it, an"
                " administrator runs: %s;",
                role,
                _password_statement(role, "'…'"),
            )


def roles_are_missing(connection: Connection, roles: RoleNames) -> bool:
    """Return whether one of the project's roles does not exist."""
    existing: int = connection.execute(_COUNT, {"names": list(roles.names)}).scalar_one()
    return existing != len(roles.names)


@contextmanager
def as_if_made(connection: Connection, row_security: RowSecurity) -> Iterator[None]:
    """Let the block see the roles as `ensure_roles` would make them, and leave no trace of it.

    What the block changes in the database is undone with them. Raises ProvisioningError where the
    owner may not make them.
    """
    savepoint = connection.begin_nested()
    try:
        _make(connection, row_security)
        yield
    finally:
        savepoint.rollback()


def _make(connection: Connection, row_security: RowSecurity) -> list[RoleChange]:
    """Create or fix the roles and their memberships; return what the owner may not do of it.

    Raises ProvisioningError where that is not optional.
    """
    refused: list[RoleChange] = []
    pending = pending_role_changes(connection, row_security)
    for position, change in enumerate(pending):
        if _may_run(connection, change.statement):
            continue
        if not change.optional:
            rest = [left.statement for left in pending[position:]]
            logins = (row_security.roles.app, row_security.roles.maintenance)
            rest += [_password_statement(role, "'…'") for role in logins]
            raise ProvisioningError(
                "The owner may not manage the roles."
                f" Ask an administrator to run: {'; '.join(rest)};"
            )
        refused.append(change)
    return refused


def _password_statement(role: str, literal: str) -> str:
    return f"ALTER ROLE {sql.name(role)} PASSWORD {literal}"


def _verifier(connection: Connection, role: str, password: str) -> str:
    """Return the SCRAM verifier of `password` as SQL: the password itself stays in this process."""
    driver_connection = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    verifier = driver_connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    return sql.text_literal(verifier.decode())


def _may_run(connection: Connection, statement: str) -> bool:
    """Run `statement` and return True; leave everything as it was and return False if refused.

    It is tried again where another database's migration has just changed the same role.
    """
    for last_try in (False, False, True):
        try:
            with connection.begin_nested():
                connection.execute(sql.Statement(statement))
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state == INSUFFICIENT_PRIVILEGE:
                return False
            if state != _CONCURRENTLY_UPDATED or last_try:
                raise
        else:
            break
    return True
