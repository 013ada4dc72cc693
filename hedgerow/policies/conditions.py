"""Who sees and who changes the rows of a table, as SQL conditions, from its declaration.

A condition compares bare columns with sub-selects that PostgreSQL evaluates once a statement, so
that an index on the column applies (P45, P46, P48).
"""

from collections.abc import Iterator

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from hedgerow import sql
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.options import RowCommand
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function
from hedgerow.policies.tenancy import FOUNDED, require_tenancy

IDENTITY = "(SELECT rls.user_id())"

SIGNED_IN = f"{IDENTITY} IS NOT NULL"
"""True for everybody with an identity; without one it is the error that says so."""

_SIGNED_IN_AS_SPELLED = "(( SELECT rls.user_id() AS user_id) IS NOT NULL)"


def is_signed_in(expression: str | None) -> bool:
    """Return whether a condition, as the server spells it, is the one that all who sign in meet."""
    return expression == _SIGNED_IN_AS_SPELLED


def owns(column: str) -> str:
    """Return the condition under which the row is the asking user's own."""
    return f"{column} = {IDENTITY}"


def sees(table: Table, scope: Scope) -> str | None:
    """Return the condition under which users read a row, or None where nobody does.

    What is read beside it, such as shared rows, has policies of its own.
    """
    conditions = list(_more(table, scope, "", to_read=True))
    if scope.parents:
        conditions.insert(0, sees_parents(table, scope))
    elif scope.owner_column is not None:
        conditions.insert(0, owns(sql.name(scope.owner_column)))
    elif scope.tenant_rows is not None:
        conditions.insert(0, _in_tenant(table, scope, "", "SELECT"))
    return _all_of(conditions)


def changes(table: Table, scope: Scope, command: RowCommand) -> str | None:
    """Return the condition under which users insert, change or delete a row; None for nobody."""
    return _changes_row(table, scope, "", command, outer=table.name, depth=0)


def sees_parents(table: Table, scope: Scope, *, public: bool = False) -> str:
    """Return the condition under which all parents of the row are seen.

    With `public` nobody needs to be signed in for it.

    The parents' own policies decide, for PostgreSQL applies them to the sub-select. It is an array,
    so that the children come by the index on their key (P48). A parent that everybody reads needs
    no look: the foreign key says that it is there.
    """
    conditions = dict.fromkeys(
        condition for column in scope.parents for condition in _sees_parent(table, column, public)
    )
    return " AND ".join(conditions)


def _sees_parent(table: Table, column: str, public: bool) -> Iterator[str]:
    key = key_to_parent(table, column)
    parent_scope = scope_of(key.parent)
    if isinstance(parent_scope, Scope) and _is_read_by_all(parent_scope, public):
        if not public:
            yield SIGNED_IN
        yield from (f"{sql.name(part)} IS NOT NULL" for part in key.columns)
        return
    parent = sql.table_name(key.parent.name, key.parent.schema)
    position = key.columns.index(column)
    parent_column = sql.name(key.parent_columns[position])
    yield f"{sql.name(column)} = ANY (ARRAY(SELECT {parent_column} FROM {parent}))"  # noqa: S608
    if len(key.columns) > 1:
        yield _exists(table.name, key, _alias(table, 1))


def _is_read_by_all(scope: Scope, public: bool) -> bool:
    """Whether no other policy, which may be restrictive, has a say in who reads the rows."""
    is_read = scope.public is True or (scope.read == "everyone" and not public)
    others_decide = scope.parents or scope.policies or scope.unmanaged or scope.claims
    return is_read and not others_decide


def _changes_row(
    table: Table, scope: Scope, qualifier: str, command: RowCommand, *, outer: str, depth: int
) -> str | None:
    """Return who may change a row that `qualifier` stands before, in a query that calls it `outer`.

    It looks one parent up by its key for each row that is written, however many parents a user has.
    """
    conditions = list(_more(table, scope, qualifier, to_read=False))
    if scope.parents:
        parents = _changes_parents(table, scope, outer, depth + 1)
        if parents is None:
            return None
        conditions.insert(0, parents)
    elif scope.owner_column is not None:
        conditions.insert(0, owns(f"{qualifier}{sql.name(scope.owner_column)}"))
    elif scope.tenant_rows is not None:
        conditions.insert(0, _in_tenant(table, scope, qualifier, command))
    return _all_of(conditions)


