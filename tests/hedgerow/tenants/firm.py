"""A project with tenants: a table for each way to declare one, in a database of its own.

Users have keys of one type and tenants of another, as a project may choose.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine

import hedgerow
from hedgerow import RowSecurity, Scope, sql
from hedgerow.migrations.audit import CreateAuditOp
from hedgerow.migrations.autogenerate import around_tables, differences
from hedgerow.migrations.operations import CreateFunctionsOp
from hedgerow.policies.declarations import check_declarations
from hedgerow.provisioning.keys import reconcile_functions
from tests.support.databases import Database, create_empty, drop

INVITATIONS = "invitations"
"""The service that makes people members, who have agreed."""


@dataclass(frozen=True)
class Firm:
    """The tables by name, and a class for each, as the ORM has them."""

    tables: dict[str, Table]
    classes: dict[str, type[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mappers = registry(metadata=self.tables["team"].metadata)
        for name, table in self.tables.items():
            self.classes[name] = type(name.title(), (), {})
            mappers.map_imperatively(self.classes[name], table)


def firm(*, tenant_key: TypeEngine[Any], user_key: TypeEngine[Any], **membership: Any) -> Firm:
    """Return the tables; `membership` are further words of the declaration of memberships."""
    metadata = MetaData()
    tables: dict[str, Table] = {}

    def declare(name: str, scope: Scope, *columns: Column[Any]) -> None:
        key = () if any(column.primary_key for column in columns) else (_key(Integer()),)
        table = Table(name, metadata, *key, *columns, Column("title", Text))
        tables[name] = hedgerow.declare(table, scope)

    def refers(column: str, target: str, **options: Any) -> Column[Any]:
        options = {"nullable": False, "index": True, **options}
        return Column(column, ForeignKey(target, ondelete="CASCADE"), **options)

    def team() -> Column[Any]:
        return refers("team_id", "team.id")

    def user(column: str) -> Column[Any]:
        return Column(column, user_key, nullable=False, index=True)

    declare(
        "team", Scope.tenant(write={"owner", "admin"}, delete={"owner"}), _key(tenant_key)
    )  # fmt: skip
    declare(
        "membership",
        Scope.members(
            tenant="team_id",
            admins={"admin"},
            services={INVITATIONS: {"SELECT", "INSERT"}},
            **membership,
        ),
        refers("team_id", "team.id", primary_key=True),
        Column("user_id", user_key, primary_key=True, autoincrement=False, index=True),
        Column("role", Text, nullable=False),
    )
    ledger = Scope.tenant("team_id", read={"owner", "admin"}, write={"owner"})
    declare("ledger", ledger, team())
    declare(
        "document",
        Scope.tenant("team_id", write={"editor", "owner"}, delete={"owner"}),
        team(),
        refers("ledger_id", "ledger.id", nullable=True),
    )
    declare("tag", Scope.tenant("team_id"), team())
    declare("draft", Scope.tenant("team_id").and_owner("author_id"), team(), user("author_id"))
    note = Scope.tenant("team_id").and_owner("author_id", to_read=False)
    declare("note", note, team(), user("author_id"))
    visit = Scope.tenant("team_id").and_claim("location_id", "location")
    declare("visit", visit, team(), Column("location_id", Integer, nullable=False, index=True))
    lead = Scope(None).and_claim("org_id", "org")
    declare("lead", lead, Column("org_id", Text, nullable=False, index=True))
    declare("comment", Scope.through("document_id"), refers("document_id", "document.id"))
    declare(
        "document_tag",
        Scope.through("document_id", "tag_id"),
        refers("document_id", "document.id", primary_key=True),
        refers("tag_id", "tag.id", primary_key=True),
    )
    declare("post", Scope("owner_id", read="co_members"), user("owner_id"))
    declare(
        "profile",
        Scope.itself("user_id", read="co_members"),
        Column("user_id", user_key, primary_key=True, autoincrement=False),
    )
    return Firm(tables)


def _key(kind: TypeEngine[Any]) -> Column[Any]:
    return Column("id", kind, primary_key=True, autoincrement=False)


def firm_for(row_security: RowSecurity, **membership: Any) -> Firm:
    """Return the tables with keys of tenants that go with those of users: UUIDs, or numbers."""
    if row_security.id_type == "uuid":
        return firm(tenant_key=Uuid(), user_key=Uuid(), **membership)
    return firm(tenant_key=Integer(), user_key=BigInteger(), **membership)


@contextmanager
def database_of(server: URL, firm: Firm, row_security: RowSecurity) -> Iterator[Database]:
    """Yield a database with the tables of `firm`, and what their declarations ask for."""
    database = create_empty(server)
    metadata = firm.tables["team"].metadata
    check_declarations(metadata)
    with database.as_owner() as owner:
        for operation in (CreateFunctionsOp(id_type=row_security.id_type), CreateAuditOp()):
            for statement in operation.statements(row_security.roles):
                owner.execute(sql.Statement(statement))
        reconcile_functions(owner, row_security)
        metadata.create_all(owner)
        before, after = around_tables(differences(owner, metadata.tables.values(), row_security))
        for change in (*before, *after):
            for statement in change.statements(row_security.roles):
                owner.execute(sql.Statement(statement))
        assert differences(owner, metadata.tables.values(), row_security) == []
    yield database
    drop(database)


def empty(database: Database, firm: Firm) -> None:
    """Remove all rows."""
    with database.as_owner() as owner:
        owner.execute(text(f"TRUNCATE {', '.join(map(sql.name, firm.tables))}"))
