"""Secrets come and go by `alembic upgrade head`, under a running application."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import DatabaseNotReadyError, RowSecurity, Signing
from hedgerow.checks.readiness import verify
from hedgerow.errors import INVALID_SIGNATURE
from tests.hedgerow.signing.support import PLAIN, demand, session_with
from tests.support.databases import Database, run_alembic
from tests.support.people import Person, add_person
from tests.support.sessions import visible

FIRST, SECOND = "the first secret of all", "the second secret of all"


def signed_with(secret: str, **options: timedelta) -> RowSecurity:
    return replace(PLAIN, signing=Signing(secret, **options))


def upgrade(database: Database, secret: str | None, **settings: str) -> None:
    if secret is not None:
        settings["RLS_CONTEXT_SECRET"] = secret
    off = () if secret is not None else ("-x", "signing=off")
    result = run_alembic(database, *off, "upgrade", "head", settings=settings)
    assert result.returncode == 0, result.stderr


def outcome(engine: Engine, person: Person, row_security: RowSecurity) -> set[object] | str:
    """Return the items that a session sees, or the SQLSTATE with which it fails."""
    try:
        with session_with(engine, person, row_security) as session:
            return set(visible(session))
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", error))


@pytest.fixture
def engine(fresh_database: Database) -> Iterator[Engine]:
    engine = create_engine(fresh_database.app_url)
    yield engine
    engine.dispose()


@contextmanager
def requests(
    engine: Engine, person: Person, row_security: RowSecurity
) -> Iterator[list[set[object] | str]]:
    """Read again and again in a thread; yield the outcomes, which are complete at the end."""
    outcomes: list[set[object] | str] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            outcomes.append(outcome(engine, person, row_security))
            stop.wait(0.005)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield outcomes
    finally:
        stop.set()
        thread.join()


def wait_for_more(outcomes: list[set[object] | str]) -> None:
    """Return once requests that began after this call have been answered."""
    enough, deadline = len(outcomes) + 3, time.monotonic() + 20
    while len(outcomes) < enough and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(outcomes) >= enough


def test_no_request_fails_while_the_secret_changes(
    fresh_database: Database, engine: Engine
) -> None:
    """Old and new are accepted beside each other for the stated time, and then only the new."""
    alice = add_person(fresh_database, "alice")
    own = set(alice.items)
    old, new = signed_with(FIRST), signed_with(SECOND)
    upgrade(fresh_database, FIRST)
    assert outcome(engine, alice, new) == INVALID_SIGNATURE
    with requests(engine, alice, old) as outcomes:
        upgrade(fresh_database, SECOND, RLS_CONTEXT_ROTATION_SECONDS="3600")
        before = len(outcomes)
        assert outcome(engine, alice, new) == own
        wait_for_more(outcomes)
    assert before > 0
    assert [seen for seen in outcomes if seen != own] == []
    verify(engine, SQLModel.metadata, new)
    # The running application still starts again with the old secret, as a crashed worker would.
    verify(engine, SQLModel.metadata, old)

    upgrade(fresh_database, SECOND, RLS_CONTEXT_ROTATION_SECONDS="600")
    assert outcome(engine, alice, old) == own
    with fresh_database.as_owner() as owner:
        owner.execute(
            text("UPDATE rls.signing_key SET retires_at = now() WHERE retires_at > now()")
        )
    assert outcome(engine, alice, old) == INVALID_SIGNATURE
    assert outcome(engine, alice, new) == own


def keys(database: Database) -> tuple[int, int]:
    """Return how many keys the database has, and how many of them are to retire."""
    with database.as_owner() as owner:
        row = owner.execute(text("SELECT count(*), count(retires_at) FROM rls.signing_key")).one()
    return row[0], row[1]


def test_the_old_secret_ends_by_itself(fresh_database: Database, engine: Engine) -> None:
    alice = add_person(fresh_database, "alice")
    old = signed_with(FIRST)
    demand(fresh_database, old)
    upgrade(fresh_database, SECOND, RLS_CONTEXT_ROTATION_SECONDS="60")
    with fresh_database.as_owner() as owner:
        owner.execute(text("UPDATE rls.signing_key SET retires_at = retires_at - interval '61 s'"))
    assert outcome(engine, alice, old) == INVALID_SIGNATURE
    assert outcome(engine, alice, signed_with(SECOND)) == set(alice.items)
    assert keys(fresh_database) == (2, 1)
    demand(fresh_database, signed_with(SECOND))
    assert keys(fresh_database) == (1, 0)


def test_the_promised_time_is_not_prolonged_by_another_migration(
    fresh_database: Database,
) -> None:
    demand(fresh_database, signed_with(FIRST))
    demand(fresh_database, signed_with(SECOND, rotation=timedelta(hours=1)))
    with fresh_database.as_owner() as owner:
        retires = owner.scalar(text("SELECT max(retires_at) FROM rls.signing_key"))
    demand(fresh_database, signed_with(SECOND, rotation=timedelta(hours=9)))
    with fresh_database.as_owner() as owner:
        assert owner.scalar(text("SELECT max(retires_at) FROM rls.signing_key")) == retires


def test_a_rotation_taken_back(fresh_database: Database, engine: Engine) -> None:
    alice = add_person(fresh_database, "alice")
    for secret in (FIRST, SECOND, FIRST):
        demand(fresh_database, signed_with(secret))
        assert outcome(engine, alice, signed_with(secret)) == set(alice.items)
    assert keys(fresh_database) == (2, 1)
    demand(fresh_database, signed_with(FIRST))
    with fresh_database.as_owner() as owner:
        owner.execute(
            text("UPDATE rls.signing_key SET retires_at = now() WHERE retires_at > now()")
        )
    assert outcome(engine, alice, signed_with(FIRST)) == set(alice.items)
    assert outcome(engine, alice, signed_with(SECOND)) == INVALID_SIGNATURE


def test_no_overlap_where_none_is_wanted(fresh_database: Database, engine: Engine) -> None:
    """After a secret has leaked: RLS_CONTEXT_ROTATION_SECONDS=0 ends it with the migration."""
    alice = add_person(fresh_database, "alice")
    demand(fresh_database, signed_with(FIRST))
    upgrade(fresh_database, SECOND, RLS_CONTEXT_ROTATION_SECONDS="0")
    assert keys(fresh_database) == (1, 0)
    assert outcome(engine, alice, signed_with(FIRST)) == INVALID_SIGNATURE


def test_a_leaked_secret_that_is_retiring_ends_sooner(
    fresh_database: Database, engine: Engine
) -> None:
    """It was promised a day; the migration that follows the leak takes that back."""
    alice = add_person(fresh_database, "alice")
    demand(fresh_database, signed_with(FIRST))
    demand(fresh_database, signed_with(SECOND))
    assert outcome(engine, alice, signed_with(FIRST)) == set(alice.items)
    upgrade(fresh_database, SECOND, RLS_CONTEXT_ROTATION_SECONDS="0")
    assert outcome(engine, alice, signed_with(FIRST)) == INVALID_SIGNATURE


def test_signing_is_turned_on_off_and_on(fresh_database: Database, engine: Engine) -> None:
    alice = add_person(fresh_database, "alice")
    own, signed = set(alice.items), signed_with(FIRST)
    assert outcome(engine, alice, PLAIN) == own
    upgrade(fresh_database, FIRST)
    assert outcome(engine, alice, signed) == own
    assert outcome(engine, alice, PLAIN) == INVALID_SIGNATURE
    forgotten = run_alembic(fresh_database, "upgrade", "head")
    assert forgotten.returncode == 1
    assert "RLS_CONTEXT_SECRET is not set" in forgotten.stderr
    assert outcome(engine, alice, PLAIN) == INVALID_SIGNATURE
    upgrade(fresh_database, None)
    assert outcome(engine, alice, PLAIN) == own
    assert outcome(engine, alice, signed) == own  # an application that still signs goes on
    assert keys(fresh_database) == (0, 0)
    demand(fresh_database, signed)
    assert outcome(engine, alice, signed) == own
    assert outcome(engine, alice, PLAIN) == INVALID_SIGNATURE


def test_turning_it_on_is_seen_by_plans_that_exist(
    fresh_database: Database, engine: Engine
) -> None:
    """P17: a plan that was cached while identities were plain does not go on believing them."""
    alice = add_person(fresh_database, "alice")
    with engine.connect() as connection:
        for statement in (
            "SET plan_cache_mode = force_generic_plan",
            f"SET app.user_id = '{alice.id}'",
            "SET app.role = 'user'",
            "PREPARE items AS SELECT count(*) FROM item",
        ):
            connection.execute(text(statement))
        assert connection.scalar(text("EXECUTE items")) == len(alice.items)
        connection.commit()
        demand(fresh_database, signed_with(FIRST))
        with pytest.raises(DBAPIError, match="not signed with a key of this database"):
            connection.scalar(text("EXECUTE items"))


@pytest.mark.parametrize(
    ("database_has", "application_has", "says"),
    [
        (FIRST, SECOND, "RLS_CONTEXT_SECRET differs from the database's key"),
        (FIRST, None, "The database expects signed identities, but"),
        (None, FIRST, "The application signs identities"),
    ],
)
def test_the_start_stops_where_secrets_differ(
    database_has: str | None,
    application_has: str | None,
    says: str,
    fresh_database: Database,
    engine: Engine,
) -> None:
    demand(fresh_database, signed_with(database_has) if database_has else PLAIN)
    row_security = signed_with(application_has) if application_has else PLAIN
    with pytest.raises(DatabaseNotReadyError) as caught:
        verify(engine, SQLModel.metadata, row_security)
    message = str(caught.value)
    assert message.startswith(says)
    # Without the secret a migration would turn signing off: that is no advice.
    lost = application_has is None
    assert ("Set RLS_CONTEXT_SECRET to" in message) is lost
    assert ("run `alembic upgrade head`" in message) is not lost
    assert "\n" not in message
    for secret in (FIRST, SECOND):
        assert secret not in message


def test_the_start_stops_where_the_clocks_differ(
    fresh_database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_security = signed_with(FIRST)
    demand(fresh_database, row_security)
    monkeypatch.setattr("hedgerow.config.signing.time.time", lambda: 1e9)
    with pytest.raises(DatabaseNotReadyError, match=r"clocks .* RLS_CONTEXT_MAX_AGE_SECONDS"):
        verify(engine, SQLModel.metadata, row_security)
