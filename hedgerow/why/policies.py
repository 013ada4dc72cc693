"""Which policies a row must pass, and what each says of it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.connect import first_line
from hedgerow.why.answer import Gate, PolicyOutcome
from hedgerow.why.question import Command
from hedgerow.why.row import HELD_ROW, LiveTable, names_in_full

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

_LETTERS = {
    Command.SELECT: "r",
    Command.INSERT: "a",
    Command.UPDATE: "w",
    Command.DELETE: "d",
}

# Where WITH CHECK is missing, USING stands for it.
_APPLYING = text("""
    SELECT polname AS name, polpermissive AS permissive,
           pg_get_expr(CASE WHEN :checks THEN coalesce(polwithcheck, polqual) ELSE polqual END,
                       polrelid) AS expression,
           ARRAY(SELECT attname::text FROM pg_depend d
                 JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_policy'::regclass AND d.objid = pg_policy.oid
                   AND d.refclassid = 'pg_class'::regclass AND d.refobjid = polrelid
                   AND d.refobjsubid > 0
                 ORDER BY attnum) AS columns
    FROM pg_policy
    WHERE polrelid = :table AND polcmd::text IN ('*', :letter)
      AND EXISTS (SELECT FROM unnest(polroles) AS member
                  WHERE member = 0 OR pg_has_role(:role, member, 'USAGE'))
    ORDER BY polpermissive DESC, polname
""")


def applying(
    connection: Connection, table: LiveTable, role: str, command: Command, clause: str
) -> list[Row[Any]]:
    """Return the policies that apply to `role`: `name`, `permissive`, `expression`, `columns`."""
    wanted = {
        "table": table.oid,
        "role": role,
        "letter": _LETTERS[command],
        "checks": clause == WITH_CHECK,
    }
    with names_in_full(connection):
        return list(connection.execute(_APPLYING, wanted))


def pass_gates(
    connection: Connection, table: LiveTable, role: str, command: Command
) -> Iterator[Gate]:
    """Yield how the held row fares at each gate, up to the first that it does not pass.

    The conditions are evaluated as whoever the transaction is now.
    """
    for needed, clause in GATES[command]:
        outcomes = (
            _evaluate(connection, table, policy)
            for policy in applying(connection, table, role, needed, clause)
        )
        gate = Gate(needed, clause, tuple(outcomes))
        yield gate
        if not gate.passes:
            return


def _evaluate(connection: Connection, table: LiveTable, policy: Row[Any]) -> PolicyOutcome:
    # The row stands under its table's name, as conditions refer to it inside sub-selects.
    source = f"FROM unnest(ARRAY[{HELD_ROW}::{table.sql}]) AS {sql.name(table.name)}"
    condition = sql.Statement(f"SELECT ({policy.expression}) {source}")
    columns = [f"{sql.name(table.name)}.{sql.name(column)}::text" for column in policy.columns]
    named = sql.Statement(f"SELECT {', '.join(columns)} {source}")
    outcome = {
        "name": policy.name,
        "permissive": policy.permissive,
        "expression": policy.expression,
        "values": dict(zip(policy.columns, connection.execute(named).one(), strict=True))
        if columns
        else {},
    }
    savepoint = connection.begin_nested()
    try:
        return PolicyOutcome(**outcome, result=connection.execute(condition).scalar_one())
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        return PolicyOutcome(**outcome, result=None, error=first_line(error), sqlstate=state)
    finally:
        savepoint.rollback()
