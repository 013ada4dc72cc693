"""Say of a row with an owner whether it is this user's, shared, a co-member's or public."""

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import ShareFunction, share_function
from hedgerow.why.asker import Asker, Fate, Need
from hedgerow.why.row import held_values, live_table
from hedgerow.why.tenants import shares_a_tenant


def of_an_owner(asker: Asker, table: Table, scope: Scope, need: Need) -> Fate:
    """Return how the held row of an owner comes out."""
    live = live_table(asker.connection, table)
    [owner] = held_values(asker.connection, live, [str(scope.owner_column)])
    whose = "is" if scope.is_user else "belongs to"
    if owner == asker.user:
        return True, f"{whose} this user"
    other = f"{whose} {'another user' if owner is not None else 'nobody'}"
    together = False
    if owner is not None and scope.read == "co_members":
        together, who = shares_a_tenant(asker, table, owner)
        other = f"{other}, {who}"
        if together and need == "see":
            return True, other
    shares = share_function(table, scope)
    may_write = None if shares is None else _shared(asker, table, shares)
    if may_write is None:
        if together or scope.read == "everyone" or is_public(asker, table, scope):
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


def is_public(asker: Asker, table: Table, scope: Scope) -> bool:
    """Return whether the held row of a table without parents is."""
    if not isinstance(scope.public, str):
        return scope.public
    live = live_table(asker.connection, table)
    return held_values(asker.connection, live, [scope.public]) == ("true",)


def _shared(asker: Asker, table: Table, shares: ShareFunction) -> bool | None:
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
