"""The identity that a transaction carries into PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from hedgerow.config.claims import Claims, as_json, check_text
from hedgerow.errors import IdentityError

REASON_SETTING = "app.reason"
"""Why a maintenance login is made, as in `PGOPTIONS='-c app.reason=backup' pg_dump`."""
USER_ID_SETTING = "app.user_id"
ROLE_SETTING = "app.role"
TENANT_SETTING = "app.tenant_id"
"""To which of the user's tenants a transaction is narrowed, where it is to one."""
CLAIMS_SETTING = "app.claims"
"""The claims as a JSON object, whose values are texts."""
SIGNATURE_SETTING = "app.signature"
ELEVATION_SETTING = "app.elevation"
"""Which entry of the audit trail records that this transaction is an admin's."""

CONTEXT_SETTINGS: Final = (TENANT_SETTING, CLAIMS_SETTING)
"""Settings that are sent only where an identity has something for them to hold."""

UserId = UUID | int | str
"""The key of a user, or of a tenant; `RowSecurity.id_type` says of which type a user's is."""


class Role(StrEnum):
    """What an identity may see."""

    USER = "user"
    ADMIN = "admin"
    READ_ONLY_ADMIN = "read_only_admin"
    MAINTENANCE = "maintenance"
    """An admin on the maintenance login, in that login's own database role."""
    SIGN_IN = "sign_in"
    """Somebody who claims a name to sign in with, such as an e-mail address, and is no user yet."""
    ANONYMOUS = "anonymous"
    """Nobody is signed in, on purpose."""
    SERVICE = "service"
    """A job that is no person."""

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


USERS: Final = frozenset({Role.USER, Role.ADMIN, Role.READ_ONLY_ADMIN, Role.MAINTENANCE})
"""The roles of an identity that is a user: of the others `rls.user_id()` is an error."""

NOBODY: Final = (Role.SIGN_IN, Role.ANONYMOUS)
"""The roles of who is nobody yet, and becomes somebody by signing in."""

UNRECORDED: Final = (Role.USER, *NOBODY)
"""The roles that are no elevation: the audit trail does not record who takes one."""

NO_CLAIMS: Final = Claims({})


@dataclass(frozen=True, slots=True)
class Identity:
    """One user in one role; or, by `sign_in`, `anonymous` and `service`, who is no user.

    `user_id` has the type of the project's user key (UUID, bigint or text). It is the *caller's*
    word that this user is who they say and may take this role: authenticate before you build one.
    `reason` says why an admin looks, `origin` in which request: both go to the audit trail.

    With `viewed_by`, an admin looks at the database as this user does: the user's policies decide,
    the transaction is READ ONLY, and the trail names both.

    `tenant_id` narrows tables of tenants to the rows of that tenant, if the user is a member: the
    database asks its table of members. Admins and services see all rows with it, too; the audit
    trail tells it. `claims` are more of the caller's words for policies, such
    as `{"location": "7"}`; no table says whether they are true.

    Raises IdentityError for a tenant or a claim of somebody who is nobody yet, or that is empty, no
    text or nothing that PostgreSQL can hold.
    """

    user_id: UserId
    role: Role = Role.USER
    reason: str | None = None
    origin: Origin | None = None
    viewed_by: "Identity | None" = None
    tenant_id: UserId | None = None
    claims: Mapping[str, str] = NO_CLAIMS

    def __post_init__(self) -> None:
        if not isinstance(self.claims, Claims):
            object.__setattr__(self, "claims", Claims(self.claims))
        if isinstance(self.tenant_id, str):
            if not self.tenant_id.strip():
                raise IdentityError("A tenant_id must not be empty: None is for no tenant.")
            check_text(self.tenant_id, "The tenant_id")
        if self.role in NOBODY and (self.tenant_id is not None or self.claims):
            raise IdentityError(
                f"A tenant and claims are for users and services: an identity of role"
                f" {self.role.value!r} has none."
            )

    @classmethod
    def sign_in(cls, name: str) -> Self:
        """Return the identity of somebody who claims to be the user with this name.

        It sees the one row whose sign-in column (`Scope.itself(sign_in="email")`) holds `name`, may
        insert it, and sees nothing else. Write `name` as that column stores it, in lower case, say.
        Raises IdentityError for an empty name.
        """
        return cls(_named(name), Role.SIGN_IN)

    @classmethod
    def anonymous(cls) -> Self:
        """Return the identity of nobody: it reads what is declared `public`, and nothing else."""
        return cls("anonymous", Role.ANONYMOUS)

    @classmethod
    def service(
        cls,
        name: str,
        *,
        reason: str | None = None,
        tenant_id: UserId | None = None,
        claims: Mapping[str, str] = NO_CLAIMS,
    ) -> Self:
        """Return the identity of a job that is no person, such as `nightly-report`.

        Declarations that name it in `services` admit it, and no others. The audit trail records it.
        Raises IdentityError for an empty name.
        """
        return cls(_named(name), Role.SERVICE, reason, tenant_id=tenant_id, claims=claims)

    @property
    def is_user(self) -> bool:
        """Whether it is a user, in whatever role."""
        return self.role in USERS

    @property
    def is_elevated(self) -> bool:
        """Whether an admin or a service acts, which the audit trail records."""
        return self.role not in UNRECORDED or self.viewed_by is not None

    @property
    def is_read_only(self) -> bool:
        """Whether PostgreSQL is to refuse every write."""
        return self.role is Role.READ_ONLY_ADMIN or self.viewed_by is not None

    @property
    def context(self) -> Mapping[str, str]:
        """The settings that hold the tenant and the claims, where it has any."""
        context = {}
        if self.tenant_id is not None:
            context[TENANT_SETTING] = str(self.tenant_id)
        if self.claims:
            context[CLAIMS_SETTING] = as_json(self.claims)
        return context

    def __str__(self) -> str:
        tenant = f" in tenant {self.tenant_id}" if self.tenant_id is not None else ""
        because = f" ({self.reason})" if self.reason else ""
        viewer = f", viewed by {self.viewed_by}" if self.viewed_by else ""
        if self.role in NOBODY:
            return self.role.value  # an address does not belong into a log
        return f"{self.role.value} {self.user_id}{tenant}{because}{viewer}"


def _named(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise IdentityError(
            f"An identity needs a name, as in Identity.service('report'): {name!r}."
        )
    return name
