"""Where an admin block cannot stand, and what is left of it without row security."""

import dataclasses
from typing import cast

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, IdentityError, Role, identity_of
from tests.support.admin_blocks import BLOCKS, Create
from tests.support.people import Person
from tests.support.sessions import (
    ROW_SECURITY,
    AdminContext,
    identity_on_server,
    session_of,
    visible,
)


@pytest.mark.parametrize("create", BLOCKS)
def test_without_row_security_the_block_sends_no_identity(
    create: Create, pool: Engine, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    disabled = dataclasses.replace(ROW_SECURITY, enabled=False)
    monkeypatch.setattr(AdminContext, "row_security", disabled)
    with Session(pool) as session:
        hedgerow.bind(session, Identity(alice.id), disabled)
        with create(alice.id, session):
            assert identity_on_server(session) == ("", "", "rls_app_user")
            read_only = session.scalar(text("SHOW transaction_read_only"))
        assert read_only == ("on" if create == AdminContext.create_read_only_admin else "off")
        assert session.scalar(text("SHOW transaction_read_only")) == "off"


@pytest.mark.parametrize("nothing", [None, "session", object()])
def test_no_session_is_a_type_error(nothing: object, alice: Person) -> None:
    with pytest.raises(TypeError, match="needs the Session to elevate"):
        AdminContext.create_full_admin(alice.id, cast(Session, nothing))


def test_a_plain_with_on_an_async_session_is_a_type_error(alice: Person) -> None:
    block = AdminContext.create_full_admin(alice.id, AsyncSession())
    with pytest.raises(TypeError, match="async with"), block:
        raise AssertionError("The block was entered.")


def test_a_full_block_inside_a_read_only_one_is_refused(
    pool: Engine, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        with AdminContext.create_read_only_admin(alice.id, session):
            with (
                pytest.raises(IdentityError, match="leave the read-only block first"),
                AdminContext.create_full_admin(alice.id, session),
            ):
                raise AssertionError("The block was entered.")
            assert identity_of(session) == Identity(alice.id, Role.READ_ONLY_ADMIN)
            assert visible(session) == {*alice.items, *bob.items}
        assert visible(session) == set(alice.items)
