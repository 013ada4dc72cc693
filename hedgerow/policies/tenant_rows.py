"""What a declaration says of tenants: whose tenant's rows, and who belongs to which tenant."""

from collections.abc import Set
from dataclasses import dataclass

from hedgerow.errors import ConfigurationError

Roles = frozenset[str] | None
"""Roles of a membership; None means whatever role."""


@dataclass(frozen=True)
class TenantRows:
    """Rows of the tenant that `column` names, and the roles in which its members may use them.

    Where `column` is None the table's primary key names it: each row is a tenant.
    """

    column: str | None
    read: Roles
    write: Roles
    delete: Roles

    @property
    def named(self) -> frozenset[str]:
        """All roles that it names."""
        return frozenset().union(*(roles or () for roles in (self.read, self.write, self.delete)))


@dataclass(frozen=True)
class MemberRows:
    """Rows that each make a user a member of a tenant: the columns, and the roles that govern.

    `role` is None where members have no roles.
    """

    tenant: str
    user: str
    role: str | None
    owner: str
    admins: frozenset[str]


@dataclass(frozen=True)
class AlsoOwner:
    """The column of the user to whom a row belongs as well; with `to_read`, who alone reads it."""

    column: str
    to_read: bool


def roles_given(
    word: str,
    roles: Set[str] | str | None,
    left_out: str = "for every member, and leave the command out of commands for none",
) -> Roles:
    """Return the roles; raises ConfigurationError for what is no set of names, or an empty one."""
    if roles is None:
        return None
    # A string is a set of letters to what follows.
    named = frozenset[str]() if isinstance(roles, str) else frozenset(roles)
    if not named or not all(role.strip() for role in named):
        raise ConfigurationError(
            f'{word} is a set of roles, as in {word}={{"editor", "owner"}}, got {roles!r}:'
            f" leave it out {left_out}."
        )
    return named
