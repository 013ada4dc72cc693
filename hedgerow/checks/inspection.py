"""What a check may look at: the project's declarations, and its database as the application."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, MetaData, Row, Table, text

from hedgerow import sql
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.scope import Scope, scoped_tables


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
    def tables(self) -> Mapping[int, tuple[Table, Scope]]:
        """The scoped tables that exist in the database, by their oid."""
        names = [sql.table_name(table.name, table.schema) for table, _ in self.scoped]
        oids = self.application.scalars(
            text(
                "SELECT to_regclass(name)::oid FROM unnest(CAST(:names AS text[]))"
                " WITH ORDINALITY AS listed (name, position) ORDER BY position"
            ),
            {"names": names},
        )
        found = zip(oids, self.scoped, strict=True)
        return {oid: table for oid, table in found if oid is not None}

    @cached_property
    def reach(self) -> list[str]:
        """The roles that the login is or may become: injected SQL can do what any of them may.

        Of a superuser, who may become anybody, it is the login alone: H101 says the rest.
        """
        if self.login.rolsuper:
            return [self.login.rolname]
        return list(
            self.application.scalars(
                text(
                    "SELECT rolname FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')"
                    " ORDER BY rolname"
                )
            )
        )

    @cached_property
    def login(self) -> Row[tuple[str, bool, bool]]:
        """The role that the application logs in as: `rolname`, `rolsuper`, `rolbypassrls`."""
        return self.application.execute(
            text(
                "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user"
            )
        ).one()

    @cached_property
    def server_version(self) -> int:
        """The server's version as PostgreSQL numbers it, such as 180006."""
        return int(
            self.application.scalar(text("SELECT current_setting('server_version_num')")) or 0
        )

    @cached_property
    def owner_name(self) -> str:
        """The role that owns the database, to whom its tables are best given."""
        name = self.application.scalar(
            text(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            )
        )
        return str(name)
