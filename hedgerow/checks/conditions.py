"""What policies say of a stranger's row: PostgreSQL is asked, with a row that is in no table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Table, text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.strangers import nobodys_id
from hedgerow.policies.scope import Scope

Command = Literal["r", "a", "w", "d"]
"""SELECT, INSERT, UPDATE or DELETE, as pg_policy has it."""

_POLICIES = text("""
    SELECT polrelid AS table, polname AS name, polcmd::text AS command,
        polpermissive AS permissive, pg_get_expr(polqual, polrelid) AS using,
        pg_get_expr(polwithcheck, polrelid) AS with_check
    FROM pg_policy
    WHERE polrelid = ANY(:tables) AND EXISTS (SELECT FROM unnest(polroles) AS role
        -- A role that injected SQL can SET lets through as well; a restriction must hold for all.
        WHERE role = 0 OR pg_has_role(session_user, role,
            CASE WHEN polpermissive THEN 'MEMBER' ELSE 'USAGE' END))
    ORDER BY polrelid, polname
""")


@dataclass(frozen=True)
class LivePolicy:
    """A policy that the login can make apply, with its conditions as the server spells them."""

    table: int
    name: str
    command: str
    permissive: bool
    using: str | None
    with_check: str | None

    def applies_to(self, command: Command) -> bool:
        return self.command in ("*", command)

    @property
    def new_row(self) -> str | None:
        """What a row must fulfil to be written: USING where an UPDATE has no WITH CHECK (P30)."""
        return self.with_check or (self.using if self.command in ("*", "w") else None)


def live_policies(inspection: Inspection) -> list[LivePolicy]:
    """Return the policies of scoped tables that apply to ordinary requests, by table and name."""
    rows = inspection.application.execute(_POLICIES, {"tables": list(inspection.tables)})
    return [LivePolicy(**row._mapping) for row in rows]


def strangers_row(inspection: Inspection, table: Table, scope: Scope) -> str:
    """Return a FROM item that is one row of `table`, owned by nobody who exists, else NULL."""
    values = {scope.owner_column: str(nobodys_id(inspection))} if scope.owner_column else {}
    target = sql.table_name(table.name, table.schema)
    row = sql.text_literal(json.dumps(values))
    return f"jsonb_populate_record(NULL::{target}, {row}) AS {sql.name(table.name)}"


def true_for_strangers_row(
    inspection: Inspection, oid: int, conditions: Iterable[str]
) -> Mapping[str, bool]:
    """Return of each condition whether a row of somebody else fulfils it.

    The transaction must carry an identity. Raises a SQLAlchemy DBAPIError where a condition fails.
    """
    asked: Sequence[str] = sorted(set(conditions))
    if not asked:
        return {}
    answers = ", ".join(f"({condition}) IS TRUE" for condition in asked)
    row = strangers_row(inspection, *inspection.tables[oid])
    # The conditions are the database's own, and run as policies would run them.
    query = f"SELECT {answers} FROM {row}"  # noqa: S608
    result = inspection.application.execute(sql.Statement(query))
    return dict(zip(asked, result.one(), strict=True))
