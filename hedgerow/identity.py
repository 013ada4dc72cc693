"""Who is asking: the identity that one transaction carries into PostgreSQL."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

USER_ID_SETTING = "app.user_id"
ROLE_SETTING = "app.role"
SIGNATURE_SETTING = "app.signature"

UserId = UUID | int | str


class Role(StrEnum):
    """What the asker may see; the value is what `app.role` holds in PostgreSQL."""

    USER = "user"
    ADMIN = "admin"
    READ_ONLY_ADMIN = "read_only_admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """One user in one role.

    `user_id` has the type of the project's user key (UUID, bigint or text). It is the *caller's*
    word that this user is who they say and may take this role: authenticate before you build one.
    `reason` says why an admin looks; it goes to the log.
    """

    user_id: UserId
    role: Role = Role.USER
    reason: str | None = None

    def __str__(self) -> str:
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.role.value} {self.user_id}{because}"
