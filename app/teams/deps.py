"""Dependencies of routes about one team: the request's session, narrowed to it.

`RLSSessionDep` goes on reaching the rows of all teams of the user. A request has one session, so a
route asks for one of both: together they are one team's, and an admin's session is refused.

Ask for the session before `CurrentUser`: then the team travels with the first BEGIN, and one round
trip more than without a team asks for the membership. After the user it takes a second one.
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, HTTPException, status
from fastapi.requests import HTTPConnection
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

import hedgerow
from app.api.asynchronous import asynchronous
from app.api.deps import (
    AsyncCurrentUser,
    AsyncSessionDep,
    CurrentUser,
    RequestIdentity,
    SessionDep,
)
from app.core.rls import row_security
from app.teams.models import GOVERNING, Membership, TeamRole

TenantHeader = Annotated[
    UUID | None,
    Header(alias="X-Tenant", description="The team, where the path does not name it."),
]


def team_not_found() -> HTTPException:
    """Return the answer for a missing team, and for one of others: 403 would tell it exists."""
    return HTTPException(status.HTTP_404_NOT_FOUND, detail="Team not found")


def role_does_not_suffice() -> HTTPException:
    """Return the answer for a member whose role does not allow it."""
    return HTTPException(
        status.HTTP_403_FORBIDDEN, detail="Your role in this team does not allow this"
    )


async def get_team_id(connection: HTTPConnection, header: TenantHeader = None) -> UUID:
    """Return the team that the path names as `team_id`, or else the header X-Tenant."""
    in_path = connection.path_params.get("team_id")
    try:
        # A converter, as in {team_id:uuid}, has made it a UUID already.
        named = UUID(str(in_path)) if in_path is not None else header
    except ValueError:
        raise team_not_found() from None
    if named is None:
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, detail="Say which team you mean, in the header X-Tenant"
        )
    if header not in (None, named):
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, detail="The path and the header X-Tenant name two teams"
        )
    connection.state.session_team_id = named  # for the identity, which is made next
    return named


TeamId = Annotated[UUID, Depends(get_team_id)]


def get_membership(
    team_id: TeamId, session: SessionDep, current_user: CurrentUser, identity: RequestIdentity
) -> Membership:
    """Narrow the session to the team, and return what the current user is in it, or answer 404.

    The database decides, at each statement: this row is for the answer. A superuser is a user here,
    as anywhere; AdminSessionDep reaches the teams of others.
    """
    # Nothing is sent where the team was known before the user.
    hedgerow.bind(session, replace(identity, tenant_id=team_id), row_security)
    membership = session.get(Membership, (team_id, current_user.id))
    if membership is None:
        raise team_not_found()
    return membership


CurrentMembership = Annotated[Membership, Depends(get_membership)]
AsyncCurrentMembership = Annotated[
    Membership,
    Depends(asynchronous(get_membership, session=AsyncSessionDep, current_user=AsyncCurrentUser)),
]


def get_tenant_session(membership: CurrentMembership, session: SessionDep) -> Session:
    """Return the session of a member of the team, which reaches this team's rows only."""
    return session


TenantSessionDep = Annotated[Session, Depends(get_tenant_session)]
AsyncTenantSessionDep = Annotated[
    AsyncSession,
    Depends(
        asynchronous(get_tenant_session, session=AsyncSessionDep, membership=AsyncCurrentMembership)
    ),
]


def get_current_role(membership: CurrentMembership) -> TeamRole:
    """Return what the current user is in the team, at the start of the request."""
    return TeamRole(membership.role)


CurrentRole = Annotated[TeamRole, Depends(get_current_role)]
AsyncCurrentRole = Annotated[
    TeamRole, Depends(asynchronous(get_current_role, membership=AsyncCurrentMembership))
]


def get_governor(role: CurrentRole) -> TeamRole:
    """Return the role of an owner or admin, or answer 403: a member knows that there is a team."""
    if role not in GOVERNING:
        raise role_does_not_suffice()
    return role


Governor = Annotated[TeamRole, Depends(get_governor)]
AsyncGovernor = Annotated[TeamRole, Depends(asynchronous(get_governor, role=AsyncCurrentRole))]
