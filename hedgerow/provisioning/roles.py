"""Bring the database roles to what the configuration says; they belong to the whole cluster."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.config.roles import LoginPasswords
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE, ProvisioningError
from hedgerow.provisioning.wanted_roles import WantedRole, spell_attributes, wanted_roles

logger = logging.getLogger("hedgerow.roles")

_CONCURRENTLY_UPDATED = "XX000"
_GRANT_OPTIONS_SINCE = 160000

_MEMBERSHIPS = text("""
    SELECT g.rolname AS group, grantor.rolname AS grantor,
           -- to_jsonb tells the options where they exist
           to_jsonb(m) ->> 'inherit_option' AS inherit, to_jsonb(m) ->> 'set_option' AS set,
           m.admin_option AS admin
    FROM pg_auth_members m
    JOIN pg_roles g ON g.oid = m.roleid
    JOIN pg_roles r ON r.oid = m.member
    LEFT JOIN pg_roles grantor ON grantor.oid = m.grantor
    WHERE r.rolname = :member ORDER BY 1, 2
""")


@dataclass(frozen=True)
class RoleChange:
    """One thing that a role needs, in words and as the statement that does it."""

    sentence: str
    statement: str
    optional: bool = False
    """Whether the owner may be unable to do it, and the project works without."""


def ensure_roles(
    connection: Connection, row_security: RowSecurity, passwords: LoginPasswords
) -> None:
    """Create or fix the four roles, their memberships and their passwords.

    Only what differs is changed, so an owner who may not touch an attribute (a managed PostgreSQL)
    fails over real differences alone. Raises ProvisioningError with all the SQL for an
    administrator where the owner may not do it. Where only BYPASSRLS is refused, the maintenance
    role is made without, which leaves it the admin policies, and a warning says so. A password that
    is refused stays as it is, with a warning: whether it is right, the role's next login tells.
    """
    roles = row_security.roles
    logins = {roles.app: passwords.app, roles.maintenance: passwords.maintenance}
    pending = pending_role_changes(connection, row_security)
    for position, change in enumerate(pending):
        if _may_run(connection, change.statement):
            continue
        if not change.optional:
            rest = [left.statement for left in pending[position:]]
            rest += [_password_statement(role, "'…'") for role in logins]
            raise ProvisioningError(
                "The owner may not manage the roles."
                f" Ask an administrator to run: {'; '.join(rest)};"
            )
        logger.warning(
            "The owner may not grant BYPASSRLS. Maintenance goes through the admin policies"
            " until an administrator runs: %s;",
            change.statement,
        )
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


def pending_role_changes(connection: Connection, row_security: RowSecurity) -> list[RoleChange]:
    """Return what the roles still need to be what the configuration says, in order."""
    roles = wanted_roles(row_security)
    return [
        *(change for wanted in roles for change in _attributes(connection, wanted)),
        *(change for wanted in roles for change in _memberships(connection, wanted)),
    ]


_CATALOG_COLUMNS = {
    "SUPERUSER": "rolsuper",
    "CREATEDB": "rolcreatedb",
    "CREATEROLE": "rolcreaterole",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
    "LOGIN": "rolcanlogin",
    "INHERIT": "rolinherit",
}


def _attributes(connection: Connection, wanted: WantedRole) -> Iterator[RoleChange]:
    row = connection.execute(
        text("SELECT * FROM pg_roles WHERE rolname = :name"), {"name": wanted.name}
    ).one_or_none()
    role = sql.name(wanted.name)
    if row is None:
        harmless = {k: v for k, v in wanted.attributes.items() if k != "BYPASSRLS"}
        statement = f"CREATE ROLE {role} {spell_attributes(harmless)}"
        yield RoleChange(f"Role {wanted.name!r} is missing.", statement)
        current = {**harmless, "BYPASSRLS": False}
    else:
        current = {k: bool(row._mapping[column]) for k, column in _CATALOG_COLUMNS.items()}
    differing = {k: v for k, v in wanted.attributes.items() if current[k] is not v}
    # Apart from the rest, for only a superuser (from 16 on: who has it, too) may grant it.
    bypass = {k: differing.pop(k) for k in ("BYPASSRLS",) if differing.get(k)}
    for attributes in filter(None, (differing, bypass)):
        spelled = spell_attributes(attributes)
        yield RoleChange(
            f"Role {wanted.name!r} should be {spelled}.",
            f"ALTER ROLE {role} {spelled}",
            optional=attributes is bypass,
        )


def _memberships(connection: Connection, wanted: WantedRole) -> Iterator[RoleChange]:
    """Yield the grants of roles to `wanted` that are too much, and those that are missing.

    From 16 on each grantor's grant of the same role stands by itself, with options of its own.
    """
    has_options = _server_version(connection) >= _GRANT_OPTIONS_SINCE
    missing = dict(wanted.member_of)
    for row in connection.execute(_MEMBERSHIPS, {"member": wanted.name}):
        is_wanted = row.group in wanted.member_of
        right = (
            (str(wanted.member_of.get(row.group)).lower(), "true") if has_options else (None, None)
        )
        if is_wanted and (row.inherit, row.set) == right and not row.admin:
            missing.pop(row.group, None)
        elif is_wanted or not wanted.may_join_others:
            statement = f"REVOKE {sql.name(row.group)} FROM {sql.name(wanted.name)}"
            if has_options:
                statement += f" GRANTED BY {sql.name(row.grantor)}"
            how = " as it is now" if is_wanted else ""
            sentence = f"Role {wanted.name!r} should not be a member of {row.group!r}{how}."
            yield RoleChange(sentence, statement)
    for group, inherit in missing.items():
        statement = f"GRANT {sql.name(group)} TO {sql.name(wanted.name)}"
        if has_options:
            statement += f" WITH INHERIT {str(inherit).upper()}, SET TRUE"
        how = "inheriting it" if inherit else "without inheriting it"
        yield RoleChange(f"Role {wanted.name!r} should be a member of {group!r}, {how}.", statement)


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


def _server_version(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT current_setting('server_version_num')")) or 0)
