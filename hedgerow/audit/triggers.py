"""The trigger through which a table records what admins change in it."""

import re
from collections.abc import Iterable, Iterator

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
        arguments=", ".join(map(sql.text_literal, _arguments(trigger))),
    )


def drop_trigger_statement(table: str, schema: str | None) -> str:
    """Return the DROP TRIGGER of a table that is audited no more."""
    return f"DROP TRIGGER {NAME} ON {sql.table_name(table, schema)}"


def read_arguments(arguments: bytes) -> AuditTrigger:
    """Return what a trigger's arguments say, as the catalog holds them: each ended by a NUL."""
    given = bytes(arguments).decode().split("\0")
    key, owner, values, tenant = (*given, "", "", "", "")[:4]
    return AuditTrigger(_names(key), owner or None, _names(values), tenant or None)


def _arguments(trigger: AuditTrigger) -> Iterator[str]:
    """Yield the arguments; a table without tenants has the three that older versions wrote."""
    yield _array(trigger.key)
    yield trigger.owner or ""
    yield _array(trigger.values)
    if trigger.tenant is not None:
        yield trigger.tenant


def _names(array: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\\(.)", r"\1", name) for name in re.findall(_QUOTED, array))


def _array(names: Iterable[str]) -> str:
    """Spell names as PostgreSQL spells an array, each quoted."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
