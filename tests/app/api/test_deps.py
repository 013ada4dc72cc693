"""What sessions are, whoever asks; and what dependencies tell of one that they did not make."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import orm, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from app.api.deps import AnonymousSessionDep, AsyncAnonymousSessionDep, owner_in_reach
from hedgerow import IdentityError
from tests.app.api.support import signed_in
from tests.support.people import Person
from tests.support.sessions import identity_on_server


def look(session: orm.Session) -> list[Any]:
    """Return who the session is, and what it is told of tables that are not `public`."""
    said: list[Any] = list(identity_on_server(session))
    for table in ("item", '"user"'):
        with pytest.raises(ProgrammingError) as caught:
            session.execute(text(f"SELECT id FROM {table}"))
        said.append(getattr(caught.value.orig, "sqlstate", None))
        session.rollback()
    return said


@pytest.mark.parametrize("path", ["/nobody", "/async/nobody"])
def test_an_anonymous_session_is_nobodys_whoever_asks(
    path: str, test_app: FastAPI, alice: Person, admin: Person
) -> None:
    @test_app.get("/nobody")
    def nobody(session: AnonymousSessionDep) -> list[Any]:
        return look(session)

    @test_app.get("/async/nobody")
    async def async_nobody(session: AsyncAnonymousSessionDep) -> list[Any]:
        return await session.run_sync(look)

    with TestClient(test_app) as client:
        for headers in ({}, signed_in(alice), signed_in(admin)):
            told = client.get(path, headers=headers).json()
            assert told == ["anonymous", "anonymous", "rls_anonymous", "42501", "42501"]


def test_an_unbound_session_reaches_no_owners_rows() -> None:
    with Session() as session, pytest.raises(IdentityError, match="ask for RLSSessionDep"):
        owner_in_reach(session)
