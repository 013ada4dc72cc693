"""Where an admin block cannot stand, and what is left of it without row security."""

from typing import cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from hedgerow import Identity, IdentityError, Role, identity_of
from tests.support.people import Person
from tests.support.sessions import (
    AdminContext,
    session_of,
    visible,
)


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
