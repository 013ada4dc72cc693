"""Users whose ids are of type bigint."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import exempt

ID_TYPE = "bigint"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