def _changes_parents(table: Table, scope: Scope, outer: str, depth: int) -> str | None:
    conditions = []
    for column in scope.parents:
        key = key_to_parent(table, column)
        inner = _alias(table, depth)
        condition = _changes_parent(key.parent, inner, depth, asked_by=table)
        if condition is None:
            return None
        conditions.append(f"{_exists(outer, key, inner, condition)}")
    return " AND ".join(conditions)


def _changes_parent(table: Table, alias: str, depth: int, asked_by: Table) -> str | None:
    """Return who may change a row of `alias`; its table's policies alone may show more than that.

    Whoever a share names may change the row, but not the shares.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    qualifier = f"{sql.name(alias)}."
    own = _changes_row(table, scope, qualifier, "UPDATE", outer=alias, depth=depth)
    shares = share_function(table, scope)
    if own is None or shares is None or shares.write is None or shares.is_table(asked_by):
        return own
    shared = [shares.holds(qualifier, to_write=True), *claimed(table, scope, qualifier)]
    return f"({own} OR {' AND '.join(shared)})"


def _in_tenant(table: Table, scope: Scope, qualifier: str, command: RowCommand) -> str:
    """Return the condition under which the user is a member in a role that `command` needs."""
    rows = scope.tenant_rows
    assert rows is not None  # noqa: S101 - the caller asked
    assert rows.column is not None  # noqa: S101 - the registry named it
    tenancy = require_tenancy(table, f"Scope.tenant({rows.column!r})")
    roles = {"SELECT": rows.read, "DELETE": rows.delete}.get(command, rows.write)
    column = f"{qualifier}{sql.name(rows.column)}"
    if command == "INSERT" and tenancy.is_tenants_table(table):
        # Not one that is there: deleted in the same statement, it would have a new owner.
        return f"{SIGNED_IN} AND {column} = {FOUNDED}"
    is_member = f"{column} = ANY {tenancy.of_asking_user(roles)}"
    if command == "SELECT" and tenancy.founding and tenancy.is_tenants_table(table):
        return f"({is_member} OR {column} = {FOUNDED})"
    return is_member


def _more(table: Table, scope: Scope, qualifier: str, *, to_read: bool) -> Iterator[str]:
    """Yield what `and_owner` and `and_claim` add."""
    also = scope.also_owner
    if also is not None and (also.to_read or not to_read):
        yield owns(f"{qualifier}{sql.name(also.column)}")
    yield from claimed(table, scope, qualifier)


def claimed(table: Table, scope: Scope, qualifier: str = "") -> Iterator[str]:
    """Yield the conditions that the identity's claims must meet."""
    for column, claim in scope.claims.items():
        kind = table.columns[column].type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
        held = f"(SELECT rls.claim({sql.text_literal(claim)}))::{kind}"
        yield f"{qualifier}{sql.name(column)} = {held}"


def _all_of(conditions: list[str]) -> str | None:
    return " AND ".join(conditions) or None


def _exists(outer: str, key: Key, inner: str, condition: str | None = None) -> str:
    joined = [
        f"{sql.name(inner)}.{sql.name(theirs)} = {sql.name(outer)}.{sql.name(ours)}"
        for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
    ]
    if condition is not None:
        joined.append(condition)
    parent = sql.table_name(key.parent.name, key.parent.schema)
    return f"EXISTS (SELECT FROM {parent} AS {sql.name(inner)} WHERE {' AND '.join(joined)})"


def _alias(table: Table, depth: int) -> str:
    """Return what a sub-select calls a parent: never the name of the table outside of it (P54)."""
    word = "parent" if not table.name.startswith("parent") else "above"
    return f"{word}_{depth}"
