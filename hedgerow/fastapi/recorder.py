"""What a request did to scoped tables, noted while it runs; only where this is switched on."""

from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Table, event
from sqlalchemy.orm import ORMExecuteState, Session

from hedgerow.config.identity import Identity
from hedgerow.fastapi.statements import Statement
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.sessions.state import identity_of
from hedgerow.why.question import Command


@dataclass
class Record:
    """Who a request was last, and which scoped table it asked last; the write refused to it.

    `constraint` is the one that the refused write would have violated.
    """

    identity: Identity | None = None
    asked: Statement | None = None
    refused: Statement | None = None
    constraint: str | None = None


# The threads of synchronous routes get a copy of the context, with this same object in it.
current: ContextVar[Record | None] = ContextVar("hedgerow_record", default=None)


def note_refusal(statement: Statement | None, constraint: str | None = None) -> None:
    """Note that PostgreSQL refused `statement` to the request that runs."""
    if record := current.get():
        record.refused = statement
        record.constraint = constraint


def listen() -> None:
    """Note from now on what sessions do inside of a request that keeps a record."""
    for name, note in (("do_orm_execute", _note_execution), ("before_flush", _note_flush)):
        if not event.contains(Session, name, note):
            event.listen(Session, name, note)


def _note_execution(state: ORMExecuteState) -> None:
    record = current.get()
    if record is None:
        return
    record.identity = identity_of(state.session)
    table = state.bind_mapper.local_table if state.bind_mapper else None
    if isinstance(table, Table) and isinstance(scope_of(table), Scope):
        record.asked = Statement(_command(state), table)


def _note_flush(session: Session, *_: object) -> None:
    if record := current.get():
        record.identity = identity_of(session)


def _command(state: ORMExecuteState) -> Command:
    if state.is_update:
        return Command.UPDATE
    if state.is_delete:
        return Command.DELETE
    return Command.INSERT if state.is_insert else Command.SELECT
