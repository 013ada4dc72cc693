"""Try policies as a user who does not exist, on a row of another user that is in no table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from secrets import randbelow
from uuid import uuid4

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.config.identity import Identity, UserId
from hedgerow.policies.scope import Scope
from hedgerow.sessions.begin import set_locally


def unused_id(inspection: Inspection) -> UserId:
    """Return a user's key of the project's type that no user has."""
    match inspection.row_security.id_type:
        case "uuid":
            return uuid4()
        case "bigint":
            return -1 - randbelow(2**62)
        case "text":
            return f"hedgerow check {uuid4()}"


def become_new_user(inspection: Inspection) -> None:
    """Make the application's transaction that of a user without any rows, until rolled back.

    Raises a SQLAlchemy DBAPIError where the server refuses.
    """
    identity = Identity(unused_id(inspection))
    set_locally(inspection.application, inspection.row_security.settings_for(identity))


def another_users_row(inspection: Inspection, table: Table, scope: Scope) -> str:
    """Return a FROM item that is one row of `table`, owned by another user, else NULL."""
    values = {scope.owner_column: str(unused_id(inspection))} if scope.owner_column else {}
    target = sql.table_name(table.name, table.schema)
    row = sql.text_literal(json.dumps(values))
    return f"jsonb_populate_record(NULL::{target}, {row}) AS {sql.name(table.name)}"


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
