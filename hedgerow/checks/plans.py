"""How PostgreSQL plans the statements of a user without any rows."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sqlalchemy import Table, text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.policies.scope import Scope

Node = Mapping[str, Any]

ASKS_FOR_IDENTITY = ("rls.", "current_setting(")
"""How a filter looks that asks for the identity: the functions, or the settings beneath them."""

Command = Literal["SELECT", "UPDATE", "DELETE"]
"""The commands whose policies decide which rows are looked for."""

_PARTS = text("""
    WITH RECURSIVE part AS (
        SELECT CAST(:table AS oid) AS oid
        UNION SELECT i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid
    )
    SELECT n.nspname, c.relname
    FROM part JOIN pg_class c ON c.oid = part.oid JOIN pg_namespace n ON n.oid = c.relnamespace
""")


def explain(inspection: Inspection, statement: str) -> list[Node]:
    """Return every node of the plan of `statement`, outermost first; nothing is executed."""
    connection = inspection.application
    plan = connection.execute(sql.Statement(f"EXPLAIN (VERBOSE, FORMAT JSON) {statement}"))
    return list(walk(plan.scalar_one()[0]["Plan"]))


def walk(node: Node) -> Iterator[Node]:
    """Yield a node of a plan and all below it, outermost first."""
    yield node
    for child in node.get("Plans", ()):
        yield from walk(child)


def scans(inspection: Inspection, oid: int, scope: Scope, command: Command) -> list[Node]:
    """Return the nodes that read a table, or its partitions, where nothing but policies filters."""
    table, _ = inspection.tables[oid]
    parts = {
        (row.nspname, row.relname)
        for row in inspection.application.execute(_PARTS, {"table": oid}).all()
    }
    nodes = explain(inspection, _bare_statement(table, scope, command))
    return [
        node
        for node in nodes
        if (node.get("Schema"), node.get("Relation Name")) in parts
        and node["Node Type"] != "ModifyTable"
    ]


def _bare_statement(table: Table, scope: Scope, command: Command) -> str:
    """Return a statement that reads no column, or the SELECT policies would join in (P23)."""
    target = sql.table_name(table.name, table.schema)
    if command == "UPDATE":
        column = sql.name(scope.owner_column or next(iter(table.columns)).name)
        return f"UPDATE {target} SET {column} = DEFAULT"  # noqa: S608
    return f"DELETE FROM {target}" if command == "DELETE" else f"SELECT FROM {target}"  # noqa: S608
