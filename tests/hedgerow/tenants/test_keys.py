"""Keys to tenants, and from row to row of one: what a declaration adds to the foreign key."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    insert,
)
from sqlalchemy.schema import SchemaItem

import hedgerow
from hedgerow import Identity, Role, Scope
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

ANN, BEN, EVE = (UUID(int=number) for number in (1, 2, 3))
REFUSED, NO_SUCH_ROW = "42501", "23503"


@pytest.fixture
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


def found(ground: Playground, *tables: Table) -> None:
    """Have Ann found team 1, in which Ben is admin, and Eve team 2."""
    ground.protect(tables[0].metadata)
    ground.do(ANN, "INSERT INTO team VALUES (1)")
    ground.do(EVE, "INSERT INTO team VALUES (2)")
    members = tables[0].metadata.tables["membership"]
    ground.owner.execute(insert(members).values(team_id=1, user_id=BEN, role="admin"))


def team_and_membership(on_delete: str | None = "CASCADE") -> MetaData:
    metadata = MetaData()
    team = Table("team", metadata, Column("id", Integer, primary_key=True))
    hedgerow.declare(team, Scope.tenant(write={"owner", "admin"}))
    membership = Table(
        "membership", metadata,
        Column("team_id", ForeignKey("team.id", ondelete=on_delete), primary_key=True),
        Column("user_id", Uuid, primary_key=True), Column("role", Text, nullable=False),
    )  # fmt: skip
    hedgerow.declare(membership, Scope.members(tenant="team_id", admins={"admin"}))
    return metadata


def of_team(metadata: MetaData, name: str, scope: Scope, *more: SchemaItem) -> Table:
    """Return a table of rows of a team."""
    table = Table(
        name, metadata, Column("id", Integer, primary_key=True),
        Column("team_id", ForeignKey("team.id"), nullable=False, index=True), *more,
    )  # fmt: skip
    return hedgerow.declare(table, scope)


@pytest.mark.parametrize("on_delete", ["CASCADE", None])
def test_who_may_delete_a_tenant_does_not_found_it_anew(
    ground: Playground, on_delete: str | None
) -> None:
    """Deleted and inserted in one statement, it would keep its documents, and be Ben's."""
    found(
        ground, of_team(team_and_membership(on_delete), "document", Scope.tenant("team_id"))
    )  # fmt: skip
    ground.do(ANN, "INSERT INTO document VALUES (1, 1)")
    anew = f"""
        WITH gone AS (DELETE FROM team WHERE id = 1 RETURNING id),
            left_behind AS (
                DELETE FROM membership USING gone
                WHERE team_id = gone.id AND user_id = '{BEN}' RETURNING team_id
            )
        INSERT INTO team SELECT team_id FROM left_behind
    """
    assert ground.attempt(BEN, anew) == REFUSED


@pytest.mark.parametrize(
    ("folder", "hidden"),
    [
        (Scope.tenant("team_id"), 1),
        (Scope.tenant("team_id", read={"owner"}), NO_SUCH_ROW),
        (Scope.tenant("team_id").and_owner("author_id"), NO_SUCH_ROW),
        (Scope.tenant("team_id").and_owner("author_id", to_read=False), 1),
    ],
    ids=["all members read", "owners read", "authors read", "authors write"],
)
def test_a_key_that_carries_the_tenant_is_checked_where_not_all_members_read(
    ground: Playground, folder: Scope, hidden: int | str
) -> None:
    """P31, P51: Ben refers to Ann's folder if he reads it, and to Eve's in no case."""
    metadata = team_and_membership()
    folders = of_team(
        metadata, "folder", folder, Column("author_id", Uuid), UniqueConstraint("team_id", "id")
    )
    key = ForeignKeyConstraint(["team_id", "folder_id"], ["folder.team_id", "folder.id"])
    file = of_team(metadata, "file", Scope.tenant("team_id"), Column("folder_id", Integer), key)
    found(ground, folders, file)
    for number, user in ((1, ANN), (2, EVE)):
        ground.do(user, f"INSERT INTO folder VALUES ({number}, {number}, '{user}')")
    refer = "INSERT INTO file VALUES (1, 1, {})"
    assert ground.attempt(BEN, refer.format(1)) == hidden
    for foreign in (2, 77):
        assert ground.attempt(BEN, refer.format(foreign)) == NO_SUCH_ROW


def test_a_row_refers_to_none_of_another_tenant_though_its_writer_sees_both(
    ground: Playground,
) -> None:
    """P51: as across owners; an admin who moves a row does not leave its key behind either."""
    metadata = team_and_membership()
    folders = of_team(metadata, "folder", Scope.tenant("team_id"))
    folder: Column[int] = Column("folder_id", ForeignKey("folder.id"))
    of_team(metadata, "file", Scope.tenant("team_id"), folder)
    found(ground, folders)
    members = metadata.tables["membership"]
    ground.owner.execute(insert(members).values(team_id=2, user_id=BEN, role="owner"))
    for team in (1, 2):
        ground.do(BEN, f"INSERT INTO folder VALUES ({team}, {team})")
    missing = "INSERT INTO file VALUES (1, 1, 3)"
    across = "INSERT INTO file VALUES (1, 1, 2)"
    assert ground.attempt(BEN, across) == ground.attempt(BEN, missing) == NO_SUCH_ROW
    assert ground.refusal(BEN, across) == ground.refusal(BEN, missing)
    ground.do(BEN, "INSERT INTO file VALUES (1, 1, 1)")
    assert ground.attempt(BEN, "UPDATE file SET folder_id = 2") == NO_SUCH_ROW
    admin = Identity(ANN, Role.ADMIN, reason="moved")
    assert ground.attempt(admin, "UPDATE file SET team_id = 2") == NO_SUCH_ROW
    assert ground.attempt(admin, "UPDATE file SET team_id = 2, folder_id = 2") == 1
