"""Sessions as the application role, in the ways that an application may use them."""

from typing import Final
from uuid import UUID

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

import hedgerow
from app.models import Item
from hedgerow import Audit, Identity, Role, RowSecurity
from tests.support.databases import Database
from tests.support.people import Person

ROW_SECURITY: Final = RowSecurity(audit=Audit())
"""What the template database is made with: its admins are recorded."""


class AdminContext(hedgerow.AdminContext):
    """The block under test, with the default role names."""

    row_security = ROW_SECURITY


def one_connection(database: Database, **options: object) -> Engine:
    """Return an engine whose pool is a single connection, so that everybody gets the same one."""
    return create_engine(database.app_url, pool_size=1, max_overflow=0, pool_timeout=5, **options)


def session_of(engine: Engine, person: Person, role: Role = Role.USER) -> Session:
    """Return a session that is bound to `person`."""
    session = Session(engine, expire_on_commit=False)
    hedgerow.bind(session, Identity(person.id, role), ROW_SECURITY)
    return session


def visible(session: Session) -> set[UUID]:
    """Return the ids of the items that the session sees; its query names no owner."""
    return set(session.scalars(select(col(Item.id))))


def identity_on_server(session: Session) -> tuple[str, str, str]:
    """Return what PostgreSQL has as `app.user_id`, as `app.role` and as the current role."""
    row = session.execute(
        select(
            func.coalesce(func.current_setting("app.user_id", True), ""),
            func.coalesce(func.current_setting("app.role", True), ""),
            func.current_user(),
        )
    ).one()
    return row[0], row[1], row[2]
