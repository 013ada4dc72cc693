"""What the database accepts: its own key's signature over this role, time and user, in time."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import Role, Signing
from hedgerow.config.identity import USERS
from hedgerow.errors import EXPIRED_SIGNATURE, INVALID_SIGNATURE, MISSING_IDENTITY
from tests.hedgerow.signing.support import (
    SIGNED,
    SIGNING,
    believed,
    claim,
    demand,
    sign_in,
    signature,
)
from tests.support.databases import Database
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, connect, visible_items

WINDOW = SIGNING.max_age.total_seconds()


def sqlstate_of_items(connection: RawConnection) -> str | None:
    """Return why the connection's items cannot be read, or None where they can."""
    try:
        with connection.transaction():
            visible_items(connection)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.mark.parametrize("role", sorted(USERS))
def test_what_the_engine_signs_is_believed(
    role: Role, database: Database, alice: Person, bob: Person
) -> None:
    url = database.maintenance_url if role is Role.MAINTENANCE else database.app_url
    everybody = set(alice.items + bob.items)
    with connect(url) as connection:
        sign_in(connection, alice, role)
        assert visible_items(connection) == (set(alice.items) if role is Role.USER else everybody)
        who = connection.execute("SELECT rls.user_id(), rls.role()").fetchone()
    assert who == (alice.id, role.claimed)


@pytest.mark.parametrize("age", [0, WINDOW - 60, -(WINDOW - 60)])
def test_an_independent_signature_within_the_window_is_believed(
    age: float, connection: RawConnection, alice: Person
) -> None:
    """The specification alone makes a signature: HMAC-SHA256 over role, time and user."""
    claim(connection, alice.id, "user", signature(alice.id, "user", age=age))
    assert visible_items(connection) == set(alice.items)


@pytest.mark.parametrize("age", [WINDOW + 60, 1e9, -(WINDOW + 60), -1e9])
def test_an_old_signature_and_one_from_the_future_are_refused(
    age: float, connection: RawConnection, alice: Person
) -> None:
    claim(connection, alice.id, "user", signature(alice.id, "user", age=age))
    assert sqlstate_of_items(connection) == EXPIRED_SIGNATURE


def test_a_signature_is_for_one_user(connection: RawConnection, alice: Person, bob: Person) -> None:
    own = signature(alice.id, "user")
    claim(connection, bob.id, "user", own)
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE
    claim(connection, alice.id, "user", own)
    assert visible_items(connection) == set(alice.items)


@pytest.mark.parametrize(
    ("role", "database_role"),
    [("admin", "rls_admin"), ("read_only_admin", "rls_read_only_admin"), ("admin", "none")],
)
def test_a_signature_is_for_one_role(
    role: str, database_role: str, connection: RawConnection, alice: Person
) -> None:
    claim(connection, alice.id, role, signature(alice.id, "user"))
    connection.execute("SELECT set_config('role', %s, true)", [database_role])
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


def test_a_signature_is_for_one_time(connection: RawConnection, alice: Person) -> None:
    """An old signature cannot be made young by writing another time before it."""
    _, digest = signature(alice.id, "user", age=WINDOW + 60).split()
    now, _ = signature(alice.id, "user").split()
    claim(connection, alice.id, "user", f"{now} {digest}")
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


@pytest.mark.parametrize(
    "forged",
    [
        "",
        " ",
        "0",
        "now",
        "infinity ",
        "NaN " + "0" * 64,
        f"{2**31} " + "0" * 64,
        signature("00000000-0000-0000-0000-000000000000", "user"),
        "' OR true --",
        "ä" * 1000,
    ],
    ids=[
        *("empty", "blank", "zero", "now", "infinity", "nan", "too-large"),
        *("another-user", "quote", "long"),
    ],
)
def test_anything_else_is_no_signature(
    forged: str, connection: RawConnection, alice: Person
) -> None:
    claim(connection, alice.id, "user", forged)
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


def test_no_signature_at_all_is_refused(connection: RawConnection, alice: Person) -> None:
    connection.execute("SELECT set_config('app.user_id', %s, true)", [str(alice.id)])
    connection.execute("SET LOCAL app.role = 'user'")
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


def test_another_secret_is_refused(connection: RawConnection, alice: Person) -> None:
    other = signature(alice.id, "user", secret=SIGNING.secret + "!")
    claim(connection, alice.id, "user", other)
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


def test_the_message_says_what_to_do(connection: RawConnection, alice: Person) -> None:
    claim(connection, alice.id, "user", "forged")
    with pytest.raises(psycopg.Error) as caught:
        visible_items(connection)
    assert "is not signed with a key of this database" in str(caught.value)
    assert "alembic upgrade head" in (caught.value.diag.message_hint or "")


def test_the_window_is_the_databases(fresh_database: Database) -> None:
    """RLS_CONTEXT_MAX_AGE_SECONDS takes effect with the next migration, in both directions."""
    alice = add_person(fresh_database, "alice")
    for window, age, expected in (
        (1000, 900, None),
        (60, 900, EXPIRED_SIGNATURE),
        (60, -900, EXPIRED_SIGNATURE),
        (60, 30, None),
    ):
        signing = replace(SIGNING, max_age=timedelta(seconds=window))
        demand(fresh_database, replace(SIGNED, signing=signing))
        with connect(fresh_database.app_url) as connection:
            claim(connection, alice.id, "user", signature(alice.id, "user", age=age))
            assert sqlstate_of_items(connection) == expected


