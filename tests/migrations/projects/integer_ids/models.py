"""Tasks of users whose ids are of type bigint."""

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope, exempt

ID_TYPE = "bigint"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class Task(Base):
    __tablename__ = "task"
    __rls__ = Scope()
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
