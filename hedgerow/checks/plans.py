"""How PostgreSQL plans the statements of a user without any rows."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from sqlalchemy import Table, text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy import FOUNDED
from hedgerow.policies.wanted import kept_columns, user_privileges

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


def asks_each_row(node: Node) -> bool:
    """Return whether a node asks for the identity in what it filters rows by.

    Which tenant a statement makes is asked of each row, for it makes one after the other; where
    rows are read, it is a condition of an index.
    """
    condition = str(node.get("Filter", "")).replace(FOUNDED, "")
    return any(mention in condition for mention in ASKS_FOR_IDENTITY)


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


def indexed_commands(inspection: Inspection, table: Table, scope: Scope) -> Iterator[Command]:
    """Yield the commands of users in which an index has to find the rows: by owner, tenant, parent.

    Left out are those that users do not have, and reading what everybody reads, or what is public.
    Which children are written is looked up parent by parent, so an index finds them only where they
    are read too.
    """
    if not scope.deciding_columns:
        return
    granted = user_privileges(table, scope)
    reads_more = scope.read == "everyone" or (scope.public and not scope.parents)
    reads_few = "SELECT" in scope.commands and not reads_more
    for command in get_args(Command):
        is_granted = any(privilege.split(" ")[0] == command for privilege in granted)
        if is_granted and (reads_few if command == "SELECT" or scope.parents else True):
            yield command


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
    """Return a statement that reads no column, or the SELECT policies would join in (P23).

    That of children reads one: only what may be seen of them is found by an index.
    """
    target = sql.table_name(table.name, table.schema)
    if command == "SELECT":
        return f"SELECT FROM {target}"
    reads = f" RETURNING {sql.name(scope.parents[0])}" if scope.parents else ""
    if command == "DELETE":
        return f"DELETE FROM {target}{reads}"  # noqa: S608
    return f"UPDATE {target} SET {_written(table, scope)} = DEFAULT{reads}"  # noqa: S608


def _written(table: Table, scope: Scope) -> str:
    """Return a column, as SQL, that users may change."""
    kept = kept_columns(table, scope)
    free = [column.name for column in table.columns if column.name not in kept]
    first = scope.owner_column if scope.owner_column not in {None, *kept} else free[0]
    return sql.name(str(first))
