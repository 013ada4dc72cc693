"""Whether a statement is allowed, and what decides: rules, in the order that PostgreSQL asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hedgerow.catalogs.privileges import Access, access
from hedgerow.catalogs.tables import LiveTable
from hedgerow.config.identity import Identity
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import (
    EXPIRED_SIGNATURE,
    INVALID_SIGNATURE,
    LAST_OWNER,
    MISSING_IDENTITY,
    DatabaseNotReadyError,
)
from hedgerow.why.answer import Answer, Decider, Gate, Verdict
from hedgerow.why.impersonation import impersonating
from hedgerow.why.last_owner import tenants_left_without_owner
from hedgerow.why.policies import pass_gates
from hedgerow.why.question import Command
from hedgerow.why.references import hidden_references

_IDENTITY_STATES = frozenset({MISSING_IDENTITY, INVALID_SIGNATURE, EXPIRED_SIGNATURE})


@dataclass(frozen=True)
class _Case:
    """What the rules look at: `identity`, in `role`, and the row that is held, if one exists."""

    connection: Connection
    row_security: RowSecurity
    identity: Identity
    table: LiveTable
    command: Command
    row_exists: bool
    role: str
    access: Access

    def answer(self, verdict: Verdict, decider: Decider, because: str, **more: Any) -> Answer:
        return Answer(self.identity, self.role, verdict, decider, because, **more)


def decide(
    connection: Connection,
    row_security: RowSecurity,
    identity: Identity,
    table: LiveTable,
    command: Command,
    *,
    row_exists: bool,
) -> Answer:
    """Return how `command` comes out for `identity` on the row that is held, if one is.

    Raises DatabaseNotReadyError where the database lacks the role.
    """
    role = row_security.database_role(identity)
    # What is to be changed must first be found, which takes SELECT.
    found_first = [Command.SELECT] if command in (Command.UPDATE, Command.DELETE) else []
    privileges = [needed.name for needed in (*found_first, command)]
    granted = access(connection, role, table.oid, privileges)
    if granted is None:
        raise DatabaseNotReadyError(
            f"The database has no role {role!r}: run `alembic upgrade head`."
        )
    case = _Case(connection, row_security, identity, table, command, row_exists, role, granted)
    for rule in _BEFORE_POLICIES:
        if answer := rule(case):
            return answer
    return _policies(case)


def _schema(case: _Case) -> Answer | None:
    if case.access.enters_schema:
        return None
    because = f"Role {case.role} may not use schema {case.table.schema}."
    return case.answer(Verdict.ERROR, Decider.GRANT, because)


def _privileges(case: _Case) -> Answer | None:
    if not case.access.missing:
        return None
    missing = " and ".join(case.access.missing)
    because = f"Role {case.role} was not granted {missing} on {case.table.name}."
    return case.answer(Verdict.ERROR, Decider.GRANT, because)


def _existence(case: _Case) -> Answer | None:
    if case.row_exists:
        return None
    return case.answer(Verdict.REFUSED, Decider.NO_ROW, "No row has this key.")


def _row_security_off(case: _Case) -> Answer | None:
    if case.table.enabled:
        return None
    because = "Row security of this table is off: every request sees every row."
    return case.answer(Verdict.ALLOWED, Decider.ROW_SECURITY_OFF, because)


def _bypass(case: _Case) -> Answer | None:
    if case.access.superuser:
        power = "is a superuser"
    elif case.access.bypasses_policies:
        power = "has BYPASSRLS"
    elif case.access.owns and not case.table.forced:
        power = "owns the table, which is not forced"
    else:
        return None
    because = f"Role {case.role} {power}: no policy applies to it."
    return case.answer(Verdict.ALLOWED, Decider.ROLE, because)


_BEFORE_POLICIES: tuple[Callable[[_Case], Answer | None], ...] = (
    _schema,
    _privileges,
    _existence,
    _row_security_off,
    _bypass,
)
"""What decides before any policy is asked; the first that answers has the last word."""


def _policies(case: _Case) -> Answer:
    with impersonating(case.connection, case.row_security, case.identity) as role_taken:
        gates = tuple(pass_gates(case.connection, case.table, case.role, case.command))
        # A key is checked once the policies have let the row through.
        writes = case.command in (Command.INSERT, Command.UPDATE) and gates[-1].passes
        hidden = list(hidden_references(case.connection, case.table)) if writes else []
    caution = None
    if not role_taken:
        caution = (
            f"The owner may not become {case.role}, so the conditions were tried as the owner: one"
            " that reads another table may come out differently in a request."
        )
    verdict, decider, because = _outcome(gates[-1])
    if hidden and case.command is Command.INSERT:
        verdict, decider, because = Verdict.REFUSED, Decider.REFERENCE, _hidden_parents(hidden)
    elif hidden:
        because += f" An update that writes the key is refused, though: {_hidden_parents(hidden)}"
    kept = _without_owner(case) if gates[-1].passes else ""
    if kept and case.command is Command.DELETE:
        verdict, decider, because = Verdict.REFUSED, Decider.LAST_OWNER, kept
    elif kept:
        because += f" An update of its role is refused, though: {kept}"
    return case.answer(verdict, decider, because, gates=gates, caution=caution)


def _hidden_parents(keys: Sequence[str]) -> str:
    if len(keys) == 1:
        return f"The key {keys[0]} refers to a row that this user cannot see."
    return f"The keys {' and '.join(keys)} refer to rows that this user cannot see."


def _without_owner(case: _Case) -> str:
    """Return what a trigger says to a change of the last owner of a tenant; nothing to others."""
    if case.command not in (Command.UPDATE, Command.DELETE):
        return ""
    deleted = case.command is Command.DELETE
    left = tenants_left_without_owner(case.connection, case.table, deleted=deleted)
    if not left:
        return ""
    return f"It would leave {' and '.join(left)} without an owner (error {LAST_OWNER})."


def _outcome(gate: Gate) -> tuple[Verdict, Decider, str]:
    """Return how the last gate that was reached comes out."""
    where = f"{gate.command}, {gate.clause}"
    if gate.passes:
        names = [one.name for one in gate.outcomes if one.permissive and one.result]
        noun, verb = ("Policy", "lets") if len(names) == 1 else ("Policies", "let")
        because = f"{noun} {', '.join(names)} {verb} the row through ({where})."
        return Verdict.ALLOWED, Decider.POLICY, because
    if failure := gate.failure:
        decider = Decider.IDENTITY if failure.sqlstate in _IDENTITY_STATES else Decider.POLICY
        return Verdict.ERROR, decider, f"Policy {failure.name} failed: {failure.error}."
    if blocking := [one.name for one in gate.outcomes if not one.permissive and not one.result]:
        because = f"Restrictive: {', '.join(blocking)} says no ({where})."
    elif not any(one.permissive for one in gate.outcomes):
        because = f"No policy lets this role do it ({where})."
    else:
        because = f"No policy lets the row through ({where})."
    return Verdict.REFUSED, Decider.POLICY, because