def test_a_long_transaction_stays_who_it_is(fresh_database: Database) -> None:
    """The window is measured at the transaction's start, so that a report may run for hours."""
    alice = add_person(fresh_database, "alice")
    signing = replace(SIGNING, max_age=timedelta(seconds=10))
    demand(fresh_database, replace(SIGNED, signing=signing))
    with connect(fresh_database.app_url) as connection:
        claim(connection, alice.id, "user", signature(alice.id, "user", age=9.6))
        connection.execute("SELECT pg_sleep(0.5)")
        assert visible_items(connection) == set(alice.items)
        connection.execute("ROLLBACK")
        claim(connection, alice.id, "user", signature(alice.id, "user", age=10.1))
        assert sqlstate_of_items(connection) == EXPIRED_SIGNATURE


@pytest.mark.parametrize("length", [16, 32, 63, 64, 65, 128, 1000])
def test_secrets_of_every_length(length: int, fresh_database: Database) -> None:
    """RFC 2104: a key longer than a block is hashed first."""
    alice = add_person(fresh_database, "alice")
    secret = "é" * (length // 2) + "x" * (length % 2)
    assert len(secret.encode()) == length
    demand(fresh_database, replace(SIGNED, signing=Signing(secret)))
    with connect(fresh_database.app_url) as connection:
        claim(connection, alice.id, "user", signature(alice.id, "user", secret=secret))
        assert visible_items(connection) == set(alice.items)


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30
)
SPACED = st.lists(st.sampled_from(["a", "user", "admin", "1", "1e3", "", "é", "\n"])).map(" ".join)


@given(user=TEXT | SPACED.filter(bool))
def test_every_text_can_be_an_id(user: str, text_ids: RawConnection) -> None:
    for role in Role:
        assert believed(text_ids, user, role, signature(user, role)) == (user, role)


@given(user=TEXT, other=TEXT)
def test_no_text_is_anothers(user: str, other: str, text_ids: RawConnection) -> None:
    if user != other:
        own = signature(user, "user")
        assert believed(text_ids, other, "user", own) == INVALID_SIGNATURE


@given(first=SPACED, victim=TEXT)
def test_the_parts_of_a_signature_cannot_be_shifted(
    first: str, victim: str, text_ids: RawConnection
) -> None:
    """An id that looks like the end of a role, a time and another user's id becomes neither.

    The message is the same text, byte for byte; only where its parts begin is claimed otherwise.
    """
    later, _ = signature(victim, "user").split()
    user = f"{first} {later} {victim}"
    issued, digest = signature(user, "user").split()
    shifted_role = f"user {issued} {first}"
    assert believed(text_ids, user, "user", f"{issued} {digest}") == (user, "user")
    assert believed(text_ids, victim, shifted_role, f"{later} {digest}") == INVALID_SIGNATURE


def test_every_split_of_a_message_but_its_own_is_refused(text_ids: RawConnection) -> None:
    user = "admin 1790000000.000 admin 1790000000.000 victim"
    issued, digest = signature(user, "user").split()
    words = f"user {issued} {user}".split(" ")
    for time_at in range(len(words)):
        role, time, rest = words[:time_at], words[time_at], words[time_at + 1 :]
        outcome = believed(text_ids, " ".join(rest), " ".join(role), f"{time} {digest}")
        if time_at == 1:
            assert outcome == (user, "user")
        else:
            assert outcome in {INVALID_SIGNATURE, MISSING_IDENTITY}


def test_ids_that_uuid_reads_alike_are_signed_as_they_are_spelled(
    connection: RawConnection, alice: Person
) -> None:
    claim(connection, str(alice.id).upper(), "user", signature(alice.id, "user"))
    assert sqlstate_of_items(connection) == INVALID_SIGNATURE


ANSWERS = {
    "user": ("x", None, None),
    "admin": ("x", None, None),
    "read_only_admin": ("x", None, None),
    "sign_in": (MISSING_IDENTITY, "x", None),
    "anonymous": (MISSING_IDENTITY, None, None),
    "service": (MISSING_IDENTITY, None, "x"),
}
"""What `rls.user_id()`, `rls.sign_in()` and `rls.service()` say of an identity, by its role."""


@pytest.mark.parametrize("role", ANSWERS)
def test_each_function_answers_for_its_kind_of_identity(role: str, text_ids: RawConnection) -> None:
    """A user called x is not who signs in as x, and no service x, where ids are text."""
    functions = ("user_id", "sign_in", "service")
    for function, answer in zip(functions, ANSWERS[role], strict=True):
        assert asked(text_ids, function, "x", role, signature("x", role)) == answer
    for other in ANSWERS.keys() - {role}:
        forged = signature("x", other)
        assert asked(text_ids, "identity_name", "x", role, forged) == INVALID_SIGNATURE
        for function, answer in zip(functions, ANSWERS[role], strict=True):
            if answer == "x":
                assert asked(text_ids, function, "x", role, forged) == INVALID_SIGNATURE


def asked(
    connection: RawConnection, function: str, name: str, role: str, signature: str
) -> str | None:
    """Return what a function of schema `rls` says of a claim, or the SQLSTATE of its error."""
    try:
        with connection.transaction(force_rollback=True):
            claim(connection, name, role, signature)
            row = connection.execute(f"SELECT rls.{function}()").fetchone()
            return str(row[0]) if row and row[0] is not None else None
    except psycopg.Error as error:
        return error.sqlstate
