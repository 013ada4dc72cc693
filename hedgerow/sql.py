"""Compose the statements in which PostgreSQL takes no bound values."""

import re
import string
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from hedgerow.errors import ConfigurationError

# Any paramstyle but the default, for which a percent sign would be doubled here already, and once
# more where the statement is compiled.
_PREPARER = postgresql.dialect(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]


def name(identifier: str) -> str:
    """Return `identifier` as SQL, quoted where it is reserved, of mixed case or unusual (P41)."""
    return str(_PREPARER.quote(identifier))


def role_name(role: str) -> str:
    """Return a role as SQL; PUBLIC means all roles and would, quoted, be one role."""
    return "PUBLIC" if role.lower() == "public" else name(role)


def table_name(table: str, schema: str | None) -> str:
    """Return `schema.table` as SQL, each part quoted where needed."""
    return f"{name(schema)}.{name(table)}" if schema else name(table)


def text_literal(value: str) -> str:
    """Return `value` as an SQL string, for utility statements, which take no parameters."""
    literal = "'" + value.replace("'", "''") + "'"
    # A backslash means itself only where standard_conforming_strings is on; E'' does not depend.
    return "E" + literal.replace("\\", "\\\\") if "\\" in value else literal


class _Template(string.Template):
    """SQL with placeholders such as `@{name}`, which SQL itself does not use."""

    flags = re.VERBOSE  # names are in lower case
    pattern = r"""
        @(?:
            \{(?P<braced>[a-z_]+)\} |
            (?P<invalid>(?=\{)) |
            (?P<escaped>(?!)) | (?P<named>(?!))
        )
    """  # type: ignore[assignment]


_BODY_QUOTE = "$body$"


def read(package: str, file: str) -> str:
    """Return the statement in `sql/FILE` of `package`, without the comment that opens it."""
    text = files(package).joinpath("sql", file).read_text(encoding="utf-8")
    return re.sub(r"\A(--.*\n)+", "", text).rstrip().removesuffix(";")


def placeholders(statement: str) -> list[str]:
    """Return the names of the placeholders in a statement."""
    return _Template(statement).get_identifiers()


def fill(statement: str, **values: str) -> str:
    """Return `statement` with `values`, which are SQL, in place of `@{name}`.

    Raises ValueError for a name that has no value, or a value that has no place;
    ConfigurationError for a value that would end the body of a function.
    """
    template = _Template(statement)
    names = set(placeholders(statement))
    if names != values.keys():
        raise ValueError(f"Missing or left over: {', '.join(sorted(names ^ values.keys()))}.")
    for value in values.values():
        if _BODY_QUOTE in value:
            raise ConfigurationError(f"{value} cannot be used: a name must not hold {_BODY_QUOTE}.")
    return template.substitute(values)


_CURRENT_SCHEMA = "\0"
"""Stands in a statement for the schema of an unqualified table, which is known as it runs."""


def qualified_name(table: str, schema: str | None) -> str:
    """Return a table's name with its schema, for a body that `in_current_schema` completes."""
    return f"{name(schema) if schema else _CURRENT_SCHEMA}.{name(table)}"


def in_current_schema(statement: str) -> str:
    """Return a statement with the schema in which it is run where `qualified_name` left it open.

    A body that PostgreSQL reads as it runs names its tables with their schema: so no temporary
    table of the caller's takes their place (P7).
    """
    if _CURRENT_SCHEMA not in statement:
        return statement
    template = statement.replace("%", "%%").replace(_CURRENT_SCHEMA, "%1$I")
    block = f"BEGIN EXECUTE format({text_literal(template)}, current_schema()); END"
    return f"DO {text_literal(block)}"


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
