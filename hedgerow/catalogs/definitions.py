"""Functions and triggers as the server holds them, with all that decides what they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

# What another role owns has that role's rights, and stays its own when it is replaced.
_DEFINITIONS = text("""
    SELECT f AS name, pg_get_functiondef(p.oid) AS definition,
           obj_description(p.oid, 'pg_proc') AS note,
           has_function_privilege('public', p.oid, 'EXECUTE')::text AS state,
           p.proowner <> ALL(ARRAY[current_user::regrole::oid,
               (SELECT relowner FROM pg_class WHERE oid = to_regclass(:beside))]) AS is_foreign
    FROM unnest(CAST(:functions AS text[])) AS f
    JOIN pg_proc p ON p.oid = to_regprocedure(f)
    UNION ALL
    SELECT t.tgname, pg_get_triggerdef(t.oid), '', t.tgenabled::text, false
    FROM pg_trigger t
    JOIN unnest(CAST(:names AS text[]), CAST(:tables AS text[])) AS wanted (name, of_table)
        ON t.tgname = wanted.name AND t.tgrelid = to_regclass(wanted.of_table)
""")


@dataclass(frozen=True)
class Definition:
    """A function or a trigger: its SQL, the comment on it, and whether it is open, or on.

    `is_foreign` where neither the asking role nor the owner of the table beside it owns it.
    """

    name: str
    definition: str
    note: str | None
    state: str
    is_foreign: bool


def definitions(
    connection: Connection,
    functions: Sequence[str],
    triggers: Sequence[tuple[str, str]],
    *,
    beside: str,
) -> Mapping[str, Definition]:
    """Return those that exist, by name; each of `triggers` is a name and its table as SQL."""
    known = {
        "functions": list(functions),
        "names": [name for name, _ in triggers],
        "tables": [table for _, table in triggers],
        "beside": beside,
    }
    rows = connection.execute(_DEFINITIONS, known).mappings()
    return {row["name"]: Definition(**row) for row in rows}
