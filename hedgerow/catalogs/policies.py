"""Policies, with their conditions as the server spells them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, text

Command = Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]
"""What a policy is for."""

_COMMANDS: Final[dict[str, Command]] = {
    "*": "ALL",
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
}

# A role that injected SQL can SET lets through as well; a restriction must hold for all.
_POLICIES = text("""
    SELECT polrelid AS table, polname AS name, polcmd::text AS letter, polpermissive AS permissive,
        ARRAY(SELECT coalesce(rolname, 'public')
              FROM unnest(polroles) AS member LEFT JOIN pg_roles r ON r.oid = member
              ORDER BY 1) AS roles,
        pg_get_expr(polqual, polrelid) AS using,
        pg_get_expr(polwithcheck, polrelid) AS with_check,
        ARRAY(SELECT attname::text FROM pg_depend d
              JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
              WHERE d.classid = 'pg_policy'::regclass AND d.objid = pg_policy.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = polrelid
                AND d.refobjsubid > 0
              ORDER BY attnum) AS columns
    FROM pg_policy
    WHERE polrelid = ANY(:tables) AND (
        CAST(:role AS name) IS NULL
        OR EXISTS (SELECT FROM unnest(polroles) AS member
                   WHERE member = 0 OR pg_has_role(CAST(:role AS name), member,
                       CASE WHEN :or_set AND polpermissive THEN 'MEMBER' ELSE 'USAGE' END)))
    ORDER BY polrelid, polpermissive DESC, polname
""")


@dataclass(frozen=True)
class LivePolicy:
    """A policy as the database has it; `columns` are those of the table that it names."""

    table: int
    name: str
    command: Command
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    with_check: str | None
    columns: tuple[str, ...]

    def applies_to(self, command: str) -> bool:
        """Return whether the policy decides on statements of this kind."""
        return self.command in ("ALL", command)

    @property
    def new_row(self) -> str | None:
        """What a row must fulfil to be written: USING where there is no WITH CHECK (P30)."""
        writes = self.command not in ("SELECT", "DELETE")
        return self.with_check or (self.using if writes else None)


def policies(connection: Connection, tables: Collection[int]) -> list[LivePolicy]:
    """Return the policies of the tables."""
    return _read(connection, tables, role=None, or_set=False)


def policies_for(connection: Connection, tables: Collection[int], role: str) -> list[LivePolicy]:
    """Return those that apply to `role`, by table, the permissive ones first, and name."""
    return _read(connection, tables, role, or_set=False)


def policies_within_reach(
    connection: Connection, tables: Collection[int], role: str
) -> list[LivePolicy]:
    """Return those that apply to `role`, and the permissive ones of each role that it can SET."""
    return _read(connection, tables, role, or_set=True)


def _read(
    connection: Connection, tables: Collection[int], role: str | None, *, or_set: bool
) -> list[LivePolicy]:
    asked = {"tables": list(tables), "role": role, "or_set": or_set}
    return [
        LivePolicy(
            table=row.table,
            name=row.name,
            command=_COMMANDS[row.letter],
            permissive=row.permissive,
            roles=tuple(row.roles),
            using=row.using,
            with_check=row.with_check,
            columns=tuple(row.columns),
        )
        for row in connection.execute(_POLICIES, asked)
    ]
