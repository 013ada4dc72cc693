"""Which policies a row must pass, and what each says of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.catalogs.policies import policies_for
from hedgerow.catalogs.tables import LiveTable
from hedgerow.connect import first_line
from hedgerow.why.answer import Gate, PolicyOutcome
from hedgerow.why.question import Command
from hedgerow.why.row import held_row, held_values, names_in_full

USING = "USING"
WITH_CHECK = "WITH CHECK"

GATES: dict[Command, tuple[tuple[Command, str], ...]] = {
    Command.SELECT: ((Command.SELECT, USING),),
    Command.INSERT: ((Command.INSERT, WITH_CHECK),),
    # What a statement changes it must first find, so the policies of SELECT count too.
    Command.UPDATE: (
        (Command.SELECT, USING),
        (Command.UPDATE, USING),
        (Command.UPDATE, WITH_CHECK),
    ),
    Command.DELETE: ((Command.SELECT, USING), (Command.DELETE, USING)),
}
"""Through which conditions a row passes, in PostgreSQL's order."""


@dataclass(frozen=True)
class Condition:
    """What one policy demands at a gate, as the server spells it, and the columns that it names."""

    policy: str
    permissive: bool
    expression: str
    columns: tuple[str, ...]


def conditions_at(
    connection: Connection, table: LiveTable, role: str, command: Command, clause: str
) -> list[Condition]:
    """Return the conditions of the policies that apply to `role`, the permissive ones first."""
    with names_in_full(connection):
        applying = policies_for(connection, [table.oid], role)
    return [
        Condition(
            policy.name,
            policy.permissive,
            str(policy.new_row if clause == WITH_CHECK else policy.using),
            policy.columns,
        )
        for policy in applying
        if policy.applies_to(command.name)
    ]


def pass_gates(
    connection: Connection, table: LiveTable, role: str, command: Command
) -> Iterator[Gate]:
    """Yield how the held row fares at each gate, up to the first that it does not pass.

    The conditions are evaluated as the transaction's current role and identity.
    """
    for needed, clause in GATES[command]:
        outcomes = (
            _evaluate(connection, table, condition)
            for condition in conditions_at(connection, table, role, needed, clause)
        )
        gate = Gate(needed, clause, tuple(outcomes))
        yield gate
        if not gate.passes:
            return


def _evaluate(connection: Connection, table: LiveTable, condition: Condition) -> PolicyOutcome:
    values = held_values(connection, table, condition.columns)
    outcome = PolicyOutcome(
        condition.policy,
        condition.permissive,
        condition.expression,
        result=None,
        values=dict(zip(condition.columns, values, strict=True)),
    )
    savepoint = connection.begin_nested()
    try:
        asked = sql.Statement(f"SELECT ({condition.expression}) FROM {held_row(table)}")  # noqa: S608
        return replace(outcome, result=connection.execute(asked).scalar_one())
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        return replace(outcome, error=first_line(error), sqlstate=state)
    finally:
        savepoint.rollback()
