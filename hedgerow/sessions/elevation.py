"""Elevate a session to an admin for the length of a block, and restore it exactly."""

from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self, cast

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from hedgerow.config.identity import Identity, Role, UserId
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import IdentityError
from hedgerow.sessions.state import apply_to_open_transaction, open_connections, state_of


class AdminContext:
    """Run a block of a session's work as an admin, inside the transaction that it is in.

    `with AdminContext.create_full_admin(user_id, session):` sees and changes all rows;
    `create_read_only_admin` sees them in a READ ONLY transaction. An AsyncSession takes
    `async with`. Blocks nest; commit, rollback and savepoints work inside.

    Leaving normally flushes what is pending, as the admin, and makes the session who it was.
    Leaving with an exception undoes what the block has not committed, as `begin_nested()` would,
    and the exception reaches the caller unchanged (P21). What the block loaded can still be read
    after it, but is detached from the session, which would otherwise go on finding hidden rows.

    With an audit trail the block is recorded before its first statement, with its reason and the
    request that the session is bound in.

    The trap: it does not ask whether `user_id` may do this. Check that before.

    Subclasses set `row_security`, so that callers need not name it.
    """

    row_security: ClassVar[RowSecurity]

    def __init__(self, identity: Identity, session: Session | AsyncSession) -> None:
        """Prepare the block; raises TypeError where `session` is not a SQLAlchemy session."""
        if not isinstance(session, Session | AsyncSession):
            raise TypeError(
                f"AdminContext needs the Session to elevate, got {type(session).__name__}: "
                "pass it as in AdminContext.create_full_admin(user_id, session)."
            )
        self.identity = identity
        self._session = session
        self._savepoint: SessionTransaction | None = None
        self._known: set[Any] = set()

    @classmethod
    def create_full_admin(
        cls, user_id: UserId, session: Session | AsyncSession, *, reason: str | None = None
    ) -> Self:
        """Return a block in which `user_id` acts as an admin who may read and write all rows."""
        return cls(Identity(user_id, Role.ADMIN, reason), session)

    @classmethod
    def create_read_only_admin(
        cls, user_id: UserId, session: Session | AsyncSession, *, reason: str | None = None
    ) -> Self:
        """Return a block in which `user_id` reads all rows and PostgreSQL refuses every write."""
        return cls(Identity(user_id, Role.READ_ONLY_ADMIN, reason), session)

    def __enter__(self) -> Self:
        if isinstance(self._session, AsyncSession):
            raise TypeError("An AsyncSession is elevated with `async with AdminContext...`.")
        self._elevate(self._session)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(cast(Session, self._session), failed=exc is not None)

    async def __aenter__(self) -> Self:
        if isinstance(self._session, Session):
            raise TypeError("A Session is elevated with a plain `with AdminContext...`.")
        await self._session.run_sync(self._elevate)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        failed = exc is not None
        session = cast(AsyncSession, self._session)
        await session.run_sync(lambda session: self._leave(session, failed=failed))

    def _elevate(self, session: Session) -> None:
        state = state_of(session, self.row_security)
        if (
            self.identity.role is Role.ADMIN
            and state.current is not None
            and state.current.role is Role.READ_ONLY_ADMIN
        ):
            raise IdentityError(
                "A full admin block cannot stand inside a read-only one, whose transaction cannot"
                " be made writable again: leave the read-only block first."
            )
        self.identity = _of_the_same_request(self.identity, state.base)
        session.flush()  # what is pending belongs to who made it
        if session.in_nested_transaction():
            session.connection()  # or the outer transaction would begin later, as the admin
        if open_connections(session):
            self._savepoint = _begin_savepoint(session)
        state.elevations.append(self.identity)
        self._known = set(session.identity_map.keys())
        try:
            apply_to_open_transaction(session, state)
        except BaseException:
            self._undo(session)
            raise

    def _leave(self, session: Session, *, failed: bool) -> None:
        if not self._is_innermost(session):
            self._undo(session)
            if failed:
                return
            raise IdentityError(
                "Admin blocks of one session ended in another order than they began, so its"
                " transaction was rolled back: give each task a session of its own."
            )
        if failed:
            self._undo(session)
            return
        try:
            session.flush()
            if self.identity.role is Role.READ_ONLY_ADMIN:
                self._end_read_only(session)
            else:
                self._restore(session)
        except BaseException:
            self._undo(session)
            raise
        self._forget(session)

    def _restore(self, session: Session) -> None:
        """Give the open transaction its former identity, and keep what the admin did in it.

        Savepoints that the block left open are released first: rolled back later, they would bring
        the admin's identity back (P14).
        """
        own = self._open_savepoint(session)
        while (nested := session.get_nested_transaction()) is not None and nested is not own:
            nested.commit()
        if own is None:
            for connection in open_connections(session):
                while (savepoint := connection.get_nested_transaction()) is not None:
                    savepoint.commit()
        self._pop(session)
        apply_to_open_transaction(session, state_of(session, self.row_security))
        if own is not None:
            own.commit()

    def _end_read_only(self, session: Session) -> None:
        """End READ ONLY: with its savepoint, or with the transaction where the block began that.

        A transaction cannot be made writable again after its first query. Nothing is lost: nothing
        could be written.
        """
        if (own := self._open_savepoint(session)) is not None:
            own.rollback()
        elif session.in_transaction():
            session.commit()
        self._pop(session)

    def _undo(self, session: Session) -> None:
        self._pop(session)
        self._forget(session)
        try:
            if (own := self._open_savepoint(session)) is not None:
                own.rollback()
            else:
                session.rollback()
        except DBAPIError:
            # The connection is beyond repair: throw it away rather than hide the first error.
            session.invalidate()

    def _forget(self, session: Session) -> None:
        """Detach what the block loaded, or `get` would go on finding hidden rows in memory."""
        for instance in list(session):
            if session.identity_key(instance=instance) not in self._known and instance in session:
                session.expunge(instance)

    def _is_innermost(self, session: Session) -> bool:
        elevations = state_of(session, self.row_security).elevations
        return bool(elevations) and elevations[-1] is self.identity

    def _pop(self, session: Session) -> None:
        """End this elevation, and those that began in it and should have ended before."""
        elevations = state_of(session, self.row_security).elevations
        for position, identity in enumerate(elevations):
            if identity is self.identity:
                del elevations[position:]
                return

    def _open_savepoint(self, session: Session) -> SessionTransaction | None:
        """Return the block's own savepoint, unless a commit or rollback inside has ended it."""
        nested = session.get_nested_transaction()
        while nested is not None and nested is not self._savepoint:
            nested = nested.parent
        return nested


def _of_the_same_request(identity: Identity, bound: Identity | None) -> Identity:
    """Return `identity` with what it does not say itself and the session's says.

    An admin's tenant and claims narrow nothing; defaults of columns and triggers may ask for them,
    and the audit trail tells the tenant.
    """
    if bound is None:
        return identity
    return replace(
        identity,
        reason=identity.reason or bound.reason,
        origin=identity.origin or bound.origin,
        tenant_id=bound.tenant_id if identity.tenant_id is None else identity.tenant_id,
        claims=identity.claims or bound.claims,
    )


def _begin_savepoint(session: Session) -> SessionTransaction:
    """Begin a savepoint on every connection now; SQLAlchemy alone would wait for a statement."""
    savepoint = session.begin_nested()
    for connection in open_connections(session):
        session.connection(bind_arguments={"bind": connection.engine})
    return savepoint
