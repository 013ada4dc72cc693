"""What another session of the same role sees of a signature in use: nothing that it can use.

A signature that is bound as a parameter is in no view. One that is written into SQL by hand is in
all of them: that is the negative control, and the reason for binding.
"""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

import hedgerow
from hedgerow import AdminContext, Identity, RowSecurity, Signing
from hedgerow.embedded import EmbeddedServer
from tests.hedgerow.signing.support import SIGNED, SIGNING, claim, demand, session_with, signature
from tests.support.databases import Database, run_alembic
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, connect, visible_items
from tests.support.server import passable_folder
from tests.support.sessions import visible

WHAT_OTHERS_SHOW = (
    # Of this database: other workers' tests write signatures into SQL on purpose.
    "SELECT a::text FROM pg_stat_activity a WHERE datname = current_database()",
    "SELECT a::text FROM pg_stat_get_activity(NULL) a, pg_database d"
    " WHERE d.oid = a.datid AND d.datname = current_database()",
    "SELECT p::text FROM pg_prepared_statements p",
    "SELECT c::text FROM pg_cursors c",
    "SELECT l::text FROM pg_locks l",
)
SIGNATURE = re.compile(r"(\d{9,}\.\d{3}) ([0-9a-f]{64})")


@dataclass(frozen=True)
class RecordingSigning(Signing):
    """Signs as ever, and remembers what it gave out."""

    made: list[str] = field(default_factory=list, compare=False)

    def sign(self, identity: Identity) -> str:
        signature = super().sign(identity)
        self.made.append(signature)
        return signature


def look(watcher: RawConnection) -> str:
    """Return all text that the watcher can read about other sessions."""
    return "\n".join(
        str(row[0]) for statement in WHAT_OTHERS_SHOW for row in watcher.execute(statement)
    )


def usable(seen: str, watcher: RawConnection, victim: Person) -> list[str]:
    """Return those signatures in what was seen that make the watcher the victim."""
    found = []
    for issued, digest in SIGNATURE.findall(seen):
        with watcher.transaction(force_rollback=True):
            try:
                with watcher.transaction():
                    claim(watcher, victim.id, "user", f"{issued} {digest}")
                    visible_items(watcher)
            except psycopg.Error:
                continue
            found.append(f"{issued} {digest}")
    return found


@contextmanager
def busy(engine: Engine, person: Person, row_security: RowSecurity) -> Iterator[threading.Thread]:
    """Work as the person in another thread, in every way that the engine sends an identity."""
    stop = threading.Event()

    class Admin(AdminContext):
        pass

    Admin.row_security = row_security

    def work() -> None:
        while not stop.is_set():
            with session_with(engine, person, row_security) as session:
                visible(session)
                session.execute(text("SELECT pg_sleep(0.002)"))
                with Admin.create_full_admin(person.id, session):
                    visible(session)
                session.commit()
            with engine.connect() as connection:
                connection.begin()
                hedgerow.bind(connection, Identity(person.id), row_security)
                connection.execute(text("SELECT count(*) FROM item"))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield worker
    finally:
        stop.set()
        worker.join()


def test_no_view_shows_a_signature(
    database: Database, connection: RawConnection, pool: Engine, alice: Person
) -> None:
    recording = RecordingSigning(SIGNING.secret)
    row_security = replace(SIGNED, signing=recording)
    seen, deadline = "", time.monotonic() + 60
    with busy(pool, alice, row_security) as worker:
        # On a busy machine the watcher may look only while the other session is idle.
        while worker.is_alive() and time.monotonic() < deadline:
            seen += look(connection)
            connection.rollback()
            if len(recording.made) >= 60 and "FROM item" in seen and "set_config(" in seen:
                break
    assert len(recording.made) >= 60
    assert "FROM item" in seen  # the watcher does see what the other session runs
    assert "set_config(" in seen
    for made in recording.made:
        for part in (made, made.split()[1]):
            assert part not in seen
    assert SIGNATURE.findall(seen) == []
    assert usable(seen, connection, alice) == []


def test_a_signature_written_into_sql_is_seen_and_used(
    database: Database, connection: RawConnection, alice: Person
) -> None:
    """The negative control: the watcher above would have found it, and it would have worked."""
    with connect(database.app_url) as careless:
        careless.execute(f"SET app.signature = '{signature(alice.id, 'user')}'")
        assert len(set(usable(look(connection), connection, alice))) == 1


def test_an_error_of_the_transaction_shows_no_signature(pool: Engine, alice: Person) -> None:
    """What an application logs of a refused identity holds no parameters."""
    recording = RecordingSigning("another secret than the database's")
    with (
        session_with(pool, alice, replace(SIGNED, signing=recording)) as session,
        pytest.raises(DBAPIError, match="not signed with a key") as caught,
    ):
        visible(session)
    assert recording.made
    for made in recording.made:
        assert made.split()[1] not in f"{caught.value!s}{caught.value!r}"


@pytest.fixture(scope="module")
def counting_database() -> Iterator[Database]:
    """Yield a migrated database of a server that loads pg_stat_statements and logs nothing less."""
    directory = passable_folder("hedgerow-counting-")
    settings = {
        "fsync": "off",
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track": "all",
        "pg_stat_statements.track_utility": "on",
    }
    server = EmbeddedServer(directory, settings=settings)
    address = server.acquire()
    try:
        database = Database(address.url())
        secret = {"RLS_CONTEXT_SECRET": SIGNING.secret}
        assert run_alembic(database, "upgrade", "head", settings=secret).returncode == 0
        with database.as_owner() as owner:
            owner.execute(text("CREATE EXTENSION pg_stat_statements"))
            # More than an application's role has: it sees the statements of all.
            owner.execute(text("GRANT pg_read_all_stats TO rls_app_user"))
        demand(database, SIGNED)
        yield database
    finally:
        server.release()
        shutil.rmtree(address.data_dir, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def test_pg_stat_statements_shows_no_signature(counting_database: Database) -> None:
    alice = add_person(counting_database, "alice")
    recording = RecordingSigning(SIGNING.secret)
    engine = create_engine(counting_database.app_url, pool_size=1, max_overflow=0)
    with busy(engine, alice, replace(SIGNED, signing=recording)) as worker:
        while len(recording.made) < 30 and worker.is_alive():
            worker.join(0.01)
    assert len(recording.made) >= 30
    engine.dispose()
    with connect(counting_database.app_url) as watcher:
        seen = "\n".join(
            str(row[0]) for row in watcher.execute("SELECT query FROM pg_stat_statements")
        )
        assert "FROM item" in seen
        assert "set_config" in seen
        assert SIGNATURE.findall(seen) == []
        for made in recording.made:
            assert made.split()[1] not in seen
        assert usable(seen, watcher, alice) == []
