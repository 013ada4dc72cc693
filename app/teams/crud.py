"""Teams, their members and invitations, as the session's user may reach them.

PostgreSQL decides what that is: a statement that touches no row may not.
"""

from datetime import timedelta
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select, update

from app.models import User
from app.teams.models import (
    GOVERNING,
    Invitation,
    InvitationCreate,
    MemberPublic,
    Membership,
    Team,
    TeamProfile,
    TeamPublic,
    TeamRole,
    utc_now,
)
from app.teams.profiles import show_profile


class InvitedAlreadyError(Exception):
    """The address has an open invitation to this team."""


def create_team(*, session: Session, user: User, name: str) -> TeamPublic:
    """Store a new team; the database makes the session's user its first owner."""
    team = Team(name=name)
    session.add(team)
    session.flush()
    show_profile(session, user)
    session.commit()
    return TeamPublic(id=team.id, name=team.name, role=TeamRole.OWNER)


def get_teams(*, session: Session, user_id: UUID) -> list[TeamPublic]:
    """Return the user's teams by name, with what the user is in each."""
    mine = select(Team, Membership.role).join(Membership).where(Membership.user_id == user_id)
    found = session.exec(mine.order_by(func.lower(Team.name), col(Team.id)))
    return [TeamPublic(id=team.id, name=team.name, role=TeamRole(role)) for team, role in found]


def rename_team(*, session: Session, team_id: UUID, name: str) -> bool:
    """Return whether the user may rename the team, and did."""
    return _touches(session, update(Team).where(col(Team.id) == team_id).values(name=name))


def delete_team(*, session: Session, team_id: UUID) -> bool:
    """Return whether the user may delete the team with all its rows, and did."""
    return _touches(session, delete(Team).where(col(Team.id) == team_id))


def get_members(*, session: Session, team_id: UUID, skip: int, limit: int) -> list[MemberPublic]:
    """Return one page of a team's members, by their address."""
    page = (
        select(Membership, col(TeamProfile.email), col(TeamProfile.full_name))
        .outerjoin(TeamProfile, col(TeamProfile.user_id) == col(Membership.user_id))
        .where(Membership.team_id == team_id)
        .order_by(col(TeamProfile.email), col(Membership.user_id))
    )
    return [
        MemberPublic(
            user_id=membership.user_id,
            role=TeamRole(membership.role),
            email=email,
            full_name=full_name,
        )
        for membership, email, full_name in session.exec(page.offset(skip).limit(limit))
    ]


def count_members(*, session: Session, team_id: UUID) -> int:
    """Return the number of a team's members."""
    count = select(func.count()).select_from(Membership).where(Membership.team_id == team_id)
    return session.exec(count).one()


def is_member(*, session: Session, team_id: UUID, user_id: UUID) -> bool:
    """Return whether the session's user sees a membership of that user."""
    return session.get(Membership, (team_id, user_id)) is not None


def change_role(*, session: Session, team_id: UUID, user_id: UUID, role: TeamRole) -> bool:
    """Return whether the session's user may change the member's role, and did."""
    member = update(Membership).where(
        col(Membership.team_id) == team_id, col(Membership.user_id) == user_id
    )
    return _touches(session, member.values(role=role.value))


def remove_member(*, session: Session, team_id: UUID, user_id: UUID) -> bool:
    """Return whether the session's user may remove the member, and did."""
    member = delete(Membership).where(
        col(Membership.team_id) == team_id, col(Membership.user_id) == user_id
    )
    return _touches(session, member)


def invite(
    *,
    session: Session,
    team_id: UUID,
    invited_by: UUID,
    invitation_in: InvitationCreate,
    lifetime: timedelta,
) -> Invitation:
    """Store an invitation in place of one that has expired; raises InvitedAlreadyError."""
    expired = delete(Invitation).where(
        col(Invitation.team_id) == team_id,
        col(Invitation.email) == invitation_in.email,
        col(Invitation.expires_at) <= utc_now(),
    )
    session.execute(expired)
    invitation = Invitation(
        team_id=team_id,
        email=invitation_in.email,
        role=invitation_in.role.value,
        invited_by=invited_by,
        expires_at=utc_now() + lifetime,
    )
    session.add(invitation)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        if isinstance(error.orig, UniqueViolation):
            raise InvitedAlreadyError from error
        raise
    return invitation


def get_invitations(*, session: Session, team_id: UUID) -> list[Invitation]:
    """Return the open invitations to a team, by their address."""
    found = select(Invitation).where(
        Invitation.team_id == team_id, col(Invitation.expires_at) > utc_now()
    )
    return list(session.exec(found.order_by(Invitation.email)))


def withdraw_invitation(*, session: Session, team_id: UUID, invitation_id: UUID) -> bool:
    """Return whether there was such an invitation, and is no more."""
    return _touches(
        session,
        delete(Invitation).where(
            col(Invitation.id) == invitation_id, col(Invitation.team_id) == team_id
        ),
    )


def accept_invitation(
    *, session: Session, invitation_id: UUID, user_id: UUID, email: str
) -> UUID | None:
    """Make the user a member and end the invitation; return the team, or None where there is none.

    The session is the service's. Two who accept at once: the second finds no invitation to end. Who
    is a member already stays what they are.
    """
    offered = select(Invitation).where(
        Invitation.id == invitation_id,
        Invitation.email == email,
        col(Invitation.expires_at) > utc_now(),
    )
    invitation = session.exec(offered).one_or_none()
    if invitation is None:
        return None
    team_id = invitation.team_id
    inviter = session.get(Membership, (team_id, invitation.invited_by))
    ended = delete(Invitation).where(col(Invitation.id) == invitation_id)
    if inviter is None or inviter.role not in GOVERNING:
        _touches(session, ended)  # with its inviter's right
        return None
    membership = insert(Membership).values(team_id=team_id, user_id=user_id, role=invitation.role)
    try:
        # Before the invitation ends: it locks the team first, as who deletes the team does.
        session.execute(membership.on_conflict_do_nothing())
    except IntegrityError as error:
        session.rollback()
        if isinstance(error.orig, ForeignKeyViolation):  # the team has just been deleted
            return None
        raise
    if not _changes(session, ended):
        session.rollback()  # accepted or withdrawn meanwhile
        return None
    session.commit()
    return team_id


def _touches(session: Session, statement: Update | Delete) -> bool:
    touches = _changes(session, statement)
    session.commit()
    return touches


def _changes(session: Session, statement: Update | Delete) -> bool:
    result = session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount > 0
