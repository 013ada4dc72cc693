"""Which statement failed: kept from where SQLAlchemy still knows it, not read from messages."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.sql import Delete, Insert, Update

from hedgerow.why.question import Command

_failed: "WeakKeyDictionary[BaseException, Statement]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Statement:
    """What was to be done, to which table."""

    command: Command
    table: Table

    def __str__(self) -> str:
        return f"{self.command} on {self.table.fullname}"


def listen() -> None:
    """Note from now on what failed on any engine of this process; calling it again is harmless."""
    if not event.contains(Engine, "handle_error", _note):
        event.listen(Engine, "handle_error", _note)


def failed_statement(error: BaseException) -> Statement | None:
    """Return the write whose failure raised `error`; None where it was SQL text, or a query."""
    return _failed.get(error)


def _note(context: ExceptionContext) -> None:
    compiled = getattr(context.execution_context, "compiled", None)
    written = getattr(compiled, "statement", None)
    if context.sqlalchemy_exception is None or not isinstance(written, Insert | Update | Delete):
        return
    if isinstance(table := written.table, Table):
        command = Command(written.__visit_name__)
        _failed[context.sqlalchemy_exception] = Statement(command, table)
