"""What a deployment calls its database roles, and the passwords of those that log in."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from typing import Self

from hedgerow.errors import ConfigurationError

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL cuts longer names off silently (NAMEDATALEN - 1), so two could become one."""

_NO_ROLES = {"public", "none"}
"""Words that GRANT and SET ROLE do not take for a role."""


@dataclass(frozen=True)
class RoleNames:
    """What this deployment calls the database roles.

    Role names are cluster-wide: two projects on one cluster need different names, or the
    application role of one could take the admin role of the other.
    """

    app: str = "rls_app_user"
    admin: str = "rls_admin"
    read_only_admin: str = "rls_read_only_admin"
    maintenance: str = "rls_maintenance_admin"
    sign_in: str = "rls_sign_in"
    anonymous: str = "rls_anonymous"
    service: str = "rls_service"

    @classmethod
    def prefixed(cls, prefix: str) -> Self:
        """Return the default names with `prefix` in place of `rls`: one word for each project."""
        return cls(*(f"{prefix}{name.removeprefix('rls')}" for name in astuple(cls())))

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return astuple(self)

    @property
    def taken(self) -> tuple[str, ...]:
        """The roles that nobody logs in as: a transaction of the application's takes one."""
        return (self.admin, self.read_only_admin, self.sign_in, self.anonymous, self.service)

    def __post_init__(self) -> None:
        names = self.names
        for name in names:
            if not name or "\0" in name or len(name.encode()) > MAX_IDENTIFIER_BYTES:
                raise ConfigurationError(
                    f"{name!r} is not a role name: use 1 to {MAX_IDENTIFIER_BYTES} bytes"
                    " without NUL."
                )
            if name.lower() in _NO_ROLES:
                raise ConfigurationError(
                    f"{name!r} is a reserved word for roles: choose another name."
                )
        if len(set(names)) != len(names):
            raise ConfigurationError(
                f"Each database role needs a name of its own, got {', '.join(names)}."
            )

    def deployed(self, name: str) -> str:
        """Return what this deployment calls the role that a migration file calls `name`.

        Migrations are literal and use the default names; a deployment may use others.
        """
        return _defaults_to_fields(self).get(name, name)

    def documented(self, name: str) -> str:
        """Return what a migration file calls the role that this deployment calls `name`."""
        inverse = {v: k for k, v in _defaults_to_fields(self).items()}
        return inverse.get(name, name)


def _defaults_to_fields(names: RoleNames) -> Mapping[str, str]:
    return {getattr(RoleNames, one.name): getattr(names, one.name) for one in fields(names)}


@dataclass(frozen=True)
class LoginPasswords:
    """The passwords of the roles that log in."""

    app: str = field(repr=False)
    maintenance: str = field(repr=False)
