"""Connects engine and application: row security from the settings, and the models' base."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from sqlmodel import Field, SQLModel

import hedgerow
from app.core.config import settings
from hedgerow import Signing


def _signing() -> Signing | None:
    if settings.RLS_CONTEXT_SECRET is None:
        return None
    return Signing(
        settings.RLS_CONTEXT_SECRET,
        max_age=timedelta(seconds=settings.RLS_CONTEXT_MAX_AGE_SECONDS),
        rotation=timedelta(seconds=settings.RLS_CONTEXT_ROTATION_SECONDS),
    )


row_security = hedgerow.RowSecurity(
    roles=hedgerow.RoleNames(
        app=settings.RLS_APP_USER,
        admin=settings.RLS_ADMIN_ROLE,
        read_only_admin=settings.RLS_READ_ONLY_ADMIN_ROLE,
        maintenance=settings.RLS_MAINTENANCE_ADMIN,
        sign_in=settings.RLS_SIGN_IN_ROLE,
        anonymous=settings.RLS_ANONYMOUS_ROLE,
        service=settings.RLS_SERVICE_ROLE,
    ),
    id_type="uuid",
    enabled=settings.RLS_ENABLED,
    force=settings.RLS_FORCE,
    signing=_signing(),
    audit=hedgerow.Audit(reason_required=settings.RLS_ADMIN_REASON_REQUIRED),
    logger="app.core.rls",
)


class UserScopedBase(SQLModel):
    """Base of every model whose rows belong to one user.

    `class Task(UserScopedBase, table=True)` inherits `owner_id`; its migration carries the policies
    through which PostgreSQL shows each user their own rows only. The rows go with their user.
    """

    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope(owner_column="owner_id")

    owner_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)


class AdminContext(hedgerow.AdminContext):
    """`hedgerow.AdminContext` for this application's roles."""

    row_security = row_security
