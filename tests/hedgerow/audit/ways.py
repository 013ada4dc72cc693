"""The ways to become an admin and look, each on an engine and as an identity."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

import hedgerow
from app.models import Item
from hedgerow import Identity
from tests.support.sessions import ROW_SECURITY, AdminContext, visible

IDS = select(col(Item.id))


def bind_session(engine: Engine, identity: Identity) -> set[UUID]:
    with Session(engine) as session:
        hedgerow.bind(session, identity, ROW_SECURITY)
        return visible(session)


def bind_session_in_transaction(engine: Engine, identity: Identity) -> set[UUID]:
    with Session(engine) as session:
        hedgerow.bind(session, Identity(identity.user_id), ROW_SECURITY)
        assert visible(session) == set()
        hedgerow.bind(session, identity, ROW_SECURITY)
        return visible(session)


def admin_block(engine: Engine, identity: Identity) -> set[UUID]:
    with Session(engine) as session, AdminContext(identity, session):
        return visible(session)


def admin_block_in_transaction(engine: Engine, identity: Identity) -> set[UUID]:
    """Take reason and origin from the request that the session is bound in."""
    with Session(engine) as session:
        user = Identity(identity.user_id, reason=identity.reason, origin=identity.origin)
        hedgerow.bind(session, user, ROW_SECURITY)
        assert visible(session) == set()
        with AdminContext(Identity(identity.user_id, identity.role), session):
            return visible(session)


def bind_connection(engine: Engine, identity: Identity) -> set[UUID]:
    with engine.connect() as connection:
        hedgerow.bind(connection, identity, ROW_SECURITY)
        return set(connection.scalars(IDS))


def bind_connection_in_transaction(engine: Engine, identity: Identity) -> set[UUID]:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        hedgerow.bind(connection, identity, ROW_SECURITY)
        return set(connection.scalars(IDS))


Way = Callable[[Engine, Identity], set[UUID]]

WAYS: Final[tuple[Way, ...]] = (
    bind_session,
    bind_session_in_transaction,
    admin_block,
    admin_block_in_transaction,
    bind_connection,
    bind_connection_in_transaction,
)
