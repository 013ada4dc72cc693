"""Tasks of users whose ids are of type text."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope, exempt

ID_TYPE = "text"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[str] = mapped_column(primary_key=True)


class Task(Base):
    __tablename__ = "task"
    __rls__ = Scope()
    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("user.id"), index=True)
