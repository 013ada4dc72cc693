"""A psycopg connection whose transactions each begin clean, and as nobody."""

from collections.abc import Mapping
from typing import Any, Final
from weakref import ref

from hedgerow import sql
from hedgerow.sessions import pipeline
from hedgerow.sessions.pipeline import Driver, Steps

CLEAN: Final = (b"BEGIN", b"RESET ROLE", b"RESET ALL", b"COMMIT")
"""Takes back what SET and set_config(..., false) have left in the session (P56).

Committed before the transaction begins: otherwise its ROLLBACK would bring all of it back, and
BEGIN would take its isolation level, and whether it may write, from what was left. With no Sync in
between, a pooler in transaction mode has no moment to give BEGIN another session.
"""

_HOOK = "_exec_command"
"""psycopg's own way to send BEGIN (3.2 and 3.3), whatever begins: a cursor, COPY, `transaction()`,
two phases. A test fails where a release moves it."""


def is_guarded(driver_connection: Driver) -> bool:
    """Return whether `begin_clean` has been given this connection."""
    return _HOOK in vars(driver_connection)


def begin_clean(driver_connection: Driver, nobody: Mapping[str, str]) -> None:
    """Have the connection clean itself with each BEGIN, and make `nobody`'s settings after it."""
    known, own = ref(driver_connection), getattr(type(driver_connection), _HOOK)

    def execute(command: Any, *arguments: Any, **options: Any) -> Steps[Any]:
        connection = known()
        if not isinstance(command, bytes) or not command.startswith(b"BEGIN"):
            return (yield from own(connection, command, *arguments, **options))
        if connection is not None and pipeline.is_ready(connection):
            return (yield from pipeline.begin_and_set(connection, nobody, first=CLEAN))
        for each in (*CLEAN, command, *_as_utility(nobody)):
            yield from own(connection, each)

    # Not a bound method, which would hold the connection that holds it.
    setattr(driver_connection, _HOOK, execute)


def _as_utility(settings: Mapping[str, str]) -> list[bytes]:
    pairs = settings.items()
    return [f"SET LOCAL {name} TO {sql.text_literal(value)}".encode() for name, value in pairs]
