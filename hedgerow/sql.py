"""Quote names and text for the statements in which PostgreSQL takes no bound values."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

# Any paramstyle but the default, for which a percent sign would be doubled here already, and once
# more where the statement is compiled.
_PREPARER = postgresql.dialect(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]


def name(identifier: str) -> str:
    """Return `identifier` as SQL, quoted where it is reserved, of mixed case or unusual (P41)."""
    return str(_PREPARER.quote(identifier))


def role_name(role: str) -> str:
    """Return a role as SQL; PUBLIC stands for everybody and would, quoted, be one role."""
    return "PUBLIC" if role.lower() == "public" else name(role)


def table_name(table: str, schema: str | None) -> str:
    """Return `schema.table` as SQL, each part quoted where needed."""
    return f"{name(schema)}.{name(table)}" if schema else name(table)


def text_literal(value: str) -> str:
    """Return `value` as an SQL string, for utility statements, which take no parameters."""
    literal = "'" + value.replace("'", "''") + "'"
    # A backslash means itself only where standard_conforming_strings is on; E'' does not depend.
    return "E" + literal.replace("\\", "\\\\") if "\\" in value else literal


def set_config_calls(settings: Mapping[str, str]) -> list[ColumnElement[str]]:
    """Return the calls that make `settings` in a transaction; PostgreSQL makes them in order."""
    return [
        func.set_config(bindparam(None, name), bindparam(None, value), True)
        for name, value in settings.items()
    ]


class Statement(ExecutableDDLElement):
    """Finished SQL text that Alembic and SQLAlchemy run, or print in offline mode, as it stands."""

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(Statement)
def _compile_statement(element: Statement, compiler: Any, **_: Any) -> str:
    return str(compiler.sql_compiler.post_process_text(element.text))
