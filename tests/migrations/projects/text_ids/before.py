"""Users whose ids are of type text."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import exempt

ID_TYPE = "text"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[str] = mapped_column(primary_key=True)
