"""Teams: create, invite, accept, change roles, leave; served where a model has a team's rows."""

from uuid import UUID

import jwt
from fastapi import APIRouter, BackgroundTasks, HTTPException

from app import emails
from app.api.attempts import AttemptsDep
from app.api.deps import AsyncCurrentUser, AsyncSessionDep, CurrentUser, SessionDep
from app.api.errors import SIGNED_IN, refusals
from app.api.paging import Limit, Skip
from app.core.rls import row_security
from app.core.sessions import async_service_session
from app.models import Message
from app.teams import crud
from app.teams.deps import (
    AsyncGovernor,
    AsyncTenantSessionDep,
    CurrentMembership,
    Governor,
    TenantSessionDep,
    role_does_not_suffice,
    team_not_found,
)
from app.teams.invitation_tokens import (
    LIFETIME,
    create_invitation_token,
    decode_invitation_token,
)
from app.teams.models import (
    INVITATIONS,
    InvitationCreate,
    InvitationPublic,
    InvitationsPublic,
    InvitationToken,
    MembersPublic,
    MemberUpdate,
    Team,
    TeamPublic,
    TeamRole,
    TeamsPublic,
    TeamWrite,
)
from app.teams.profiles import show_profile
from hedgerow import ConfigurationError

if not row_security.enabled:
    raise ConfigurationError(
        "RLS_ENABLED=false, and teams are kept apart by PostgreSQL alone: switch it on, or remove"
        " the models that inherit TenantScopedBase."
    )

router = APIRouter(prefix="/teams", tags=["teams"], responses=SIGNED_IN)


@router.post("/")
def create_team(session: SessionDep, current_user: CurrentUser, team_in: TeamWrite) -> TeamPublic:
    """Create a team; you are its owner."""
    return crud.create_team(session=session, user=current_user, name=team_in.name)


@router.get("/")
def read_teams(session: SessionDep, current_user: CurrentUser) -> TeamsPublic:
    """List your teams, and what you are in each."""
    teams = crud.get_teams(session=session, user_id=current_user.id)
    return TeamsPublic(data=teams, count=len(teams))


@router.post("/invitations/accept", responses=refusals(429))
async def accept_invitation(
    session: AsyncSessionDep,
    current_user: AsyncCurrentUser,
    attempts: AttemptsDep,
    body: InvitationToken,
) -> TeamPublic:
    """Join a team with the token of an invitation; it is for the address that it was sent to."""
    invalid = HTTPException(status_code=400, detail="Invalid invitation")
    async with attempts.link():
        try:
            link = decode_invitation_token(body.token)
        except jwt.InvalidTokenError:
            raise invalid from None
        if not link.is_for(current_user.email):
            raise HTTPException(status_code=400, detail="This invitation is for another address")
        await session.commit()  # one connection at a time: the service has a session of its own
        async with async_service_session(INVITATIONS, reason="invitation accepted") as service:
            team_id = await service.run_sync(
                lambda _: crud.accept_invitation(
                    session=service.sync_session,
                    invitation_id=link.invitation_id,
                    user_id=current_user.id,
                    email=current_user.email,
                )
            )
        if team_id is None:
            raise invalid
    await session.run_sync(lambda _: show_profile(session.sync_session, current_user))
    await session.commit()
    teams = await session.run_sync(
        lambda _: crud.get_teams(session=session.sync_session, user_id=current_user.id)
    )
    return next(team for team in teams if team.id == team_id)


@router.get("/{team_id}")
def read_team(
    session: TenantSessionDep, membership: CurrentMembership, team_id: UUID
) -> TeamPublic:
    """Read one of your teams."""
    team = session.get(Team, team_id)
    if team is None:
        raise team_not_found()
    return TeamPublic(id=team.id, name=team.name, role=TeamRole(membership.role))


@router.put("/{team_id}")
def rename_team(
    session: TenantSessionDep, membership: CurrentMembership, team_id: UUID, team_in: TeamWrite
) -> TeamPublic:
    """Rename a team: its owners and admins."""
    if not crud.rename_team(session=session, team_id=team_id, name=team_in.name):
        raise role_does_not_suffice()
    return read_team(session, membership, team_id)


