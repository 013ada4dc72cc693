"""An application without the template keeps its readers apart as the template keeps its users."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from fastapi import FastAPI

from hedgerow import Identity, RowSecurity
from tests.second_app.support import Library, Reader
from tests.support.databases import clone, drop
from tests.support.isolation import assert_kept_apart, weakenings
from tests.support.raw import RawConnection, connect

pytestmark = pytest.mark.xdist_group("second_app")


@pytest.fixture
def row_security(application: FastAPI) -> RowSecurity:
    from tests.second_app.library.security import row_security

    return row_security


@pytest.fixture
def copied(library: Library, ann: Reader, ben: Reader) -> Iterator[Library]:
    """Yield a copy of the library with both readers, to weaken."""
    copied = replace(library, database=clone(library.database))
    yield copied
    drop(copied.database)


def sign_in(row_security: RowSecurity, connection: RawConnection, reader: Reader) -> None:
    for name, value in row_security.settings_for(Identity(reader.id)).items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])


def test_readers_are_kept_apart(
    library: Library, row_security: RowSecurity, ann: Reader, ben: Reader
) -> None:
    become = partial(sign_in, row_security)
    assert_kept_apart(library.app_url, ann, ben, table="book", become=become)


@pytest.mark.parametrize("statement", weakenings("book"))
def test_a_weakened_library_is_noticed(
    copied: Library, row_security: RowSecurity, ann: Reader, ben: Reader, statement: str
) -> None:
    """P16, P29, P37."""
    become = partial(sign_in, row_security)
    with copied.database.as_owner() as owner:
        owner.exec_driver_sql(statement)
    with pytest.raises(AssertionError):
        assert_kept_apart(copied.app_url, ann, ben, table="book", become=become)


def test_an_identity_without_a_signature_is_not_believed(library: Library, ann: Reader) -> None:
    """P3."""
    with connect(library.app_url) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(ann.id)])
        connection.execute("SET LOCAL app.role = 'user'")
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("SELECT * FROM book")
        assert caught.value.sqlstate == "RL002"
