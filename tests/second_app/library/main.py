"""The application: `uvicorn library.main:app` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, FastAPI, HTTPException
from sqlalchemy import NullPool, create_engine, select
from starlette.concurrency import run_in_threadpool

from hedgerow import verify
from hedgerow.fastapi import install_error_handlers

from .database import application_url, engine
from .deps import CurrentAccount, LibrariansSession, OwnSession
from .models import Base, Book
from .security import AdminContext, row_security


def refuse_to_start_unsafely() -> None:
    verify(create_engine(application_url(), poolclass=NullPool), Base.metadata, row_security)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await run_in_threadpool(refuse_to_start_unsafely)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install_error_handlers(app)


@app.get("/books/")
async def read_books(session: OwnSession) -> list[str]:
    return list(await session.scalars(select(Book.title).order_by(Book.title)))


@app.post("/books/", status_code=201)
async def add_book(
    session: OwnSession, account: CurrentAccount, title: Annotated[str, Body(embed=True)]
) -> int:
    book = Book(title=title, reader_id=account.id)
    session.add(book)
    await session.commit()
    return book.id


@app.delete("/books/{book_id}", status_code=204)
async def remove_book(session: OwnSession, book_id: int) -> None:
    book = await session.get(Book, book_id)
    if book is None:
        raise HTTPException(404, "No such book")
    await session.delete(book)
    await session.commit()


@app.get("/everybodys-books/")
async def read_everybodys_books(session: LibrariansSession) -> list[str]:
    return list(await session.scalars(select(Book.title).order_by(Book.title)))


@app.post("/books/{book_id}/move")
async def move_book(
    session: OwnSession, account: CurrentAccount, book_id: int, reader_id: int
) -> None:
    if not account.is_librarian:
        raise HTTPException(403, "Only librarians may")
    async with AdminContext.create_full_admin(account.id, session, reason="moved"):
        book = await session.get(Book, book_id)
        if book is None:
            raise HTTPException(404, "No such book")
        book.reader_id = reader_id
        await session.commit()
