"""Bind an identity to a session or a connection: the one way in, for requests, jobs and scripts."""

from functools import partial

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from hedgerow.audit.recorder import record_elevation
from hedgerow.config.identity import Identity
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import IdentityError
from hedgerow.sessions import begin
from hedgerow.sessions.state import IN_SAVEPOINT, bind_session, log_identity, refuse_change

_OPTION = "hedgerow_identity"


def bind(target: Session | Connection, identity: Identity, row_security: RowSecurity) -> None:
    """Make `target` act as `identity` in every transaction, from its next statement on.

    The identity reaches the server with each BEGIN, also after commit and rollback (P13), and ends
    with each transaction (P11). In a transaction that has begun it is set at once, at one round
    trip. The role of a bound user, the tenant and the claims may be changed by binding again;
    another user may not.

    Raises IdentityError where `target` is bound to another user, or to a read-only admin and should
    be more, is inside an admin block or a
    savepoint; at the next transaction, where it is in AUTOCOMMIT (P19). The trap: the identity
    stays on a Session object after `close()`; give each request its own session.
    """
    if isinstance(target, Session):
        bind_session(target, identity, row_security)
    else:
        _bind_connection(target, identity, row_security)


async def bind_async(
    target: AsyncSession | AsyncConnection, identity: Identity, row_security: RowSecurity
) -> None:
    """Do for an AsyncSession or AsyncConnection what `bind` does, and raise what it raises."""
    if isinstance(target, AsyncSession):
        await target.run_sync(bind, identity, row_security)
    else:
        await target.run_sync(bind, identity, row_security)


def _bind_connection(connection: Connection, identity: Identity, row_security: RowSecurity) -> None:
    bound = connection.get_execution_options().get(_OPTION)
    if bound is not None:
        refuse_change(bound, identity)
    if connection.in_nested_transaction():
        raise IdentityError(IN_SAVEPOINT)
    # An execution option belongs to this Connection alone; `Connection.info` would stay with the
    # pooled connection for its next user (P11).
    connection.execution_options(**{_OPTION: identity})
    if bound is None:
        event.listen(connection, "begin", partial(_carry_identity, row_security))
    if connection.in_transaction():
        elevation = record_elevation(connection, identity, row_security)
        if settings := row_security.settings_for(identity, elevation):
            begin.set_identity(connection, settings)
            log_identity(row_security, identity)


def _carry_identity(row_security: RowSecurity, connection: Connection) -> None:
    identity = connection.get_execution_options()[_OPTION]
    try:
        elevation = record_elevation(connection, identity, row_security)
        settings = row_security.settings_for(identity, elevation)
        if settings:
            begin.begin_with(connection, settings)
    except BaseException:
        # SQLAlchemy would take this connection as beginning, and never begin again.
        connection.close()
        raise
    if settings:
        log_identity(row_security, identity)
