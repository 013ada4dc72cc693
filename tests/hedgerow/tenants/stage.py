"""Three teams and five people, for tests that try what a member may not.

Ann owns team A, Ben is its admin, Ed its editor and Vic a viewer; Ed owns team B, Eve team C. Each
team has one row in each table, whose id is 1, 2 or 3.
"""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Table, insert, select

from hedgerow import Identity, RowSecurity
from tests.hedgerow.tenants.firm import Firm, empty
from tests.support.databases import Database
from tests.support.raw import RawConnection, connect

ANN, BEN, ED, VIC, EVE = (UUID(int=number) for number in range(1, 6))
A, B, C, NEW = (UUID(int=number) for number in (11, 12, 13, 14))
MEMBERS = {
    (A, ANN): "owner", (A, BEN): "admin", (A, ED): "editor", (A, VIC): "viewer",
    (B, ED): "owner", (C, EVE): "owner",
}  # fmt: skip
NAMES = {
    "ann": ANN, "ben": BEN, "ed": ED, "vic": VIC, "eve": EVE, "A": A, "B": B, "C": C, "new": NEW,
}  # fmt: skip

Outcome = list[Any] | int | str
"""What comes of a statement: the first column of its rows, or their number, or the SQLSTATE."""


class Stage:
    """A database with those teams, and people who act in it."""

    def __init__(self, database: Database, firm: Firm, row_security: RowSecurity) -> None:
        self.database, self.firm, self.row_security = database, firm, row_security
        self.fill()
        self._at_first = self.stored()

    def fill(self) -> None:
        empty(self.database, self.firm)
        with self.database.as_owner() as owner:
            for table in self.firm.tables.values():
                owner.execute(insert(table), _rows(table))

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows of all tables."""
        with self.database.as_owner() as owner:
            return {
                name: sorted((tuple(row) for row in owner.execute(select(table))), key=str)
                for name, table in self.firm.tables.items()
            }

    def assert_unchanged(self) -> None:
        now = self.stored()
        if now != self._at_first:
            self.fill()
        assert now == self._at_first

    def become(self, connection: RawConnection, who: Identity) -> None:
        """Make the connection's transaction somebody's, as the engine does."""
        for name, value in self.row_security.settings_for(who).items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])

    def perform(self, who: Identity, *statements: str) -> Outcome:
        """Run statements as somebody, commit, and return what comes of the last."""
        with connect(self.database.app_url) as connection:
            self.become(connection, who)
            outcome: Outcome = 0
            for statement in statements:
                outcome = run(connection, statement)
                if isinstance(outcome, str):
                    return outcome
            connection.commit()
            return outcome

    def refusal(self, who: Identity, statement: str) -> dict[str, str | None]:
        """Return all that a client is told where a statement is refused."""
        with connect(self.database.app_url) as connection:
            self.become(connection, who)
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(named(statement))
        diagnosis = refused.value.diag
        names = (name for name in dir(diagnosis) if not name.startswith("_"))
        return {name: getattr(diagnosis, name) for name in names}


def run(connection: RawConnection, statement: str) -> Outcome:
    """Run one statement, and return what comes of it."""
    statement = named(statement)
    try:
        with connection.cursor() as cursor:
            if statement.startswith("COPY"):
                with cursor.copy(statement) as copy:
                    return sorted(bytes(row).decode() for row in copy)
            cursor.execute(statement)
            return [row[0] for row in cursor] if cursor.description else cursor.rowcount
    except psycopg.Error as error:
        return str(error.sqlstate)


def named(statement: str) -> str:
    """Return the statement with the key of Ann in place of {ann}, of team A in place of {A}."""
    for name, key in NAMES.items():
        statement = statement.replace(f"{{{name}}}", str(key))
    return statement


def _rows(table: Table) -> list[dict[str, Any]]:
    if table.name == "membership":
        return [
            {"team_id": team, "user_id": user, "role": role, "title": None}
            for (team, user), role in MEMBERS.items()
        ]
    columns = table.columns.keys()
    return [
        {column: value for column, value in row.items() if column in columns}
        for row in (
            {
                "id": team if table.name == "team" else id, "team_id": team, "author_id": owner,
                "owner_id": owner, "user_id": owner, "document_id": id, "tag_id": id,
                "ledger_id": None, "location_id": id, "org_id": str(id), "title": f"title {id}",
            }
            for id, (team, owner) in enumerate(((A, ANN), (B, ED), (C, EVE)), start=1)
        )
    ]  # fmt: skip
