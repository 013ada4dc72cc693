"""Tables made from declarations inside one transaction, and users who try things on them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, Executable, MetaData, func, select, text
from sqlalchemy.dialects.postgresql import OID
from sqlalchemy.exc import DBAPIError

from hedgerow import Identity, RowSecurity, sql
from hedgerow.migrations.autogenerate import around_tables, differences
from hedgerow.migrations.operation import RowSecurityOp
from hedgerow.policies.declarations import check_declarations
from tests.support.databases import Database
from tests.support.elevation import record_elevation
from tests.support.raw import connect

ROW_SECURITY = RowSecurity()


class Playground:
    """A transaction of the owner's that is rolled back; users are the application role in it."""

    def __init__(
        self, owner: Connection, database: Database, row_security: RowSecurity = ROW_SECURITY
    ) -> None:
        self.owner = owner
        self.row_security = row_security
        self._database = database
        self._elevations: dict[Identity, str] = {}

    def protect(self, metadata: MetaData) -> None:
        """Make the tables, and what their declarations ask for; nothing may be left to do."""
        check_declarations(metadata)
        metadata.create_all(self.owner)
        self.run(self.differences(metadata))
        assert self.differences(metadata) == []

    def differences(self, metadata: MetaData) -> list[RowSecurityOp]:
        """Return what a revision would do for these declarations."""
        return differences(self.owner, metadata.tables.values(), self.row_security)

    def run(self, operations: Iterable[RowSecurityOp]) -> None:
        """Do what a revision would."""
        before, after = around_tables(operations)
        for operation in (*before, *after):
            for statement in operation.statements(self.row_security.roles):
                self.owner.execute(sql.Statement(statement))

    @contextmanager
    def acting_as(self, user: UUID | Identity) -> Iterator[Connection]:
        """Yield the connection as a request with a user's, or another, identity; undo it after."""
        savepoint = self.owner.begin_nested()
        try:
            self._become(user)
            yield self.owner
        finally:
            savepoint.rollback()

    def attempt(self, user: UUID | Identity, statement: Executable | str) -> int | str:
        """Return how many rows a statement of the user's touches, or the SQLSTATE that refuses."""
        with self.acting_as(user) as connection:
            try:
                return self._touch(connection, statement)
            except DBAPIError as error:
                return str(getattr(error.orig, "sqlstate", None))

    def refusal(self, user: UUID, statement: Executable | str) -> dict[str, str | None]:
        """Return all that a client is told where a statement of the user's is refused."""
        with self.acting_as(user) as connection, pytest.raises(DBAPIError) as refused:
            self._touch(connection, statement)
        diagnosis = cast("psycopg.Error", refused.value.orig).diag
        names = (name for name in dir(diagnosis) if not name.startswith("_"))
        return {name: getattr(diagnosis, name) for name in names if name != "source_line"}

    def do(self, user: UUID, statement: Executable | str) -> None:
        """Run a statement as a user, and keep what it did."""
        savepoint = self.owner.begin_nested()
        self._become(user)
        self._touch(self.owner, statement)
        self.owner.execute(text("RESET ROLE"))
        savepoint.commit()

    def oid(self, table: str) -> int:
        """Return the number that the catalogs know a table by."""
        return int(self.owner.scalar(select(func.to_regclass(table).cast(OID))) or 0)

    @staticmethod
    def _touch(connection: Connection, statement: Executable | str) -> int:
        if isinstance(statement, str):
            statement = text(statement)
        result = connection.execute(statement, execution_options={"preserve_rowcount": True})
        touched = result.rowcount
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        return touched

    def _become(self, user: UUID | Identity) -> None:
        identity = user if isinstance(user, Identity) else Identity(user)
        settings = {
            **self.row_security.settings_for(identity),
            "app.elevation": self._elevation(identity) if identity.is_elevated else "",
            "role": self.row_security.database_role(identity),
        }
        self.owner.execute(
            select(*(func.set_config(name, value, True) for name, value in settings.items()))
        )

    def _elevation(self, identity: Identity) -> str:
        """Return the record of an admin's or a service's, made by a connection of its own."""
        if identity not in self._elevations:
            with connect(self._database.app_url) as beside:
                settings = self.row_security.settings_for(identity)
                self._elevations[identity] = record_elevation(beside, settings)
        return self._elevations[identity]


@contextmanager
def playground(database: Database) -> Iterator[Playground]:
    """Yield a playground in a migrated database, of which nothing stays."""
    engine = database.engine()
    with engine.connect() as owner:
        yield Playground(owner, database)
        owner.rollback()
    engine.dispose()
