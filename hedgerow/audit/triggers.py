"""The trigger through which a table records what admins change in it."""

import re
from collections.abc import Iterable

from hedgerow import sql
from hedgerow.config.audit import AuditTrigger
from hedgerow.config.identity import ELEVATION_SETTING
from hedgerow.config.roles import RoleNames

NAME = "rls_audit"

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def create_trigger_statement(
    trigger: AuditTrigger, table: str, schema: str | None, roles: RoleNames
) -> str:
    """Return the CREATE TRIGGER of an audited table.

    Its condition costs an ordinary user's statement a comparison a row and calls no function of
    ours. The elevation and the login are asked for as well as the role, because what ON DELETE
    CASCADE deletes is deleted as the table's owner.
    """
    elevation = sql.text_literal(ELEVATION_SETTING)
    arguments = ", ".join(
        sql.text_literal(argument)
        for argument in (
            _array(trigger.key),
            trigger.owner or "",
            _array(trigger.values),
        )
    )
    return (
        f"CREATE TRIGGER {NAME} AFTER INSERT OR UPDATE OR DELETE"
        f" ON {sql.table_name(table, schema)} FOR EACH ROW"
        f" WHEN (current_user = {sql.text_literal(roles.admin)}::name"
        f" OR session_user = {sql.text_literal(roles.maintenance)}::name"
        f" OR current_setting({elevation}, true) <> '')"
        f" EXECUTE FUNCTION rls.record_change({arguments})"
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
