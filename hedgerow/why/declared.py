"""Say of a row, as its table declares, whose it is and through which others it is reached."""

from collections.abc import Iterator

from sqlalchemy import Connection, Table

from hedgerow import sql
from hedgerow.config.identity import Identity, Role
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.wanted import kept_columns, user_privileges
from hedgerow.why.asker import Asker, Fate, Need
from hedgerow.why.impersonation import hold_past_policies
from hedgerow.why.owners import is_public, of_an_owner
from hedgerow.why.question import Command
from hedgerow.why.row import held_row, held_values, live_table
from hedgerow.why.tenants import of_membership, of_tenant

_NEEDS: dict[Command, Need] = {
    Command.SELECT: "see",
    Command.INSERT: "insert",
    Command.UPDATE: "change",
    Command.DELETE: "delete",
}


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
        if services := [name for name, may in scope.services.items() if command.name in may]:
            yield f"It is left to {' and '.join(services)}, by Identity.service(…)."
    elif row_exists and _says_more(scope):
        asker = Asker(connection, row_security, identity, table)
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
            of_tenants = scope.tenant_rows is not None or scope.member_rows is not None
            admins = "admins of the application" if of_tenants else "admins"
            yield f"Nobody but {admins} changes {' and '.join(columns)}."


def _says_more(scope: Scope) -> bool:
    return bool(
        scope.parents
        or scope.shared_with
        or scope.read
        or scope.public
        or scope.is_user
        or scope.owner_column is None
        or scope.claims
    )


def _fate(asker: Asker, table: Table, need: Need) -> Fate:
    """Return whether the held row of `table` may be reached as needed, and a clause that says why.

    Holds the parents in its place.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return False, "is of a table that is not scoped"
    if scope.read == "everyone" and need == "see":
        return True, "is one that everybody who is signed in reads"
    if need == "see" and not scope.parents and is_public(asker, table, scope):
        return True, "is public"
    told = ""
    for conditions in (_kept_apart, _also_owned, _claimed):
        for allowed, clause in conditions(asker, table, scope, need):
            told += f"{', and ' if allowed else ', but '}{clause}" if told else clause
            if not allowed:
                return False, told
    if not told:
        return False, "belongs to no user: only admins write it"
    return True, told


def _kept_apart(asker: Asker, table: Table, scope: Scope, need: Need) -> Iterator[Fate]:
    if scope.parents:
        yield _through_parents(asker, table, scope, need)
    elif scope.tenant_rows is not None:
        yield of_tenant(asker, table, scope.tenant_rows, need)
    elif scope.member_rows is not None:
        yield of_membership(asker, table, scope, scope.member_rows, need)
    elif scope.owner_column is not None:
        yield of_an_owner(asker, table, scope, need)


def _also_owned(asker: Asker, table: Table, scope: Scope, need: Need) -> Iterator[Fate]:
    also = scope.also_owner
    if also is None or (need == "see" and not also.to_read):
        return
    [owner] = held_values(asker.connection, live_table(asker.connection, table), [also.column])
    whose = {asker.user: "this user", None: "nobody"}.get(owner, "another user")
    yield owner == asker.user, f"belongs to {whose} ({also.column})"


def _claimed(asker: Asker, table: Table, scope: Scope, _: Need) -> Iterator[Fate]:
    live = live_table(asker.connection, table)
    for column, claim in scope.claims.items():
        [value] = held_values(asker.connection, live, [column])
        carried = asker.identity.claims.get(claim)
        told = f"has {column} {'NULL' if value is None else value}"
        if carried is None:
            yield False, f"{told}, and the request carries no claim {claim}"
            continue
        equal = f"{sql.name(table.name)}.{sql.name(column)} = {sql.text_literal(carried)}"
        asked = sql.Statement(f"SELECT {equal} FROM {held_row(live)}")  # noqa: S608
        if asker.connection.execute(asked).scalar_one():
            yield True, f"{told}, which is the request's claim {claim}"
        else:
            yield False, f"{told}, and the request's claim {claim} is {carried}"


def _through_parents(asker: Asker, table: Table, scope: Scope, need: Need) -> Fate:
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


def _through(asker: Asker, table: Table, key: Key, column: str, need: Need) -> Fate:
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
