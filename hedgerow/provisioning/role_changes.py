"""What the project's database roles are to be, and what they still need to be it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.catalogs.server import GRANT_OPTIONS_SINCE, server_version
from hedgerow.config.row_security import RowSecurity

_MEMBERSHIPS = text("""
    SELECT g.rolname AS group, grantor.rolname AS grantor,
           -- to_jsonb tells the options where they exist
           (to_jsonb(m) ->> 'inherit_option')::boolean AS inherit,
           (to_jsonb(m) ->> 'set_option')::boolean AS set,
           m.admin_option AS admin
    FROM pg_auth_members m
    JOIN pg_roles g ON g.oid = m.roleid
    JOIN pg_roles r ON r.oid = m.member
    LEFT JOIN pg_roles grantor ON grantor.oid = m.grantor
    WHERE r.rolname = :member ORDER BY 1, 2
""")


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
    """Return the project's roles, those first that others are members of."""
    roles = row_security.roles
    powerless = dict.fromkeys(
        ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS"), False
    )
    return (
        *(
            WantedRole(name, {**powerless, "LOGIN": False, "INHERIT": False})
            for name in roles.taken
        ),
        # Never inheriting: an inherited admin policy applies to every ordinary request (P2).
        WantedRole(
            roles.app,
            {**powerless, "LOGIN": True, "INHERIT": False},
            dict.fromkeys(roles.taken, False),
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


@dataclass(frozen=True)
class Membership:
    """One grant of the role `group`, with its options; before PostgreSQL 16 it has none but admin.

    There the member's own attribute, INHERIT or NOINHERIT, decides.
    """

    group: str
    inherit: bool | None = None
    set: bool | None = None
    admin: bool = False

    def grant_statement(self, member: str) -> str:
        """Return the SQL that grants it."""
        statement = f"GRANT {sql.name(self.group)} TO {sql.name(member)}"
        if self.inherit is None:
            return statement
        return f"{statement} WITH INHERIT {str(self.inherit).upper()}, SET TRUE"


@dataclass(frozen=True)
class RoleChange:
    """One thing that a role needs, in words and as the statement that does it."""

    sentence: str
    statement: str
    optional: bool = False
    """Whether the owner may be unable to do it, and the project works without."""


def pending_role_changes(connection: Connection, row_security: RowSecurity) -> list[RoleChange]:
    """Return what the roles still need to be what the configuration says, in order."""
    roles = wanted_roles(row_security)
    return [
        *(change for wanted in roles for change in _attributes(connection, wanted)),
        *(change for wanted in roles for change in _memberships(connection, wanted)),
    ]


_CATALOG_COLUMNS = {
    "SUPERUSER": "rolsuper",
    "CREATEDB": "rolcreatedb",
    "CREATEROLE": "rolcreaterole",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
    "LOGIN": "rolcanlogin",
    "INHERIT": "rolinherit",
}


def _attributes(connection: Connection, wanted: WantedRole) -> Iterator[RoleChange]:
    row = connection.execute(
        text("SELECT * FROM pg_roles WHERE rolname = :name"), {"name": wanted.name}
    ).one_or_none()
    role = sql.name(wanted.name)
    if row is None:
        harmless = {k: v for k, v in wanted.attributes.items() if k != "BYPASSRLS"}
        statement = f"CREATE ROLE {role} {spell_attributes(harmless)}"
        yield RoleChange(f"Role {wanted.name!r} is missing.", statement)
        current = {**harmless, "BYPASSRLS": False}
    else:
        current = {k: bool(row._mapping[column]) for k, column in _CATALOG_COLUMNS.items()}
    differing = {k: v for k, v in wanted.attributes.items() if current[k] is not v}
    # Apart from the rest, for only a superuser (from 16 on: who has it, too) may grant it.
    bypass = {k: differing.pop(k) for k in ("BYPASSRLS",) if differing.get(k)}
    for attributes in filter(None, (differing, bypass)):
        spelled = spell_attributes(attributes)
        yield RoleChange(
            f"Role {wanted.name!r} should be {spelled}.",
            f"ALTER ROLE {role} {spelled}",
            optional=attributes is bypass,
        )


def _memberships(connection: Connection, wanted: WantedRole) -> Iterator[RoleChange]:
    """Yield the grants of roles to `wanted` that are too much, and those that are missing.

    From 16 on each grantor's grant of the same role is separate, with options of its own.
    """
    has_options = server_version(connection) >= GRANT_OPTIONS_SINCE
    memberships = {
        group: Membership(group, inherit, set=True) if has_options else Membership(group)
        for group, inherit in wanted.member_of.items()
    }
    live = [
        (Membership(row.group, row.inherit, row.set, row.admin), row.grantor)
        for row in connection.execute(_MEMBERSHIPS, {"member": wanted.name})
    ]
    for membership, grantor in live:
        is_wanted = membership.group in memberships
        if membership == memberships.get(membership.group):
            continue
        if is_wanted or not wanted.may_join_others:
            statement = f"REVOKE {sql.name(membership.group)} FROM {sql.name(wanted.name)}"
            if has_options:
                statement += f" GRANTED BY {sql.name(grantor)}"
            how = " as it is now" if is_wanted else ""
            sentence = f"Role {wanted.name!r} should not be a member of {membership.group!r}{how}."
            yield RoleChange(sentence, statement)
    held = {membership for membership, _ in live}
    for group, membership in memberships.items():
        if membership not in held:
            how = "inheriting it" if wanted.member_of[group] else "without inheriting it"
            yield RoleChange(
                f"Role {wanted.name!r} should be a member of {group!r}, {how}.",
                membership.grant_statement(wanted.name),
            )
