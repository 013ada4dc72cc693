"""All routes of the API."""

import sys

from fastapi import APIRouter

from app.api.routes import (
    admin,
    async_items,
    audit,
    items,
    login,
    private,
    users,
    utils,
)
from app.core.config import settings

api_router = APIRouter()
api_router.include_router(login.router)
api_router.include_router(users.router)
api_router.include_router(utils.router)
api_router.include_router(items.router)
api_router.include_router(async_items.router)
api_router.include_router(admin.router)
api_router.include_router(admin.view_as_router)
api_router.include_router(audit.router)

# A model of the project inherits TenantScopedBase, and is imported above. Not told by the table: a
# project may have a `team` of its own.
if "app.teams.models" in sys.modules:
    from app.teams import routes as teams

    api_router.include_router(teams.router)

if settings.ENVIRONMENT == "local":
    api_router.include_router(private.router)
