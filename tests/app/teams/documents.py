"""A project's own model of a team, with routes of both kinds."""

MODEL = """
from app.teams.models import TenantScopedBase


class Document(TenantScopedBase, table=True):
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope.tenant(
        "team_id", write={"owner", "admin", "editor"}, delete={"owner"}
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    title: str
"""

ROUTES = """
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import select

from app.api.deps import (
    AdminSessionDep,
    AsyncCurrentUser,
    AsyncRLSSessionDep,
    CurrentUser,
    RLSSessionDep,
)
from app.models import Document
from app.teams.deps import AsyncCurrentRole, AsyncTenantSessionDep, CurrentRole, TenantSessionDep

router = APIRouter()


@router.get("/documents/")
def everywhere(session: RLSSessionDep) -> list[str]:
    return list(session.exec(select(Document.title)))


@router.get("/teams/{team_id}/documents/")
@router.get("/here/documents/")
def here(session: TenantSessionDep, role: CurrentRole) -> list[str]:
    return [role, *session.exec(select(Document.title))]


@router.get("/async/teams/{team_id}/documents/")
@router.get("/async/here/documents/")
async def here_async(session: AsyncTenantSessionDep, role: AsyncCurrentRole) -> list[str]:
    return [role, *await session.exec(select(Document.title))]


@router.get("/late/documents/")
def late(user: CurrentUser, session: TenantSessionDep) -> list[str]:
    return list(session.exec(select(Document.title)))


@router.api_route("/both/documents/", methods=["GET", "POST"])
def both(session: TenantSessionDep, wide: RLSSessionDep) -> list[str]:
    return list(session.exec(select(Document.title)))


@router.api_route("/both/admin/documents/", methods=["GET", "POST"])
def both_admin(user: CurrentUser, session: TenantSessionDep, wide: AdminSessionDep) -> list[str]:
    return list(session.exec(select(Document.title)))


@router.api_route("/async/both/documents/", methods=["GET", "POST"])
async def both_async(session: AsyncTenantSessionDep, wide: AsyncRLSSessionDep) -> list[str]:
    return list(await session.exec(select(Document.title)))


@router.get("/typed/{team_id:uuid}/documents/")
def typed(session: TenantSessionDep) -> list[str]:
    return list(session.exec(select(Document.title)))


@router.get("/async/late/documents/")
async def late_async(user: AsyncCurrentUser, session: AsyncTenantSessionDep) -> list[str]:
    return list(await session.exec(select(Document.title)))


@router.post("/teams/{team_id}/documents/")
def create(session: TenantSessionDep, team_id: UUID, title: str) -> None:
    session.add(Document(team_id=team_id, title=title))
    session.commit()


@router.post("/async/teams/{team_id}/documents/")
async def create_async(session: AsyncTenantSessionDep, team_id: UUID, title: str) -> None:
    session.add(Document(team_id=team_id, title=title))
    await session.commit()
"""
