"""What routes ask for: a session that is the current account's."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import hedgerow
from hedgerow import Identity, Origin, Role
from hedgerow.fastapi import SAFE_METHODS

from .database import engine, new_session, reading
from .models import Account
from .security import row_security


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    bind = reading if request.method in SAFE_METHODS else engine
    async with new_session(bind=bind) as session:
        yield session


# The function's scope gives the connection back before the response is sent.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]


async def get_account(
    session: Session, api_key: Annotated[str, Header(alias="X-API-Key")]
) -> Account:
    account = await session.scalar(select(Account).where(Account.api_key == api_key))
    if account is None:
        raise HTTPException(401, "Unknown key")
    return account


CurrentAccount = Annotated[Account, Depends(get_account)]


async def get_own_session(session: Session, account: CurrentAccount) -> AsyncSession:
    await hedgerow.bind_async(session, Identity(account.id), row_security)
    return session


async def get_librarians_session(
    session: Session,
    account: CurrentAccount,
    request: Request,
    reason: Annotated[str | None, Header(alias="X-Admin-Reason")] = None,
) -> AsyncSession:
    if not account.is_librarian:
        raise HTTPException(403, "Only librarians may")
    origin = Origin(request.method, request.url.path)
    identity = Identity(account.id, Role.READ_ONLY_ADMIN, reason, origin)
    await hedgerow.bind_async(session, identity, row_security)
    return session


OwnSession = Annotated[AsyncSession, Depends(get_own_session)]
LibrariansSession = Annotated[AsyncSession, Depends(get_librarians_session)]
