"""Tables of teams, their members and invitations, and the models of requests and responses."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.core.text import SHORT_TEXT_LENGTH, Email, Text, Title
from hedgerow import Policy, Scope


class TeamRole(StrEnum):
    """What a member of a team may do."""

    OWNER = "owner"
    """Everything. Whoever creates a team is its first owner, and the last one stays."""
    ADMIN = "admin"
    """Renames the team, invites, and changes members that are no owners."""
    EDITOR = "editor"
    """Writes what the team's tables let editors write."""
    VIEWER = "viewer"
    """Reads."""


GOVERNING = frozenset({TeamRole.OWNER.value, TeamRole.ADMIN.value})
"""The roles that invite, and rename a team."""

_A_ROLE = f"role IN ({', '.join(repr(role.value) for role in TeamRole)})"

INVITATIONS = "team-invitations"
"""The service that makes a member of who has accepted an invitation."""


class TeamBase(SQLModel):
    """The fields that a team's row, requests and responses share."""

    name: str = Field(max_length=SHORT_TEXT_LENGTH)


class Team(TeamBase, table=True):
    """A team: its members see it, and whoever inserts it becomes its first owner."""

    __rls__: ClassVar[Scope] = Scope.tenant(write=GOVERNING, delete={TeamRole.OWNER.value})

    id: UUID = Field(default_factory=uuid4, primary_key=True)


class Membership(SQLModel, table=True):
    """Who belongs to which team, as what.

    Nobody is made a member without consent: the service inserts who has accepted an invitation.
    """

    __table_args__ = (CheckConstraint(_A_ROLE, name="membership_role"),)
    __rls__: ClassVar[Scope] = Scope.members(
        tenant="team_id",
        admins={TeamRole.ADMIN.value},
        read="co_members",
        services={INVITATIONS: {"SELECT", "INSERT"}},
    )

    team_id: UUID = Field(foreign_key="team.id", ondelete="CASCADE", primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", primary_key=True, index=True)
    role: str = Field(max_length=20)


class TeamProfile(SQLModel, table=True):
    """What members of a user's teams see of the user, whose account is the user's alone.

    A row is made when the user first creates or joins a team, and follows the account's changes.
    The foreign key keeps the address: a user may refer to no account but their own.
    """

    __tablename__ = "team_profile"
    __rls__: ClassVar[Scope] = Scope.itself(read="co_members")

    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", primary_key=True)
    email: str = Field(
        sa_column=Column(
            String(SHORT_TEXT_LENGTH),
            ForeignKey("user.email", ondelete="CASCADE", onupdate="CASCADE"),
            unique=True,
            nullable=False,
        )
    )
    full_name: str | None = Field(default=None, max_length=SHORT_TEXT_LENGTH)


class Invitation(SQLModel, table=True):
    """An invitation by e-mail, which is there until it is accepted or withdrawn.

    It is its inviter's word: it counts only while the inviter has the right to invite.
    """

    __table_args__ = (
        UniqueConstraint("team_id", "email"),
        # An owner makes a member an owner who is there already.
        CheckConstraint(f"{_A_ROLE} AND role <> 'owner'", name="invitation_of_no_owner"),
    )
    __rls__: ClassVar[Scope] = Scope.tenant(
        "team_id",
        read=GOVERNING,
        write=GOVERNING,
        commands={"SELECT", "INSERT", "DELETE"},
        policies=(
            Policy(
                "invitation_by_its_inviter",
                "INSERT",
                with_check="invited_by = (SELECT rls.user_id())",
                permissive=False,
            ),
        ),
        services={INVITATIONS: {"SELECT", "DELETE"}},
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    team_id: UUID = Field(foreign_key="team.id", ondelete="CASCADE", index=True)
    email: str = Field(max_length=SHORT_TEXT_LENGTH)
    role: str = Field(max_length=20)
    invited_by: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class TenantScopedBase(SQLModel):
    """Base of every model whose rows belong to a team.

    `class Document(TenantScopedBase, table=True)` inherits `team_id`; its migration carries the
    policies through which PostgreSQL shows the rows to the team's members only. Say in `__rls__`
    which roles write: `Scope.tenant("team_id", write={"editor", "admin", "owner"})`. The rows go
    with their team.
    """

    __rls__: ClassVar[Scope] = Scope.tenant("team_id")

    team_id: UUID = Field(foreign_key="team.id", ondelete="CASCADE", index=True)


def utc_now() -> datetime:
    """Return the current time, with its time zone."""
    return datetime.now(UTC)


class TeamWrite(SQLModel):
    """Request: create or rename a team."""

    name: Title


class TeamPublic(TeamBase):
    """Response: a team, and what the asking user is in it."""

    id: UUID
    role: TeamRole


class TeamsPublic(SQLModel):
    """Response: the teams of the asking user."""

    data: list[TeamPublic]
    count: int


class MemberPublic(SQLModel):
    """Response: a member of a team."""

    user_id: UUID
    role: TeamRole
    email: str | None
    full_name: str | None


class MembersPublic(SQLModel):
    """Response: one page of a team's members, and their number."""

    data: list[MemberPublic]
    count: int


class MemberUpdate(SQLModel):
    """Request: change a member's role."""

    role: TeamRole


class InvitationCreate(SQLModel):
    """Request: invite somebody by e-mail; owners are made of members."""

    email: Email
    role: TeamRole = TeamRole.VIEWER


class InvitationPublic(SQLModel):
    """Response: an invitation that is open."""

    id: UUID
    email: str
    role: TeamRole
    expires_at: datetime


class InvitationsPublic(SQLModel):
    """Response: the invitations of a team that are open."""

    data: list[InvitationPublic]
    count: int


class InvitationToken(SQLModel):
    """Request: accept an invitation with the token of its e-mail."""

    token: Text
