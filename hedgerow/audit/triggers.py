"""The trigger through which a table records what admins change in it."""

import re
from collections.abc import Iterable

from hedgerow import sql
from hedgerow.config.audit import AuditTrigger
from hedgerow.config.identity import ELEVATION_SETTING
from hedgerow.config.roles import RoleNames

NAME = "rls_audit"

# On one line: a check prints it as its fix.
_CREATE = " ".join(sql.read("hedgerow.audit", "trigger.sql").split())
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def create_trigger_statement(
    trigger: AuditTrigger, table: str, schema: str | None, roles: RoleNames
) -> str:
    """Return the CREATE TRIGGER of an audited table."""
    return sql.fill(
        _CREATE,
        name=NAME,
        table=sql.table_name(table, schema),
        admin_role=sql.text_literal(roles.admin),
        service_role=sql.text_literal(roles.service),
        maintenance_role=sql.text_literal(roles.maintenance),
        elevation_setting=sql.text_literal(ELEVATION_SETTING),
        key=sql.text_literal(_array(trigger.key)),
        owner=sql.text_literal(trigger.owner or ""),
        values=sql.text_literal(_array(trigger.values)),
    )


def drop_trigger_statement(table: str, schema: str | None) -> str:
    """Return the DROP TRIGGER of a table that is audited no more."""
    return f"DROP TRIGGER {NAME} ON {sql.table_name(table, schema)}"


def read_arguments(arguments: bytes) -> AuditTrigger:
    """Return what a trigger's arguments say, as the catalog holds them: each ended by a NUL."""
    key, owner, values = (*bytes(arguments).decode().split("\0"), "", "", "")[:3]
    return AuditTrigger(_names(key), owner or None, _names(values))


def _names(array: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\\(.)", r"\1", name) for name in re.findall(_QUOTED, array))


def _array(names: Iterable[str]) -> str:
    """Spell names as PostgreSQL spells an array, each quoted."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
