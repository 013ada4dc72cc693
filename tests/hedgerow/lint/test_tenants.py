"""Models of tenants that do not keep them apart are found; the fix fixes them."""

from pathlib import Path

from tests.hedgerow.lint.support import findings, write_project

TEAMS = """
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from hedgerow import Scope


class InTeam:
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))


class Team(Base):
    __tablename__ = "team"
    __rls__ = Scope.tenant()
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)


class Membership(Base):
    __tablename__ = "membership"
    __rls__ = Scope.members(tenant="team_id", read="co_members")
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    role: Mapped[str]
    badge: Mapped[int] = mapped_column(unique={found}, nullable=True)


class Folder(InTeam, Base):
    __tablename__ = "folder"
    __rls__ = Scope.tenant("team_id", write={{"owner"}})
    name: Mapped[str] = mapped_column(unique={found})
    __table_args__ = (UniqueConstraint("team_id", "name"), UniqueConstraint("team_id", "id"))


class Page(InTeam, Base):
    __tablename__ = "page"
    __rls__ = Scope.tenant("team_id").and_owner("author_id", to_read=False)
    author_id: Mapped[UUID]
    folder_id: Mapped[int]
    __table_args__ = ({key}, UniqueConstraint("author_id", "folder_id"))


class Draft(InTeam, Base):
    __tablename__ = "draft"
    __rls__ = Scope.tenant("team_id").and_owner("author_id")
    author_id: Mapped[UUID]
    name: Mapped[str]
    __table_args__ = (UniqueConstraint("{unique}", "name"),)


class Lead(Base):
    __tablename__ = "lead"
    __rls__ = Scope(None).and_claim("org")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    org: Mapped[int]
    phone: Mapped[str] = mapped_column(unique={found})


class Sheet(InTeam, Base):
    __tablename__ = "sheet"
    {declared}
"""


def test_what_does_not_keep_tenants_apart_is_found(tmp_path: Path) -> None:
    """P32; slugs of tenants are unique, like addresses of accounts."""
    faults = TEAMS.format(
        found=True,
        key="ForeignKeyConstraint(['folder_id'], ['folder.id'])",
        unique="team_id",
        declared="",
    )
    write_project(tmp_path, models=faults)
    found = {(one["check"], one["subject"]): one for one in findings(tmp_path)}
    assert found.keys() == {
        ("L101", "sheet"),
        ("L104", "draft (team_id, name)"),
        ("L104", "folder (name)"),
        ("L104", "lead (phone)"),
        ("L104", "membership (badge)"),
    }
    assert 'Scope.tenant("team_id"), or' in found["L101", "sheet"]["fix"]
    folder = found["L104", "folder (name)"]
    assert "unique over all tenants: whoever inserts learns whether another" in folder["sentence"]
    assert folder["fix"] == 'make it unique for each tenant, UniqueConstraint("team_id", "name")'
    draft = found["L104", "draft (team_id, name)"]
    assert "unique over all users" in draft["sentence"]
    assert 'UniqueConstraint("author_id", "team_id", "name")' in draft["fix"]
    mended = TEAMS.format(
        found=False,
        key="ForeignKeyConstraint(['folder_id'], ['folder.id'])",
        unique="author_id",
        declared='__rls__ = Scope.tenant("team_id")',
    )
    write_project(tmp_path, models=mended)
    assert findings(tmp_path) == []
