"""Tables of a project with tenants: teams, their members, and what belongs to a team."""

from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine

import hedgerow
from hedgerow import Scope

_FILL = """
    INSERT INTO person SELECT lpad(n::text, 32, '0')::uuid, n FROM generate_series(1, 5000) n;
    INSERT INTO team SELECT n, n FROM generate_series(1, 1000) n;
    INSERT INTO membership SELECT n % 1000 + 1, lpad(n::text, 32, '0')::uuid, 'owner'
        FROM generate_series(1, 5000) n;
    INSERT INTO membership SELECT n, lpad('1', 32, '0')::uuid, 'owner' FROM generate_series(3, 5) n;
    INSERT INTO document SELECT n, n % 1000 + 1, n FROM generate_series(1, 20000) n;
    INSERT INTO comment SELECT n, n FROM generate_series(1, 20000) n;
    INSERT INTO draft SELECT n, n % 1000 + 1,
        lpad(greatest(n % 1000 + n / 1000 % 4 * 1000, 1)::text, 32, '0')::uuid
        FROM generate_series(1, 20000) n;
    INSERT INTO note SELECT n, n % 1000 + 1,
        lpad(greatest(n % 1000 + n / 1000 % 4 * 1000, 1)::text, 32, '0')::uuid
        FROM generate_series(1, 20000) n;
    INSERT INTO visit SELECT n, n % 1000 + 1, n % 10 FROM generate_series(1, 20000) n;
    INSERT INTO lead SELECT n, n % 1000 FROM generate_series(1, 20000) n;
    ANALYZE
"""


def fill(owner: Connection) -> None:
    """Make 1,000 teams of five, with twenty rows each; user 1 owns teams 2 to 5."""
    for statement in _FILL.split(";\n"):
        owner.execute(text(statement))


def teams(
    key: type[TypeEngine[Any]] = Integer, *, read: Literal["co_members"] | None = "co_members"
) -> MetaData:
    """Return the tables; `key` is the type of a team's key, `read` who sees whom."""
    metadata = MetaData()

    def table(name: str, scope: Scope, *columns: Column[object]) -> None:
        hedgerow.declare(Table(name, metadata, *columns), scope)

    def identifier() -> Column[object]:
        return Column("id", Integer, primary_key=True)

    def team_id(**options: Any) -> Column[object]:
        return Column("team_id", ForeignKey("team.id", ondelete="CASCADE"), **options)

    table(
        "person",
        Scope.itself(read=read),
        Column("id", Uuid, primary_key=True),
        Column("name", Text),
    )
    table(
        "team",
        Scope.tenant(write={"owner", "admin"}, delete={"owner"}),
        Column("id", key, primary_key=True),
        Column("name", Text),
    )
    table(
        "membership",
        Scope.members(tenant="team_id", admins={"admin"}, read=read),
        team_id(primary_key=True),
        Column(
            "user_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
        ),
        Column("role", Text, nullable=False),
    )
    table(
        "document",
        Scope.tenant("team_id", write={"editor", "owner"}, delete={"owner"}),
        identifier(),
        team_id(index=True, nullable=False),
        Column("title", Text),
    )
    table(
        "draft",
        Scope.tenant("team_id").and_owner("author_id"),
        identifier(),
        team_id(index=True, nullable=False),
        Column("author_id", ForeignKey("person.id"), nullable=False),
    )
    table(
        "note",
        Scope.tenant("team_id").and_owner("author_id", to_read=False),
        identifier(),
        team_id(index=True, nullable=False),
        Column("author_id", ForeignKey("person.id"), nullable=False),
    )
    table(
        "comment",
        Scope.through("document_id"),
        identifier(),
        Column("document_id", ForeignKey("document.id"), nullable=False, index=True),
    )
    table(
        "visit",
        Scope.tenant("team_id").and_claim("location_id", "location"),
        identifier(),
        team_id(index=True, nullable=False),
        Column("location_id", Integer, nullable=False),
    )
    table(
        "lead",
        Scope(None).and_claim("org_id", "org"),
        identifier(),
        Column("org_id", Integer, nullable=False, index=True),
    )
    return metadata
