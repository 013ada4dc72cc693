"""An application whose one route does some work as somebody, in a sync and an async kind."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from sqlalchemy import NullPool, create_engine, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import hedgerow
from app.models import Item
from hedgerow import Identity, IdentityError, Role
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY


def insert(session: Session, item: UUID, owner: UUID) -> None:
    session.add(Item(id=item, owner_id=owner, title="a secret title"))
    session.flush()


def give_away(session: Session, item: UUID, owner: UUID) -> None:
    session.get_one(Item, item).owner_id = owner
    session.flush()


def insert_by_text(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(
        text("INSERT INTO item (id, owner_id, title, created_at) VALUES (:i, :o, 't', now())"),
        {"i": item, "o": owner},
    )


def insert_without_title(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(Item.__table__.insert(), {"id": item, "owner_id": owner})  # type: ignore[attr-defined]


def change_a_row_that_goes(session: Session, item: UUID, owner: UUID) -> None:
    found = session.get_one(Item, item)
    session.execute(text("DELETE FROM item WHERE id = :id"), {"id": item})
    found.title = "new"
    session.flush()


def delete_a_row_that_goes(session: Session, item: UUID, owner: UUID) -> None:
    found = session.get_one(Item, item)
    session.execute(text("DELETE FROM item WHERE id = :id"), {"id": item})
    session.delete(found)
    session.flush()


def look_as_nobody(session: Session, item: UUID, owner: UUID) -> None:
    for name, value in ROW_SECURITY.settings_for(None).items():
        session.execute(select(func.set_config(name, value, True)))
    session.execute(text("SELECT FROM item"))


def misuse(session: Session, item: UUID, owner: UUID) -> None:
    raise IdentityError("Do it in another way.")


WORK = {
    work.__name__: work
    for work in (
        insert,
        give_away,
        insert_by_text,
        insert_without_title,
        change_a_row_that_goes,
        delete_a_row_that_goes,
        look_as_nobody,
        misuse,
    )
}


def _identity(user: UUID | None = None, role: Role = Role.USER) -> Identity | None:
    return Identity(user, role) if user else None


Asker = Annotated[Identity | None, Depends(_identity)]


def add_route(app: FastAPI, database: Database) -> None:
    """Add the route `/{work}`, for POST and GET."""
    engine = create_engine(database.app_url, poolclass=NullPool, hide_parameters=True)

    def get_session(identity: Asker) -> Iterator[Session]:
        with Session(engine) as session:
            if identity:
                hedgerow.bind(session, identity, ROW_SECURITY)
            yield session

    @app.api_route("/{work}", methods=["POST", "GET"])
    def route(
        work: str,
        item: UUID,
        session: Annotated[Session, Depends(get_session)],
        owner: UUID,
    ) -> None:
        WORK[work](session, item, owner)


def add_async_route(app: FastAPI, database: Database) -> None:
    """Add the same as an asynchronous route."""
    engine = create_async_engine(database.app_url, poolclass=NullPool, hide_parameters=True)

    async def get_session(identity: Asker) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            if identity:
                await hedgerow.bind_async(session, identity, ROW_SECURITY)
            yield session

    @app.api_route("/{work}", methods=["POST", "GET"])
    async def route(
        work: str,
        item: UUID,
        session: Annotated[AsyncSession, Depends(get_session)],
        owner: UUID,
    ) -> None:
        await session.run_sync(WORK[work], item, owner)
