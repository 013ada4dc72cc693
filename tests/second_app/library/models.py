"""The tables: accounts sign in, books belong to their reader, genres to everybody."""

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from hedgerow import Scope, exempt


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"
    __rls__ = exempt("a request finds its account by the key, before anybody is known to ask")

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    api_key: Mapped[str] = mapped_column(unique=True)
    is_librarian: Mapped[bool] = mapped_column(default=False)
    books: Mapped[list["Book"]] = relationship(
        back_populates="reader", cascade="all, delete-orphan", passive_deletes=True
    )


class Genre(Base):
    __tablename__ = "genre"
    __rls__ = exempt("genres are nobody's own")

    name: Mapped[str] = mapped_column(primary_key=True)


class Book(Base):
    __tablename__ = "book"
    __rls__ = Scope(owner_column="reader_id")

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reader_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    genre: Mapped[str | None] = mapped_column(ForeignKey("genre.name"))
    reader: Mapped[Account] = relationship(back_populates="books")
