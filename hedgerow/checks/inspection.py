"""What a check may look at: the project's declarations, and its database as the application."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, MetaData, Row, Table, text

from hedgerow.row_security import RowSecurity
from hedgerow.scope import Scope, scoped_tables


@dataclass(frozen=True)
class Inspection:
    """A database under inspection.

    `application` is a connection as the application logs in, for catalogs and plans alike: what it
    may not see, a request may not either. `owner` is one as the tables' owner, for what only the
    owner can read; None at start-up. Checks leave no trace: what they try, they roll back.
    """

    application: Connection
    row_security: RowSecurity
    metadata: MetaData
    owner: Connection | None = None

    @cached_property
    def scoped(self) -> tuple[tuple[Table, Scope], ...]:
        """The scoped tables that the models declare, with their scopes."""
        return tuple(scoped_tables(self.metadata))

    @cached_property
    def login(self) -> Row[tuple[str, bool, bool]]:
        """The role that the application logs in as: `rolname`, `rolsuper`, `rolbypassrls`."""
        return self.application.execute(
            text(
                "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user"
            )
        ).one()

    @cached_property
    def owner_name(self) -> str:
        """The role that owns the database, to whom its tables are best given."""
        name = self.application.scalar(
            text(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            )
        )
        return str(name)
