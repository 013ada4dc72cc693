"""The identity that a transaction carries into PostgreSQL."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

REASON_SETTING = "app.reason"
"""Why a maintenance login is made, as in `PGOPTIONS='-c app.reason=backup' pg_dump`."""
USER_ID_SETTING = "app.user_id"
ROLE_SETTING = "app.role"
SIGNATURE_SETTING = "app.signature"
ELEVATION_SETTING = "app.elevation"
"""Which entry of the audit trail records that this transaction is an admin's."""

UserId = UUID | int | str
"""The key of a user; `RowSecurity.id_type` says which of these types it is."""


class Role(StrEnum):
    """What a user may see."""

    USER = "user"
    ADMIN = "admin"
    READ_ONLY_ADMIN = "read_only_admin"
    MAINTENANCE = "maintenance"
    """An admin on the maintenance login, in that login's own database role."""

    @property
    def claimed(self) -> str:
        """What `app.role` holds: to policies, a maintainer is an admin."""
        return Role.ADMIN.value if self is Role.MAINTENANCE else self.value


@dataclass(frozen=True, slots=True)
class Origin:
    """The request in which an identity acts: for the audit trail."""

    method: str
    path: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """One user in one role.

    `user_id` has the type of the project's user key (UUID, bigint or text). It is the *caller's*
    word that this user is who they say and may take this role: authenticate before you build one.
    `reason` says why an admin looks, `origin` in which request: both go to the audit trail.

    With `viewed_by`, an admin looks at the database as this user does: the user's policies decide,
    the transaction is READ ONLY, and the trail names both.
    """

    user_id: UserId
    role: Role = Role.USER
    reason: str | None = None
    origin: Origin | None = None
    viewed_by: "Identity | None" = None

    @property
    def is_elevated(self) -> bool:
        """Whether an admin acts, which the audit trail records."""
        return self.role is not Role.USER or self.viewed_by is not None

    @property
    def is_read_only(self) -> bool:
        """Whether PostgreSQL is to refuse every write."""
        return self.role is Role.READ_ONLY_ADMIN or self.viewed_by is not None

    def __str__(self) -> str:
        because = f" ({self.reason})" if self.reason else ""
        viewer = f", viewed by {self.viewed_by}" if self.viewed_by else ""
        return f"{self.role.value} {self.user_id}{because}{viewer}"
