"""An admin needs a committed, fresh record of this user in this role and tenant (RL004)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from hedgerow.errors import UNRECORDED_ELEVATION
from tests.support.databases import Database
from tests.support.elevation import RECORD, record_elevation
from tests.support.people import Person
from tests.support.raw import RawConnection, connect, visible_items

Pretend = Callable[[Database, RawConnection, Person, Person], str]
"""Return a number to claim, given the admin and another one."""


def identity(user: UUID, role: str = "admin") -> dict[str, str]:
    return {"app.user_id": str(user), "app.role": role}


def claim(connection: RawConnection, user: UUID, elevation: str, role: str = "admin") -> None:
    settings = {**identity(user, role), "app.elevation": elevation, "role": f"rls_{role}"}
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])


def refused(connection: RawConnection) -> str | None:
    """Return the SQLSTATE with which the connection's items are refused, or None."""
    try:
        with connection.transaction():
            visible_items(connection)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def record_here(connection: RawConnection, user: UUID) -> str:
    for name, value in identity(user).items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])
    row = connection.execute(RECORD, ["by hand", None, None, None, None]).fetchone()
    assert row is not None
    return str(row[0])


def in_the_same_transaction(
    _: Database, connection: RawConnection, admin: Person, other: Person
) -> str:
    return record_here(connection, admin.id)


def in_a_savepoint(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    connection.execute("SELECT 1")
    with connection.transaction():  # which is a savepoint now
        return record_here(connection, admin.id)


def of_another_user(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    return record_elevation(connection, identity(other.id))


def to_look_as_a_user(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    return record_elevation(connection, identity(admin.id), subject=str(other.id))


def of_the_other_role(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    return record_elevation(connection, identity(admin.id, "read_only_admin"))


def in_a_tenant(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    return record_elevation(connection, {**identity(admin.id), "app.tenant_id": "1"})


def too_old(database: Database, _: RawConnection, admin: Person, other: Person) -> str:
    return insert(database, admin, "elevation", 61)


def no_elevation(database: Database, _: RawConnection, admin: Person, other: Person) -> str:
    return insert(database, admin, "login", 0)


def of_the_future(_: Database, connection: RawConnection, admin: Person, other: Person) -> str:
    return str(int(record_elevation(connection, identity(admin.id))) + 1_000_000)


def insert(database: Database, admin: Person, event: str, age: int) -> str:
    with database.as_owner() as owner:
        number = owner.scalar(
            text(
                "INSERT INTO rls.audit (event, user_id, role, at) VALUES (:event, :user, 'admin',"
                " clock_timestamp() - make_interval(secs => :age)) RETURNING id"
            ),
            {"event": event, "user": str(admin.id), "age": age},
        )
    return str(number)


PRETENCES: Final[tuple[Pretend, ...]] = (
    in_the_same_transaction,
    in_a_savepoint,
    of_another_user,
    to_look_as_a_user,
    of_the_other_role,
    in_a_tenant,
    too_old,
    no_elevation,
    of_the_future,
)


@pytest.mark.parametrize("pretend", PRETENCES)
def test_what_does_not_count_as_a_record(
    pretend: Pretend, database: Database, alice: Person, admin: Person
) -> None:
    with connect(database.app_url) as connection:
        elevation = pretend(database, connection, admin, alice)
        claim(connection, admin.id, elevation)
        assert refused(connection) == UNRECORDED_ELEVATION
        # In the same transaction, one that counts: it was the record that was missing.
        claim(connection, admin.id, record_elevation(connection, identity(admin.id)))
        assert visible_items(connection) == set(alice.items)


@pytest.mark.parametrize("claimed", ["", "0", "-1", "x", "1 OR true", "9" * 18, "9" * 40, "1.5"])
def test_no_number_of_a_record(claimed: str, database: Database, admin: Person) -> None:
    with connect(database.app_url) as connection:
        claim(connection, admin.id, claimed)
        assert refused(connection) == UNRECORDED_ELEVATION


def test_the_age_counts_from_the_transactions_start(
    database: Database, alice: Person, admin: Person
) -> None:
    """A report may run for hours, and a record does not last for the next transaction."""
    with connect(database.app_url) as connection:
        claim(connection, admin.id, insert(database, admin, "elevation", 59))
        assert visible_items(connection) == set(alice.items)


def test_an_uncommitted_record_of_another_connection(database: Database, admin: Person) -> None:
    with connect(database.app_url) as connection, connect(database.app_url) as other:
        claim(connection, admin.id, record_here(other, admin.id))
        assert refused(connection) == UNRECORDED_ELEVATION


@pytest.mark.parametrize("role", ["user", "", "maintenance", "Admin"])
def test_only_an_admin_s_identity_is_recorded(role: str, database: Database, alice: Person) -> None:
    with connect(database.app_url) as connection, pytest.raises(psycopg.Error) as caught:
        record_elevation(connection, identity(alice.id, role))
    assert caught.value.sqlstate == UNRECORDED_ELEVATION


def test_the_message_names_the_fix(database: Database, admin: Person) -> None:
    with connect(database.app_url) as connection:
        claim(connection, admin.id, "")
        with pytest.raises(psycopg.Error) as caught:
            visible_items(connection)
    assert "has no committed record of its elevation" in str(caught.value)
    assert "AdminSessionDep" in (caught.value.diag.message_hint or "")
