"""H125: a pooler or an engine splits transactions across sessions."""

from collections.abc import Iterator
from secrets import token_hex

from sqlalchemy import func, select

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_PROBE = "app.hedgerow_check"
_STATEMENTS = 5


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a pooler, or an engine, that gives the statements of a transaction to several sessions.

    An identity belongs to a transaction: when its statements are split, the query runs without an
    identity, or with another user's.
    """
    if not _keeps_together(inspection):
        yield Finding(
            subject="pooler",
            sentence="The statements of one transaction do not reach the same session: a request"
            " runs without its identity, or with another user's.",
            fix="In pgbouncer.ini set pool_mode = transaction; use no AUTOCOMMIT engine.",
        )


def _keeps_together(inspection: Inspection) -> bool:
    mark = token_hex(8)
    connection = inspection.application
    pid, _ = connection.execute(
        select(func.pg_backend_pid(), func.set_config(_PROBE, mark, True))
    ).one()
    asked = select(func.pg_backend_pid(), func.current_setting(_PROBE, True))
    seen = [tuple(connection.execute(asked).one()) for _ in range(_STATEMENTS)]
    return seen == [(pid, mark)] * _STATEMENTS


CHECK = Check(
    "H125", Level.ERROR, "Transactions split across sessions", find, pitfalls=("P11", "P13", "P19")
)
