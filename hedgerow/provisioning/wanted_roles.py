"""What the project's database roles are to be; whether they are so is asked elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hedgerow.config.row_security import RowSecurity


@dataclass(frozen=True)
class WantedRole:
    """What a role of the project is to be."""

    name: str
    attributes: Mapping[str, bool]
    member_of: Mapping[str, bool] = field(default_factory=dict)
    """The roles that it may take, and whether it inherits them."""
    may_join_others: bool = False
    """Whether an administrator may make it a member of more, such as pg_monitor."""


def wanted_roles(row_security: RowSecurity) -> tuple[WantedRole, ...]:
    """Return the project's four roles, those first that others are members of."""
    roles = row_security.roles
    powerless = dict.fromkeys(
        ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS"), False
    )
    return (
        WantedRole(roles.admin, {**powerless, "LOGIN": False, "INHERIT": False}),
        WantedRole(roles.read_only_admin, {**powerless, "LOGIN": False, "INHERIT": False}),
        # Never inheriting: an inherited admin policy applies to every ordinary request (P2).
        WantedRole(
            roles.app,
            {**powerless, "LOGIN": True, "INHERIT": False},
            {roles.admin: False, roles.read_only_admin: False},
        ),
        WantedRole(
            roles.maintenance,
            {**powerless, "LOGIN": True, "INHERIT": True, "BYPASSRLS": not row_security.force},
            {roles.admin: True},
            may_join_others=True,
        ),
    )


def spell_attributes(attributes: Mapping[str, bool]) -> str:
    """Return attributes as CREATE ROLE takes them, such as `LOGIN NOINHERIT`."""
    return " ".join(name if on else f"NO{name}" for name, on in attributes.items())
