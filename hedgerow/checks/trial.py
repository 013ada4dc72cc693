"""Try policies as a user who does not exist, on a row of another user that is in no table."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from secrets import randbelow
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Integer,
    Numeric,
    String,
    Table,
    Uuid,
)

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.config.identity import Identity, UserId
from hedgerow.policies.keys import key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function
from hedgerow.policies.standard import is_read_by_every_user
from hedgerow.sessions.begin import set_locally


def unused_id(inspection: Inspection) -> UserId:
    """Return a user's key of the project's type that no user has."""
    match inspection.row_security.id_type:
        case "uuid":
            return uuid4()
        case "bigint":
            return -1 - randbelow(2**31 - 1)  # columns that hold it may be INTEGER
        case "text":
            return f"hedgerow check {uuid4()}"


def become_new_user(inspection: Inspection) -> None:
    """Make the application's transaction that of a user without any rows, until rolled back.

    It carries each claim that a declaration asks for, with a value that no row has. Raises a
    SQLAlchemy DBAPIError where the server refuses.
    """
    claims = {
        claim: _claimed(table.columns[column])
        for table, scope in inspection.scoped
        for column, claim in scope.claims.items()
    }
    identity = Identity(unused_id(inspection), claims=claims)
    set_locally(inspection.application, inspection.row_security.settings_for(identity))


def another_users_row(inspection: Inspection, table: Table, scope: Scope) -> str:
    """Return a FROM item that is one row of `table`, which another user's are.

    Its owner is another user, its tenant and its parents are none that anybody has, it has not what
    the identity claims, and the rest is NULL.
    """
    values = {column: _unused(table.columns[column]) for column in _deciding(table, scope)}
    for column in filter(None, _users(scope)):
        values[column] = str(unused_id(inspection))
    # With its schema: the name alone may be that of a type (P55).
    target = inspection.live_tables[sql.table_name(table.name, table.schema)].sql
    row = sql.text_literal(json.dumps(values))
    return f"jsonb_populate_record(NULL::{target}, {row}) AS {sql.name(table.name)}"


def _users(scope: Scope) -> tuple[str | None, ...]:
    """Return the columns that name the user whose a row is, where there are some."""
    return (
        scope.owner_column,
        scope.also_owner.column if scope.also_owner else None,
        scope.member_rows.user if scope.member_rows else None,
    )


def _deciding(table: Table, scope: Scope) -> Iterator[str]:
    """Yield the columns by which a row is seen, but for its user's; not of what everybody reads."""
    for column in scope.parents:
        parent = scope_of(key_to_parent(table, column).parent)
        if isinstance(parent, Scope) and not is_read_by_every_user(parent):
            yield column
    if shares := share_function(table, scope):
        yield shares.shared_key
    if scope.tenant_rows and scope.tenant_rows.column:
        yield scope.tenant_rows.column
    if scope.member_rows:
        yield scope.member_rows.tenant
    yield from scope.claims


def _unused(column: Column[Any]) -> str | int | None:
    """Return a value of the column's type that no row has; None, where none is known."""
    match column.type:
        case Enum():
            return None
        case Uuid():
            return str(uuid4())
        case Integer():
            return -1 - randbelow(2**15)
        case String(length=length):
            return uuid4().hex[:length]
    return None


def _claimed(column: Column[Any]) -> str:
    """Return a claim that can be compared with the column, and equals it in no row, if possible."""
    match column.type:
        case Enum(enums=labels):
            return str(labels[0])
        case Boolean():
            return "false"
        case Date() | DateTime():
            return "0001-01-01"
        case Numeric():
            return "-1"
    return str(_unused(column) or "none")


def true_for_another_users_row(
    inspection: Inspection, oid: int, conditions: Iterable[str]
) -> Mapping[str, bool]:
    """Return of each condition whether a row of another user fulfils it.

    The transaction must carry an identity. Raises a SQLAlchemy DBAPIError where a condition fails.
    """
    asked: Sequence[str] = sorted(set(conditions))
    if not asked:
        return {}
    answers = ", ".join(f"({condition}) IS TRUE" for condition in asked)
    row = another_users_row(inspection, *inspection.tables[oid])
    # The conditions are the database's own, and run as policies would run them.
    query = f"SELECT {answers} FROM {row}"  # noqa: S608
    result = inspection.application.execute(sql.Statement(query))
    return dict(zip(asked, result.one(), strict=True))
