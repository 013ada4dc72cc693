"""Who sees and who changes the rows of a table, as SQL conditions, from its declaration.

A condition compares bare columns with sub-selects that PostgreSQL evaluates once a statement, so
that an index on the column applies (P45, P46, P48).
"""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function

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
    return is_read and not scope.parents and not scope.policies and not scope.unmanaged


def changes_parents(table: Table, scope: Scope) -> str | None:
    """Return the condition under which all parents may be changed, or None where none may be.

    It looks one parent up by its key for each row that is written, however many parents a user has.
    """
    return _changes_parents(table, scope, table.name, 1)


def _changes_parents(table: Table, scope: Scope, outer: str, depth: int) -> str | None:
    conditions = []
    for column in scope.parents:
        key = key_to_parent(table, column)
        inner = _alias(table, depth)
        condition = _changes(key.parent, inner, depth, asked_by=table)
        if condition is None:
            return None
        conditions.append(f"{_exists(outer, key, inner, condition)}")
    return " AND ".join(conditions)


def _changes(table: Table, alias: str, depth: int, asked_by: Table) -> str | None:
    """Return who may change a row of `alias`; its table's policies alone may show more than that.

    Whoever a share names may change the row, but not the shares.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    if scope.parents:
        return _changes_parents(table, scope, alias, depth + 1)
    if scope.owner_column is None:
        return None
    own = owns(f"{sql.name(alias)}.{sql.name(scope.owner_column)}")
    shares = share_function(table, scope)
    if shares is None or shares.write is None or shares.is_table(asked_by):
        return own
    return f"({own} OR {shares.holds(f'{sql.name(alias)}.', to_write=True)})"


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
