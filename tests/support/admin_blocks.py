"""The kinds of admin block, and the states of a session in which one may begin."""

from typing import Final, Protocol

from sqlalchemy.orm import Session

from hedgerow.config.identity import UserId
from tests.support.sessions import AdminContext, visible


class Create(Protocol):
    """`AdminContext.create_full_admin`, or the read-only one."""

    def __call__(self, user_id: UserId, session: Session, /) -> AdminContext: ...


BLOCKS: Final[tuple[Create, ...]] = (
    AdminContext.create_full_admin,
    AdminContext.create_read_only_admin,
)
STARTS: Final = ("fresh session", "open transaction", "savepoint")


def start(session: Session, how: str) -> None:
    """Bring the session to where the block begins."""
    if how == "open transaction":
        visible(session)
    elif how == "savepoint":
        session.begin_nested()
