"""Say of a row, as its table declares, whose it is and through which others it is reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table

from hedgerow import sql
from hedgerow.config.identity import Identity, Role
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import ShareFunction, share_function
from hedgerow.policies.wanted import kept_columns, user_privileges
from hedgerow.why.impersonation import hold_past_policies
from hedgerow.why.question import Command
from hedgerow.why.row import held_values, live_table

Need = Literal["see", "change", "insert", "delete"]

_NEEDS: dict[Command, Need] = {
    Command.SELECT: "see",
    Command.INSERT: "insert",
    Command.UPDATE: "change",
    Command.DELETE: "delete",
}


@dataclass(frozen=True)
class _Asker:
    """Who asks, on the owner's connection; `table` is the one that the question is about."""

    connection: Connection
    row_security: RowSecurity
    identity: Identity
    table: Table

    @property
    def user(self) -> str:
        return str(self.identity.user_id)


def sentences_from_declaration(
    connection: Connection,
    row_security: RowSecurity,
    identity: Identity,
    table: Table,
    command: Command,
    *,
    row_exists: bool,
) -> Iterator[str]:
    """Yield what the declaration of `table` says of the row that is held, for a user.

    Nothing where it says no more than that rows have an owner: then the policies say it all. What
    else decides, such as policies of the table's own, is not told here.
    """
    scope = scope_of(table)
    if identity.role is not Role.USER or not isinstance(scope, Scope):
        return
    granted = user_privileges(table, scope)
    words = list(dict.fromkeys(privilege.split(" ")[0] for privilege in granted))
    if command.name not in words:
        yield f"As declared, users have {' and '.join(words) or 'no command'} here, and no more."
    elif row_exists and _says_more(scope):
        asker = _Asker(connection, row_security, identity, table)
        savepoint = connection.begin_nested()
        try:
            _, clause = _fate(asker, table, _NEEDS[command])
        finally:
            savepoint.rollback()  # the row is held again
        yield f"As declared, the row {clause}."
    if command is Command.UPDATE and command.name in words:
        kept = kept_columns(table, scope)
        columns = [column.name for column in table.columns if column.name in kept]
        if columns:
            yield f"Nobody but admins changes {' and '.join(columns)}."


def _says_more(scope: Scope) -> bool:
    return bool(
        scope.parents
        or scope.shared_with
        or scope.read
        or scope.public
        or scope.is_user
        or scope.owner_column is None
    )


def _fate(asker: _Asker, table: Table, need: Need) -> tuple[bool, str]:
    """Return whether the held row of `table` may be reached as needed, and a clause that says why.

    Holds the parents in its place.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return False, "is of a table that is not scoped"
    if scope.read == "everyone" and need == "see":
        return True, "is one that everybody who is signed in reads"
    if need == "see" and not scope.parents and _is_public(asker, table, scope):
        return True, "is public"
    if scope.parents:
        return _through_parents(asker, table, scope, need)
    if scope.owner_column is None:
        return False, "belongs to no user: only admins write it"
    return _of_an_owner(asker, table, scope, need)


def _of_an_owner(asker: _Asker, table: Table, scope: Scope, need: Need) -> tuple[bool, str]:
    live = live_table(asker.connection, table)
    [owner] = held_values(asker.connection, live, [str(scope.owner_column)])
    whose = "is" if scope.is_user else "belongs to"
    if owner == asker.user:
        return True, f"{whose} this user"
    other = f"{whose} {'another user' if owner is not None else 'nobody'}"
    shares = share_function(table, scope)
    may_write = None if shares is None else _shared(asker, table, shares)
    if may_write is None:
        if scope.read == "everyone" or _is_public(asker, table, scope):
            other = f"{other}, and others only read it"
        return False, other
    if need == "see":
        return True, f"{other} and is shared with this user"
    if not may_write:
        return False, f"{other} and is shared with this user for reading only"
    shares_are_asked = shares is not None and shares.is_table(asker.table)
    if need == "change" and not shares_are_asked:
        return True, f"{other} and is shared with this user, who may change it"
    return False, f"{other} and is shared with this user, who may change it, and no more"


def _is_public(asker: _Asker, table: Table, scope: Scope) -> bool:
    """Return whether the held row of a table without parents is."""
    if not isinstance(scope.public, str):
        return scope.public
    live = live_table(asker.connection, table)
    return held_values(asker.connection, live, [scope.public]) == ("true",)


def _shared(asker: _Asker, table: Table, shares: ShareFunction) -> bool | None:
    """Return whether the held row is shared for writing too; None where it is not at all."""
    [key] = held_values(asker.connection, live_table(asker.connection, table), [shares.shared_key])
    holder = sql.table_name(shares.table, shares.schema)
    may_write = f"share.{sql.name(shares.write)}" if shares.write else "false"
    asked = sql.Statement(
        f"SELECT bool_or({may_write}) FROM {holder} AS share"  # noqa: S608
        f" WHERE share.{sql.name(shares.key)}::text = {sql.text_literal(str(key))}"
        f" AND share.{sql.name(shares.user)}::text = {sql.text_literal(asker.user)}"
    )
    answer: bool | None = asker.connection.execute(asked).scalar_one()
    return answer


def _through_parents(asker: _Asker, table: Table, scope: Scope, need: Need) -> tuple[bool, str]:
    """Return how the row's parents come out; where one refuses, only those that do."""
    outcomes = []
    for column in scope.parents:
        savepoint = asker.connection.begin_nested()
        try:
            outcomes.append(_through(asker, table, key_to_parent(table, column), column, need))
        finally:
            savepoint.rollback()
    allowed = all(passes for passes, _ in outcomes)
    told = [clause for passes, clause in outcomes if passes is allowed]
    return allowed, ", and ".join(told)


def _through(asker: _Asker, table: Table, key: Key, column: str, need: Need) -> tuple[bool, str]:
    connection, parent = asker.connection, key.parent
    values = held_values(connection, live_table(connection, table), key.columns)
    if None in values:
        return False, f"goes with no {parent.fullname}, since {column} is NULL"
    named = dict(zip(key.parent_columns, map(str, values), strict=True))
    spelled = ", ".join(named.values())
    which = f"goes with {parent.fullname} {spelled} ({', '.join(key.columns)})"
    found = hold_past_policies(
        connection, asker.row_security, asker.identity, live_table(connection, parent), named
    )
    if not found:
        return False, f"{which}, which does not exist"
    passes, clause = _fate(asker, parent, "see" if need == "see" else "change")
    return passes, f"{which}, which {clause}"
