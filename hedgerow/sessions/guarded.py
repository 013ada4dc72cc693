"""A psycopg connection whose transactions each begin clean, and as nobody where none is bound."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import ref

import psycopg
from psycopg import generators, pq

from hedgerow import sql
from hedgerow.sessions import pipeline
from hedgerow.sessions.pipeline import Driver, Steps

CLEAN: Final = (b"BEGIN", b"RESET ROLE", b"RESET ALL", b"COMMIT")
"""Takes back what SET and set_config(..., false) have left in the session (P56).

Committed before the transaction begins: otherwise its ROLLBACK would bring all of it back, and
BEGIN would take its isolation level, and whether it may write, from what was left. With no Sync in
between, a pooler in transaction mode has no moment to give BEGIN another session.
"""

_UNLOCK: Final = "pg_catalog.pg_advisory_unlock_all()"

_HOOK: Final = "_exec_command"
"""psycopg's own way to send BEGIN (3.2 and 3.3), whatever begins: a cursor, COPY, `transaction()`,
two phases. A test fails where a release moves it."""

_STATE: Final = "_hedgerow_guarded"


@dataclass
class Guarded:
    """What is known of a guarded connection."""

    nobody: bytes
    """The statement that makes the settings of a transaction without an identity."""

    is_from_pool: bool = True
    """Whether its next transaction is the first since the pool has handed it out."""

    ran_block: bool = False
    """Whether a statement since then may have been a DO."""

    has_more: bool = False
    """Whether a statement may have left in the session what CLEAN does not take back."""

    def calls(self) -> list[str]:
        """Return what to call as the next transaction begins.

        Locks are given back in the first since the pool has handed the connection out: they may be
        held from one transaction to the next of the same checkout.
        """
        is_first, self.is_from_pool = self.is_from_pool, False
        return [_UNLOCK] if is_first else []


def is_guarded(driver_connection: object) -> bool:
    """Return whether a driver's connection is guarded; none of another driver than psycopg 3 is."""
    drivers = (psycopg.Connection, psycopg.AsyncConnection)
    return isinstance(driver_connection, drivers) and guarded(driver_connection) is not None


def guarded(driver_connection: Any) -> Guarded | None:
    """Return what is known of a guarded connection; None for any other."""
    state: Guarded | None = vars(driver_connection).get(_STATE)
    return state


def guard_connection(driver_connection: Driver, nobody: Mapping[str, str]) -> Guarded:
    """Have the connection clean itself with each BEGIN, and make `nobody`'s settings after it."""
    known, own = ref(driver_connection), getattr(type(driver_connection), _HOOK)
    state = Guarded(_as_text(nobody))

    # Not a bound method, which would hold the connection that holds it.
    def execute(command: Any, *arguments: Any, **options: Any) -> Steps[Any]:
        connection = known()
        if connection is None or not isinstance(command, bytes) or command[:5] != b"BEGIN":
            return (yield from own(connection, command, *arguments, **options))
        unlock = [f"SELECT {call}".encode() for call in state.calls()]
        statements = [*CLEAN, command, *unlock, state.nobody]
        if connection.info.pipeline_status is pq.PipelineStatus.OFF:
            return (yield from _together(connection, statements))
        for each in statements:
            yield from own(connection, each)

    setattr(driver_connection, _HOOK, execute)
    setattr(driver_connection, _STATE, state)
    return state


def begin_and_set(driver_connection: Driver, settings: Mapping[str, str]) -> Steps[None]:
    """Do what `pipeline.begin_and_set` does; a guarded connection is cleaned in the same flush."""
    state = guarded(driver_connection)
    if state is None:
        return pipeline.begin_and_set(driver_connection, settings)
    return pipeline.begin_and_set(driver_connection, settings, first=CLEAN, calls=state.calls())


def clean(driver_connection: Driver) -> Steps[None]:
    """Clean a guarded connection that is in no transaction, in a flush of its own."""
    return _together(driver_connection, CLEAN)


def _together(driver_connection: Driver, statements: Iterable[bytes]) -> Steps[None]:
    """Run statements that hold no values as one text, which is cheaper than a pipeline."""
    pgconn = driver_connection.pgconn
    pgconn.send_query(b"; ".join(statements))
    for result in (yield from generators.execute(pgconn)):
        if result.status == pq.ExecStatus.FATAL_ERROR:
            encoding = driver_connection.info.encoding
            raise psycopg.errors.error_from_result(result, encoding=encoding)


def _as_text(nobody: Mapping[str, str]) -> bytes:
    """Return the statement that makes `nobody`'s settings, which are no secret."""
    calls = [
        f"pg_catalog.set_config({sql.text_literal(name)}, {sql.text_literal(value)}, true)"
        for name, value in nobody.items()
    ]
    return f"SELECT {', '.join(calls)}".encode()
