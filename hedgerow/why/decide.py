"""Who or what decides, in the order in which PostgreSQL asks."""

from typing import Any

from sqlalchemy import Connection, Row, text

from hedgerow.config.identity import Identity
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import (
    EXPIRED_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_IDENTITY,
    DatabaseNotReadyError,
)
from hedgerow.why.answer import Answer, Decider, Gate, PolicyOutcome, Verdict
from hedgerow.why.policies import pass_gates
from hedgerow.why.question import Command
from hedgerow.why.row import LiveTable
from hedgerow.why.standing import standing_in

_IDENTITY_STATES = frozenset({MISSING_IDENTITY, INVALID_SIGNATURE, EXPIRED_SIGNATURE})

# A privilege on some columns is enough to reach the row.
_ROLE = text("""
    SELECT rolsuper AS superuser, rolbypassrls AS bypasses,
           pg_has_role(r.oid, c.relowner, 'USAGE') AS owns,
           has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AS enters,
           ARRAY(SELECT privilege FROM unnest(CAST(:privileges AS text[])) AS privilege
                 WHERE NOT has_table_privilege(r.oid, c.oid, privilege)
                   AND NOT CASE WHEN privilege <> 'DELETE'
                           THEN has_any_column_privilege(r.oid, c.oid, privilege) ELSE false END
           ) AS missing
    FROM pg_roles r, pg_class c WHERE r.rolname = :role AND c.oid = :table
""")


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
    state = _role_state(connection, role, table, command)

    def answer(verdict: Verdict, decider: Decider, because: str, **more: Any) -> Answer:
        return Answer(identity, role, verdict, decider, because, **more)

    if not state.enters:
        why = f"Role {role} may not use schema {table.schema}."
        return answer(Verdict.ERROR, Decider.GRANT, why)
    if state.missing:
        why = f"Role {role} was not granted {' and '.join(state.missing)} on {table.name}."
        return answer(Verdict.ERROR, Decider.GRANT, why)
    if not row_exists:
        return answer(Verdict.REFUSED, Decider.NO_ROW, "No row has this key, whoever asks.")
    if not table.enabled:
        why = "Row security of this table is off: PostgreSQL shows every row to every request."
        return answer(Verdict.ALLOWED, Decider.ROW_SECURITY_OFF, why)
    if power := _power_past_policies(state, table):
        why = f"Role {role} {power}: no policy applies to it."
        return answer(Verdict.ALLOWED, Decider.ROLE, why)
    with standing_in(connection, row_security, identity) as role_taken:
        gates = tuple(pass_gates(connection, table, role, command))
    caution = None
    if not role_taken:
        caution = (
            f"The owner may not become {role}, so the conditions were tried as the owner: one that"
            " reads another table may come out differently in a request."
        )
    verdict, decider, because = _judge(gates[-1])
    return answer(verdict, decider, because, gates=gates, caution=caution)


def _role_state(connection: Connection, role: str, table: LiveTable, command: Command) -> Row[Any]:
    # What is to be changed must first be found, which takes SELECT.
    found_first = [Command.SELECT] if command in (Command.UPDATE, Command.DELETE) else []
    privileges = [needed.name for needed in (*found_first, command)]
    wanted = {"role": role, "table": table.oid, "privileges": privileges}
    state = connection.execute(_ROLE, wanted).one_or_none()
    if state is None:
        raise DatabaseNotReadyError(
            f"The database has no role {role!r}: run `alembic upgrade head`."
        )
    return state


def _power_past_policies(state: Row[Any], table: LiveTable) -> str | None:
    if state.superuser:
        return "is a superuser"
    if state.bypasses:
        return "has BYPASSRLS"
    if state.owns and not table.forced:
        return "owns the table, which is not forced"
    return None


def _judge(gate: Gate) -> tuple[Verdict, Decider, str]:
    where = f"{gate.command}, {gate.clause}"
    if (failure := gate.failure) and not gate.passes:
        decider = Decider.IDENTITY if failure.sqlstate in _IDENTITY_STATES else Decider.POLICY
        return Verdict.ERROR, decider, f"Policy {failure.name} failed: {failure.error}."
    if gate.passes:
        return Verdict.ALLOWED, Decider.POLICY, f"{_naming(_permitting(gate))} ({where})."
    if blocking := [one for one in gate.outcomes if not one.permissive and not one.result]:
        names = ", ".join(one.name for one in blocking)
        return Verdict.REFUSED, Decider.POLICY, f"Restrictive: {names} says no ({where})."
    if not any(one.permissive for one in gate.outcomes):
        return Verdict.REFUSED, Decider.POLICY, f"No policy lets this role do it ({where})."
    return Verdict.REFUSED, Decider.POLICY, f"No policy lets the row through ({where})."


def _permitting(gate: Gate) -> list[PolicyOutcome]:
    return [one for one in gate.outcomes if one.permissive and one.result]


def _naming(outcomes: list[PolicyOutcome]) -> str:
    many = len(outcomes) > 1
    names = ", ".join(one.name for one in outcomes)
    return f"Polic{'ies' if many else 'y'} {names} let{'' if many else 's'} the row through"
