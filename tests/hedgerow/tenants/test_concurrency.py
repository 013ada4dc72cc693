"""Two sessions at once: the last owner stays, and a membership ends with the next statement."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import URL, text

from hedgerow import Identity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE, LAST_OWNER
from tests.hedgerow.signing.support import PLAIN
from tests.hedgerow.tenants.firm import database_of, firm_for
from tests.hedgerow.tenants.stage import ANN, BEN, EVE, NEW, VIC, A, Outcome, Stage, run
from tests.support.raw import RawConnection, connect

NOT_SERIALIZABLE = "40001"
DOCUMENTS = "SELECT id FROM document"


@pytest.fixture(scope="module")
def stage(server: URL) -> Iterator[Stage]:
    firm = firm_for(PLAIN)
    with database_of(server, firm, PLAIN) as database:
        yield Stage(database, firm, PLAIN)


@pytest.fixture
def two_owners(stage: Stage) -> Iterator[Stage]:
    """Yield the stage where Ben owns team A too."""
    with stage.database.as_owner() as owner:
        owner.execute(text(f"UPDATE membership SET role = 'owner' WHERE user_id = '{BEN}'"))
    yield stage
    stage.fill()


@contextmanager
def acting(
    stage: Stage, who: Identity, isolation: str = "READ COMMITTED"
) -> Iterator[RawConnection]:
    """Yield a connection in a transaction of somebody's, which has its snapshot."""
    with connect(stage.database.app_url) as connection:
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        stage.become(connection, who)
        yield connection


def settled(stage: Stage, connection: RawConnection, statement: Future[Outcome]) -> None:
    """Wait until a statement is done, or waits for a lock."""
    pid = connection.info.backend_pid
    waits = text("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid")
    while not statement.done():
        with stage.database.as_owner() as owner:
            if owner.scalar(waits, {"pid": pid}):
                return
        time.sleep(0.005)


LEAVE = "DELETE FROM membership WHERE team_id = '{A}' AND user_id = "
STEP_DOWN = "UPDATE membership SET role = 'viewer' WHERE team_id = '{A}' AND user_id = "
ISOLATION = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


@pytest.mark.parametrize("isolation", ISOLATION)
@pytest.mark.parametrize(
    ("ann", "ben"),
    [
        *itertools.product((LEAVE + "'{ann}'", STEP_DOWN + "'{ann}'"),
                           (LEAVE + "'{ben}'", STEP_DOWN + "'{ben}'")),
        (LEAVE + "'{ben}'", LEAVE + "'{ann}'"),  # each removes the other
        (STEP_DOWN + "'{ben}'", LEAVE + "'{ann}'"),
    ],
)  # fmt: skip
def test_of_two_owners_one_stays(two_owners: Stage, isolation: str, ann: str, ben: str) -> None:
    """Whoever is first has not committed when the other acts, on a snapshot from before."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(acting(two_owners, Identity(who), isolation)) for who in (ANN, BEN)
        )
        assert run(second, DOCUMENTS) == [1]
        assert run(first, ann) == 1
        with ThreadPoolExecutor(1) as thread:
            late = thread.submit(run, second, ben)
            settled(two_owners, second, late)
            first.commit()
            outcome = late.result()
        assert outcome in (LAST_OWNER, NOT_SERIALIZABLE, 0)
        second.commit()
    assert owners(two_owners) == 1


@pytest.mark.parametrize("isolation", ISOLATION)
def test_who_acts_on_an_old_snapshot_is_not_the_last_to_leave(
    two_owners: Stage, isolation: str
) -> None:
    """The first has committed, which a snapshot from before does not show."""
    with acting(two_owners, Identity(BEN), isolation) as ben:
        assert run(ben, DOCUMENTS) == [1]
        assert two_owners.perform(Identity(ANN), LEAVE + "'{ann}'") == 1
        expected = LAST_OWNER if isolation == "READ COMMITTED" else NOT_SERIALIZABLE
        assert run(ben, LEAVE + "'{ben}'") == expected
    assert owners(two_owners) == 1


def owners(stage: Stage) -> Any:
    """Return how many owners team A has."""
    with stage.database.as_owner() as owner:
        return owner.scalar(
            text("SELECT count(*) FROM membership WHERE team_id = :a AND role = 'owner'"), {"a": A}
        )


def test_a_revoked_membership_ends_with_the_next_statement(stage: Stage) -> None:
    """But neither in the middle of one, nor before the transaction's snapshot ends."""
    with ExitStack() as stack:
        reading, repeating = (
            stack.enter_context(acting(stage, Identity(VIC), isolation))
            for isolation in ISOLATION[:2]
        )
        assert run(repeating, DOCUMENTS) == [1]
        with reading.cursor("members", withhold=False) as cursor:
            cursor.execute("SELECT user_id FROM membership, generate_series(1, 5)")
            cursor.itersize = 1
            first = cursor.fetchone()
            assert stage.perform(Identity(ANN), LEAVE + "'{vic}'") == 1
            assert [first, *cursor.fetchall()] == [(VIC,)] * 5
        assert run(reading, DOCUMENTS) == []
        assert run(reading, "UPDATE tag SET title = 'x' WHERE id = 1") == 0
        assert run(repeating, DOCUMENTS) == [1]
        repeating.commit()
        stage.become(repeating, Identity(VIC))
        assert run(repeating, DOCUMENTS) == []
    stage.fill()


def test_a_tenant_that_somebody_is_just_founding_is_not_shown(stage: Stage) -> None:
    """A note forged for it passes the function's question for the snapshot, and shows no row."""
    forged = "WITH f AS MATERIALIZED (SELECT set_config('app.founded', '{new}', true)) "
    take = (
        "INSERT INTO team (id) VALUES ('{new}') ON CONFLICT (id) DO UPDATE SET title = 'taken'"
        " RETURNING title"
    )
    with ExitStack() as stack:
        founder = stack.enter_context(acting(stage, Identity(ANN)))
        eve = stack.enter_context(acting(stage, Identity(EVE)))
        assert run(founder, "INSERT INTO team VALUES ('{new}', 'secret')") == 1
        assert run(eve, forged + "SELECT title FROM f, team") == ["title 3"]
        with ThreadPoolExecutor(1) as thread:
            late = thread.submit(run, eve, take)
            settled(stage, eve, late)
            founder.commit()
            assert late.result() == INSUFFICIENT_PRIVILEGE
    stage.fill()
    assert NEW not in [row[0] for row in stage.stored()["team"]]
