"""What a check may look at: the project's declarations, and its database as the application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, MetaData, Row, Table, text

from hedgerow import sql
from hedgerow.audit.functions import RECORD_ELEVATION, RECORD_WRITE
from hedgerow.catalogs.functions import Definer, definers
from hedgerow.catalogs.policies import LivePolicy, policies_within_reach
from hedgerow.catalogs.policy_uses import used_by_policies
from hedgerow.catalogs.server import server_version
from hedgerow.catalogs.tables import LiveTable, tables_by_name
from hedgerow.catalogs.views import View, views_of
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import HedgerowError
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.live_references import would_change
from hedgerow.policies.live_tenancy import altered
from hedgerow.policies.registry import scoped_tables
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import ShareFunction, share_function
from hedgerow.policies.tenancy import Tenancy, tenancy_of
from hedgerow.policies.tenancy_sql import functions as tenancy_functions
from hedgerow.provisioning import functions

_OWN_DEFINERS = (
    "rls.user_id()",
    "rls.identity_name()",
    "rls.verify_identity()",
    "rls.verify_elevation()",
    f"rls.{RECORD_ELEVATION}",
    f"rls.{RECORD_WRITE}",
)
"""The SECURITY DEFINER functions of every database, which H106 compares with what is theirs."""


class UndeterminedError(HedgerowError):
    """A check could not tell; the message says why. Never a pass."""


@dataclass(frozen=True)
class Inspection:
    """A database under inspection.

    `application` is a connection as the application logs in, for catalogs and plans alike: what it
    may not see, a request may not either. `owner` is one as the tables' owner, for what only the
    owner can read; None at start-up. Checks change nothing: what they try, they roll back.
    """

    application: Connection
    row_security: RowSecurity
    metadata: MetaData
    owner: Connection | None = None

    @cached_property
    def scoped(self) -> tuple[tuple[Table, Scope], ...]:
        """The scoped tables that the models declare, with their scopes.

        Raises ConfigurationError where the declarations contradict each other.
        """
        check_declarations(self.metadata, ())
        return tuple(scoped_tables(self.metadata))

    @cached_property
    def share_functions(self) -> Mapping[str, ShareFunction]:
        """The functions that tell what is shared, as the models declare them, by their name."""
        declared = (share_function(table, scope) for table, scope in self.scoped)
        return {shares.signature: shares for shares in declared if shares is not None}

    @cached_property
    def live_tables(self) -> Mapping[str, LiveTable]:
        """The scoped tables that exist in the database, by their name as SQL."""
        names = [sql.table_name(table.name, table.schema) for table, _ in self.scoped]
        return tables_by_name(self.application, names)

    @cached_property
    def tables(self) -> Mapping[int, tuple[Table, Scope]]:
        """The scoped tables that exist in the database, by their oid."""
        named = {sql.table_name(table.name, table.schema): (table, s) for table, s in self.scoped}
        return {live.oid: named[name] for name, live in self.live_tables.items()}

    @cached_property
    def policies(self) -> Sequence[LivePolicy]:
        """The policies of scoped tables that a request can make apply, by table and name."""
        return policies_within_reach(self.application, list(self.tables), self.login.rolname)

    @cached_property
    def views(self) -> Sequence[View]:
        """The views that read scoped tables, as far as requests may use them."""
        if self.login.rolsuper:
            return []  # H101 reports it
        return views_of(self.application, list(self.tables), self.reach)

    @cached_property
    def definers(self) -> Sequence[Definer]:
        """The SECURITY DEFINER functions to whose owner no policy applies, if requests may call."""
        if self.login.rolsuper:
            return []  # H101 reports it
        owner = self.as_owner()
        intact = [
            *(
                signature
                for signature, shares in self.share_functions.items()
                if not would_change(owner, (), shares.create_statements(), shares.name, None)
            ),
            *(tenancy_functions(self.tenancy) if self.tenancy else ()),
        ]
        but = set(intact) - set(self.altered_tenancy)
        return definers(self.application, list(self.tables), self.reach, but=[*_OWN_DEFINERS, *but])

    @cached_property
    def tenancy(self) -> Tenancy | None:
        """Who belongs to which tenant, as the models declare it."""
        return tenancy_of(self.metadata)

    @cached_property
    def altered_tenancy(self) -> Sequence[str]:
        """The functions, by signature, and triggers of tenants that are not as declared."""
        return altered(self.as_owner(), self.tenancy) if self.tenancy else ()

    @cached_property
    def used_by_policies(self) -> Mapping[str, str]:
        """A policy that uses each function, table or view with the rights of who asks."""
        return used_by_policies(self.application, but_schema=functions.SCHEMA)

    @cached_property
    def reach(self) -> list[str]:
        """The roles that the login is or may become: injected SQL can do what any of them may.

        Of a superuser, who may become any role, it is the login alone: H101 reports the rest.
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
        return server_version(self.application)

    @cached_property
    def owner_name(self) -> str:
        """The role that owns the database, to whom its tables are best given."""
        name = self.application.scalar(
            text(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            )
        )
        return str(name)

    def as_owner(self) -> Connection:
        """Return the connection as the tables' owner; raises UndeterminedError without one."""
        if self.owner is None:
            raise UndeterminedError("This needs a connection as the owner, and there is none.")
        return self.owner
