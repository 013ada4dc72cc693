"""Bind an identity to a SQLAlchemy session, for every transaction that it will begin."""

import logging
from dataclasses import dataclass, field

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from hedgerow.audit.recorder import record_elevation
from hedgerow.config.identity import NOBODY, Identity
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import IdentityError
from hedgerow.sessions import begin, observation

_KEY = "hedgerow"


@dataclass
class SessionIdentity:
    """Who a session is: the identity that it was bound to, and elevations stacked on it."""

    row_security: RowSecurity
    base: Identity | None = None
    elevations: list[Identity] = field(default_factory=list)
    recorded: list[tuple[Connection, Identity, str]] = field(default_factory=list)
    """The elevations of each connection's transaction, and where the audit trail records them."""

    @property
    def current(self) -> Identity | None:
        return self.elevations[-1] if self.elevations else self.base


def identity_of(session: Session) -> Identity | None:
    """Return the identity that `session`'s next statement runs as, or None where none is bound."""
    state = session.info.get(_KEY)
    return state.current if isinstance(state, SessionIdentity) else None


def state_of(session: Session, row_security: RowSecurity) -> SessionIdentity:
    """Return `session`'s identity state, made on first use."""
    state = session.info.get(_KEY)
    if not isinstance(state, SessionIdentity):
        state = session.info[_KEY] = SessionIdentity(row_security)
    return state


def bind_session(session: Session, identity: Identity, row_security: RowSecurity) -> None:
    """Bind a session; `hedgerow.bind` says what that means."""
    state = state_of(session, row_security)
    if state.elevations:
        raise IdentityError("This session is inside an admin block: bind identities outside of it.")
    if state.base is not None:
        refuse_change(state.base, identity)
    if state.base == identity:
        return
    if session.in_nested_transaction():
        raise IdentityError(IN_SAVEPOINT)
    state.base = identity
    apply_to_open_transaction(session, state)


IN_SAVEPOINT = "A savepoint that is rolled back would take the identity with it: bind before it."


def refuse_change(bound: Identity, identity: Identity) -> None:
    """Raise IdentityError for another user, and for more than a read-only admin may do.

    Who was nobody yet becomes somebody by signing in.
    """
    if bound.role in NOBODY:
        return
    changes_kind = bound.role is not identity.role and not (bound.is_user and identity.is_user)
    if changes_kind or bound.user_id != identity.user_id:
        raise IdentityError(
            "This is bound to another user already: open a session or connection for each identity."
        )
    if bound.is_read_only and not identity.is_read_only:
        raise IdentityError(
            "This is bound to a read-only admin and stays read-only: a route asks for one kind of"
            " session, and another kind needs a session of its own."
        )


def apply_to_open_transaction(session: Session, state: SessionIdentity) -> None:
    """Set the current identity in the transaction that the session is in, if it is in one."""
    for connection in open_connections(session):
        elevation = _elevation(connection, state)
        if settings := state.row_security.settings_for(state.current, elevation):
            begin.set_identity(connection, settings)
            log_identity(state.row_security, state.current)


def _elevation(connection: Connection, state: SessionIdentity) -> str | None:
    """Return the record of the current elevation in this transaction, made where there is none."""
    if state.current is None:
        return None
    for recorded_on, identity, elevation in state.recorded:
        if recorded_on is connection and identity is state.current:
            return elevation
    recorded = record_elevation(connection, state.current, state.row_security)
    if recorded is not None:
        state.recorded.append((connection, state.current, recorded))
    return recorded


def open_connections(session: Session) -> list[Connection]:
    """Return the PostgreSQL connections on which the session has begun a transaction.

    SQLAlchemy has no public call for "the connection if there is one already"; `connection()`
    would begin a transaction only to ask.
    """
    transaction = session.get_transaction()
    if transaction is None:
        return []
    known = {entry[0] for entry in transaction._connections.values()}
    return [connection for connection in known if connection.dialect.name == "postgresql"]


@event.listens_for(Session, "after_begin")
def _carry_identity(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    """Send the identity as the outermost transaction begins; savepoints inherit it (P14)."""
    state = session.info.get(_KEY)
    if not isinstance(state, SessionIdentity) or transaction.nested:
        return
    if connection.dialect.name != "postgresql":
        return
    if state.current is None:
        return
    state.recorded = [entry for entry in state.recorded if entry[0] is not connection]
    try:
        elevation = _elevation(connection, state)
        settings = state.row_security.settings_for(state.current, elevation)
        if settings:
            begin.begin_with(connection, settings)
    except BaseException:
        # The session has this connection by now, and would go on using it without an identity.
        connection.invalidate()
        raise
    if settings:
        log_identity(state.row_security, state.current)


def log_identity(row_security: RowSecurity, identity: Identity | None) -> None:
    """Note a transaction's identity, for observation and at DEBUG for the log."""
    observation.note(identity)
    logging.getLogger(row_security.logger).debug(
        "transaction runs as %s", identity or "no identity"
    )
