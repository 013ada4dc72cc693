"""The tables that are measured: teams, who belongs to them, and their documents."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    URL,
    Column,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    NullPool,
    String,
    Table,
    Uuid,
    create_engine,
    text,
)

import hedgerow
from benchmarks.server import autocommitting, create_database, run
from hedgerow import Scope

TENANTS = 1_000
MEMBERS_EACH = 20
TENANTS_OF_USERS = (1, 10, 100)
"""To how many tenants the users belong who ask."""

WRITERS = ("editor", "owner")

METADATA = MetaData()


def _table(name: str, scope: Scope | hedgerow.Exempt, *columns: Column[object]) -> Table:
    return hedgerow.declare(Table(name, METADATA, *columns), scope)


def _refers(name: str, target: str, *, key: bool = False) -> Column[object]:
    return Column(name, ForeignKey(target, ondelete="CASCADE"), primary_key=key, nullable=False)


USER = _table("user", hedgerow.exempt("users are looked up"), Column("id", Uuid, primary_key=True))
TEAM = _table(
    "team",
    Scope.tenant(write={"owner"}),
    Column("id", Uuid, primary_key=True),
    Column("name", String(255), nullable=False),
)
MEMBERSHIP = _table(
    "membership",
    Scope.members(tenant="team_id"),
    _refers("team_id", "team.id", key=True),
    _refers("user_id", "user.id", key=True),
    Column("role", String(20), nullable=False),
)
DOCUMENT = _table(
    "document",
    Scope.tenant("team_id", write=set(WRITERS)),
    Column("id", Uuid, primary_key=True),
    _refers("team_id", "team.id"),
    Column("title", String(255), nullable=False),
    Column("body", String(255), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
Index("ix_membership_user_id", MEMBERSHIP.c.user_id)
Index(
    "ix_document_team_id_created_at_id",
    DOCUMENT.c.team_id,
    DOCUMENT.c.created_at.desc(),
    DOCUMENT.c.id.desc(),
)

# A team's rows lie scattered over the table, as they do where many teams write at the same time.
_FILL = (
    """INSERT INTO "user" SELECT md5('user ' || n)::uuid
    FROM generate_series(1, :tenants * :members) n""",
    "INSERT INTO team SELECT md5('team ' || n)::uuid, n FROM generate_series(0, :tenants - 1) n",
    """INSERT INTO membership
    SELECT md5('team ' || n % :tenants)::uuid, md5('user ' || n)::uuid, 'editor'
    FROM generate_series(:most + 1, :tenants * :members) n""",
    """INSERT INTO membership
    SELECT md5('team ' || t * 7 % :tenants)::uuid, md5('user ' || u)::uuid, 'editor'
    FROM unnest(CAST(:users AS int[])) u, generate_series(1, u) t""",
    """INSERT INTO document
    SELECT md5('document ' || n)::uuid, md5('team ' || n % :tenants)::uuid, 'Note ' || n,
        repeat('What it is about. ', 3), timestamptz '2026-01-01 00:00Z' + n * interval '1 second'
    FROM generate_series(0, :rows - 1) n""",
)


@dataclass(frozen=True)
class Data:
    """One who asks: to how many tenants they belong, one of these, and ids of rows in them."""

    rows: int
    user: UUID
    tenants: int
    tenant: UUID
    own: tuple[UUID, ...]
    seen: int
    foreign: UUID


def make_data(server: URL, name: str, rows: int) -> list[Data]:
    """Create the database `name` with `rows` documents, and return who asks; no row security."""
    url = create_database(server, name)
    values = {
        "rows": rows,
        "tenants": TENANTS,
        "members": MEMBERS_EACH,
        "users": list(TENANTS_OF_USERS),
        "most": max(TENANTS_OF_USERS),
    }
    with create_engine(url, poolclass=NullPool).begin() as connection:
        METADATA.create_all(connection)
        # Foreign keys need no check.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in _FILL:
            connection.execute(text(statement), values)
    run(url, 'VACUUM (ANALYZE, FREEZE) document, membership, team, "user"')
    return [_who_asks(url, rows, tenants) for tenants in TENANTS_OF_USERS]


def _who_asks(url: URL, rows: int, tenants: int) -> Data:
    mine = "team_id = ANY (ARRAY(SELECT team_id FROM membership WHERE user_id = :user))"
    with autocommitting(url) as connection:
        user = connection.scalar(text("SELECT md5('user ' || :n)::uuid"), {"n": tenants})
        asked = {"user": user}
        tenant = connection.scalar(
            text("SELECT min(team_id::text)::uuid FROM membership WHERE user_id = :user"), asked
        )
        own = connection.scalars(text(f"SELECT id FROM document WHERE {mine} LIMIT 100"), asked)
        foreign = text(f"SELECT id FROM document WHERE NOT {mine} LIMIT 1")
        return Data(
            rows,
            user=UUID(str(user)),
            tenants=tenants,
            tenant=UUID(str(tenant)),
            own=tuple(own),
            seen=int(connection.scalar(text(f"SELECT count(*) FROM document WHERE {mine}"), asked)),
            foreign=connection.scalars(foreign, asked).one(),
        )
