"""Attacks with injected SQL, or as an admin: each fails, or leaves a trace."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, Role, RoleNames
from hedgerow.audit.functions import LOCK_LASTS
from hedgerow.audit.retention import remove_older_than
from hedgerow.audit.triggers import create_trigger_statement
from hedgerow.config.audit import AuditTrigger
from hedgerow.errors import UNRECORDED_ELEVATION
from hedgerow.sql import Statement
from tests.hedgerow.audit.entries import changes, elevations, entries
from tests.hedgerow.audit.support import age, check, owner
from tests.support.databases import Database, clone_template, drop
from tests.support.elevation import RECORD
from tests.support.people import Person, add_person, owners_of, remove_all_users
from tests.support.raw import connect
from tests.support.sessions import ROW_SECURITY, one_connection, session_of, visible

LEAVE = (
    "set_config('role', 'none', true) IS NOT NULL AND set_config('app.elevation', '', true) = ''"
)
COME_BACK = "set_config('app.elevation', {own}, true), set_config('role', 'rls_admin', true)"
FLIPS = {
    "DELETE": f"DELETE FROM item WHERE owner_id = :victim AND {LEAVE}",
    "UPDATE": "WITH done AS (UPDATE item SET title = 'x' WHERE owner_id = :victim"
    f" RETURNING {LEAVE}) SELECT count(*), {COME_BACK} FROM done",
    "INSERT": "WITH done AS (INSERT INTO item (id, owner_id, title, created_at)"
    " SELECT gen_random_uuid(), :victim, 'x', now() FROM generate_series(1, 2)"
    f" RETURNING {LEAVE}) SELECT count(*), {COME_BACK} FROM done",
}
"""Statements that stop to look like an admin's before their rows are recorded."""


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.app_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("command", FLIPS)
def test_a_statement_that_hides_its_rows_is_recorded_itself(
    command: str, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with session_of(engine, admin, Role.ADMIN) as session:
        visible(session)
        (elevation,) = elevations(database, admin)
        flip = FLIPS[command].format(own=f"'{elevation['id']}'")
        session.execute(text(flip), {"victim": alice.id})
        session.commit()
    assert len(changes(database, admin)) < 2  # its attack works: two rows were changed
    (statement,) = entries(database, event="statement", user_id=str(admin.id))
    assert (statement["table_name"], statement["command"]) == ("public.item", command)
    assert (statement["elevation"], statement["role"]) == (elevation["id"], "admin")
    assert not check(database).faults


def test_an_elevation_to_look_as_a_user_is_no_other(
    engine: Engine, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    viewer = Identity(admin.id, Role.READ_ONLY_ADMIN)
    with Session(engine) as session:
        hedgerow.bind(session, Identity(alice.id, viewed_by=viewer), ROW_SECURITY)
        assert visible(session) == set(alice.items)
    (elevation,) = elevations(database, admin)
    assert elevation["owner"] == str(alice.id)
    settings = ROW_SECURITY.settings_for(viewer, str(elevation["id"]))
    with connect(database.app_url) as connection:
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("SELECT FROM item")
    assert caught.value.sqlstate == UNRECORDED_ELEVATION


@pytest.mark.parametrize(
    "flood",
    [
        "SELECT rls.record_elevation('x', NULL, NULL, NULL, NULL) FROM generate_series(1, 9)",
        "DO $$ BEGIN FOR n IN 1..9 LOOP BEGIN"
        " PERFORM rls.record_elevation('x', NULL, NULL, NULL, NULL);"
        " EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
        # Each entry is chained by the time the next is written.
        "DO $$ BEGIN SET CONSTRAINTS ALL IMMEDIATE; FOR n IN 1..9 LOOP"
        " PERFORM rls.record_elevation('x', NULL, NULL, NULL, NULL); END LOOP; END $$",
    ],
)
def test_one_statement_cannot_fill_the_trail(flood: str, database: Database, admin: Person) -> None:
    with connect(database.app_url) as connection:
        for name, value in (("app.user_id", str(admin.id)), ("app.role", "admin")):
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        connection.commit()
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(flood.encode())
        assert caught.value.sqlstate == UNRECORDED_ELEVATION
        connection.rollback()
        assert elevations(database, admin) == []
        connection.execute(RECORD, ["one is no flood", None, None, None, None])
        connection.commit()
    assert len(elevations(database, admin)) == 1


def test_what_a_user_leaves_in_a_pooled_connection_does_not_hurt_the_next(
    database: Database, alice: Person, bob: Person
) -> None:
    """P11: the trigger's condition looks at a setting that any SQL can set."""
    engine = one_connection(database)
    for poison in ("1", "x"):
        with session_of(engine, alice) as session:
            session.execute(
                text("SELECT set_config('app.elevation', :poison, false)"), {"poison": poison}
            )
            session.commit()
        with session_of(engine, bob) as session:
            assert session.scalar(text("SELECT current_setting('app.elevation', true)")) == ""
            session.execute(text("UPDATE item SET title = 'mine'"))
            session.commit()
    engine.dispose()
    assert entries(database, event="change", owner=str(bob.id)) == []


def test_a_row_that_is_moved_is_recorded_as_whose_and_which_it_was(
    engine: Engine, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    """Or a row that an admin takes would never have been another user's."""
    (item, _), moved = alice.items, uuid4()
    with session_of(engine, admin, Role.ADMIN) as session:
        session.execute(
            text("UPDATE item SET id = :moved, owner_id = :bob WHERE id = :item"),
            {"moved": moved, "bob": bob.id, "item": item},
        )
        session.commit()
    assert owners_of(database, [moved]) == {moved: bob.id}
    (entry,) = changes(database, admin)
    assert (entry["row_key"], entry["owner"]) == ({"id": str(item)}, str(alice.id))
    assert entry["changes"] == {
        "id": [str(item), str(moved)],
        "owner_id": [str(alice.id), str(bob.id)],
    }


def test_what_maintenance_deletes_by_cascade_is_recorded(database: Database, alice: Person) -> None:
    """P33: it is deleted as the table's owner, so the current role does not tell."""
    with connect(database.maintenance_url) as connection:
        connection.execute('DELETE FROM "user" WHERE id = %s', [alice.id])
        connection.commit()
    recorded = entries(database, event="change", owner=str(alice.id), table_name="public.item")
    assert {entry["row_key"]["id"] for entry in recorded} == set(map(str, alice.items))
    for entry in recorded:
        assert entry["command"] == "DELETE"
        assert (entry["role"], entry["login"]) == ("maintenance", "rls_maintenance_admin")


def test_a_removal_waits_for_no_lock_that_others_can_take(history: Database) -> None:
    """Any role may take an advisory lock, whatever its number, and keep it."""
    age(history, through=4)
    held: list[tuple[str, str]] = []

    def look(connection: Connection) -> None:
        rows = connection.execute(
            text("SELECT locktype, mode FROM pg_locks WHERE pid = pg_backend_pid()"
                 " AND (locktype = 'advisory' OR relation = 'rls.audit'::regclass)")
        )  # fmt: skip
        held.extend((row.locktype, row.mode) for row in rows)

    with owner(history) as connection:
        event.listen(connection, "commit", look)
        assert remove_older_than(connection, timedelta(days=365), reason="old") is not None
    assert ("relation", "ShareUpdateExclusiveLock") in held
    assert "advisory" not in {kind for kind, _ in held}
    with connect(history.app_url) as app:
        app.execute("SET ROLE rls_admin")
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute("LOCK TABLE rls.audit IN SHARE UPDATE EXCLUSIVE MODE")


@pytest.fixture(scope="module")
def altered(server: URL) -> Iterator[Database]:
    """Yield a database whose items have a json column, and whose commits wait for a moment only."""
    database = clone_template(server)
    with database.as_owner() as connection:
        connection.execute(text("ALTER TABLE item ADD note json"))
        connection.execute(text("ALTER FUNCTION rls.chain() SET lock_timeout = '100ms'"))
    yield database
    drop(database)


@pytest.fixture
def people(altered: Database) -> tuple[Person, Person]:
    remove_all_users(altered)
    return add_person(altered, "alice"), add_person(altered, "admin", items=0, superuser=True)


@pytest.mark.parametrize(
    ("owner", "tenant"), [("owner_id", None), (None, None), (None, "owner_id")]
)
def test_a_row_that_jsonb_cannot_hold_is_recorded_by_its_key(
    altered: Database, people: tuple[Person, Person], owner: str | None, tenant: str | None
) -> None:
    """Or its user could make it one that no admin can change or delete."""
    alice, admin = people
    trigger = AuditTrigger(("id",), owner, tenant=tenant)
    with altered.as_owner() as connection:
        connection.execute(text("DROP TRIGGER rls_audit ON item"))
        create = create_trigger_statement(trigger, "item", None, RoleNames())
        connection.execute(Statement(create))
    engine = altered.engine(altered.app_url)
    with session_of(engine, alice) as session:
        session.execute(text("UPDATE item SET note = CAST(:note AS json)"), {"note": r'"\u0000"'})
        session.commit()
    with session_of(engine, admin, Role.ADMIN) as session:
        session.execute(text("UPDATE item SET title = 'x'"))
        session.execute(text("DELETE FROM item"))
        session.commit()
    assert owners_of(altered, alice.items) == {}
    recorded = changes(altered, admin)
    assert [entry["command"] for entry in recorded] == ["UPDATE"] * 2 + ["DELETE"] * 2
    keys = [entry["row_key"]["id"] for entry in recorded]
    assert set(keys[:2]) == set(keys[2:]) == set(map(str, alice.items))
    for entry in recorded:
        assert entry["owner"] == (str(alice.id) if owner else None)
        assert entry["tenant"] == (str(alice.id) if tenant else None)
        assert (entry["columns"], entry["changes"]) == (None, None)
    assert not check(altered).faults


def test_who_keeps_the_chain_locked_makes_others_fail_and_not_hang(
    database: Database, altered: Database, people: tuple[Person, Person]
) -> None:
    limit = text("SELECT proconfig FROM pg_proc WHERE oid = 'rls.chain()'::regprocedure")
    with database.as_owner() as connection:
        assert f"lock_timeout={LOCK_LASTS}" in connection.scalars(limit).one()
    alice, admin = people
    # What ends the wait must be the chain's own limit: without one, this ends with another message.
    url = altered.app_url.update_query_dict({"options": "-c statement_timeout=3s"})
    patient, engine = altered.engine(url), altered.engine(altered.app_url)
    change = text("UPDATE item SET title = 'x'")
    with session_of(engine, admin, Role.ADMIN) as holder:
        holder.execute(change)
        holder.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        with (
            session_of(patient, admin, Role.ADMIN) as waiting,
            pytest.raises(DBAPIError, match="lock timeout"),
        ):
            waiting.execute(change)
        holder.rollback()
    with session_of(patient, admin, Role.ADMIN) as served:
        served.execute(change)
        served.commit()
    assert len(changes(altered, admin)) == len(alice.items)
    assert not check(altered).faults