@router.delete("/{team_id}")
def delete_team(session: TenantSessionDep, team_id: UUID) -> Message:
    """Delete a team and all its rows: its owners."""
    if not crud.delete_team(session=session, team_id=team_id):
        raise role_does_not_suffice()
    return Message(message="Team deleted successfully")


@router.get("/{team_id}/members")
def read_members(
    session: TenantSessionDep, team_id: UUID, skip: Skip = 0, limit: Limit = 100
) -> MembersPublic:
    """List the members of one of your teams."""
    members = crud.get_members(session=session, team_id=team_id, skip=skip, limit=limit)
    return MembersPublic(data=members, count=crud.count_members(session=session, team_id=team_id))


@router.patch("/{team_id}/members/{user_id}")
def change_role(
    session: TenantSessionDep, team_id: UUID, user_id: UUID, member_in: MemberUpdate
) -> Message:
    """Change a member's role: owners all, admins those who neither are nor become an owner."""
    if not crud.change_role(session=session, team_id=team_id, user_id=user_id, role=member_in.role):
        raise _not_allowed_or_not_found(session, team_id, user_id)
    return Message(message="Role changed successfully")


@router.delete("/{team_id}/members/{user_id}")
def remove_member(session: TenantSessionDep, team_id: UUID, user_id: UUID) -> Message:
    """Leave a team, or remove somebody: owners all, admins those who are no owners."""
    if not crud.remove_member(session=session, team_id=team_id, user_id=user_id):
        raise _not_allowed_or_not_found(session, team_id, user_id)
    return Message(message="Member removed successfully")


def _not_allowed_or_not_found(
    session: TenantSessionDep, team_id: UUID, user_id: UUID
) -> HTTPException:
    if crud.is_member(session=session, team_id=team_id, user_id=user_id):
        return role_does_not_suffice()
    return HTTPException(status_code=404, detail="Member not found")


@router.post("/{team_id}/invitations", responses=refusals(429))
async def invite(
    session: AsyncTenantSessionDep,
    governor: AsyncGovernor,
    current_user: AsyncCurrentUser,
    attempts: AttemptsDep,
    background_tasks: BackgroundTasks,
    team_id: UUID,
    invitation_in: InvitationCreate,
) -> InvitationPublic:
    """Invite somebody by e-mail: owners and admins. Nobody is told whether there is an account."""
    if invitation_in.role is TeamRole.OWNER:
        raise HTTPException(status_code=400, detail="Invite a member, and make them an owner then")
    await attempts.invitation(invitation_in.email)
    team = await session.get(Team, team_id)
    if team is None:
        raise team_not_found()
    try:
        invitation = await session.run_sync(
            lambda _: crud.invite(
                session=session.sync_session,
                team_id=team_id,
                invited_by=current_user.id,
                invitation_in=invitation_in,
                lifetime=LIFETIME,
            )
        )
    except crud.InvitedAlreadyError:
        raise HTTPException(status_code=409, detail="There is an open invitation") from None
    background_tasks.add_task(
        emails.deliver_team_invitation,
        email=invitation.email,
        team=team.name,
        inviter=current_user.email,
        token=create_invitation_token(invitation.id, invitation.email),
        days=LIFETIME.days,
    )
    return InvitationPublic.model_validate(invitation, from_attributes=True)


@router.get("/{team_id}/invitations")
def read_invitations(
    session: TenantSessionDep, governor: Governor, team_id: UUID
) -> InvitationsPublic:
    """List the open invitations to a team: to its owners and admins."""
    found = crud.get_invitations(session=session, team_id=team_id)
    data = [InvitationPublic.model_validate(one, from_attributes=True) for one in found]
    return InvitationsPublic(data=data, count=len(data))


@router.delete("/{team_id}/invitations/{invitation_id}")
def withdraw_invitation(
    session: TenantSessionDep, governor: Governor, team_id: UUID, invitation_id: UUID
) -> Message:
    """Withdraw an invitation: owners and admins."""
    if not crud.withdraw_invitation(session=session, team_id=team_id, invitation_id=invitation_id):
        raise HTTPException(status_code=404, detail="Invitation not found")
    return Message(message="Invitation withdrawn successfully")
