"""Two users take turns on one connection, in every order that Hypothesis thinks of."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from hypothesis import settings, stateful
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from sqlmodel import col

from app.models import Item
from hedgerow import guard
from tests.support.leftovers import INJECTED, found
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext, session_of, visible

ENDINGS = st.sampled_from(["commit", "rollback", "close", "error", "commit and read"])
PEOPLE = st.sampled_from([0, 1])


class TakingTurns(stateful.RuleBasedStateMachine):
    """Two sessions that never see each other's rows, checked against a model in memory."""

    engine: Engine
    people: tuple[Person, Person]

    def __init__(self) -> None:
        super().__init__()
        self.sessions = [session_of(self.engine, person) for person in self.people]
        with Session(self.engine) as session:
            self.nobody = found(session)
        self.stored: list[set[UUID]] = [set(person.items) for person in self.people]

    def _end(self, who: int, ending: str, stored: set[UUID]) -> None:
        session = self.sessions[who]
        if ending == "error":
            with pytest.raises(ProgrammingError):
                session.execute(text("SELECT no_such_column"))
            session.rollback()
        elif ending == "commit and read":
            session.commit()
            assert visible(session) == stored
            session.rollback()
        else:
            getattr(session, ending)()
        if ending.startswith("commit"):
            self.stored[who] = stored

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def read(self, who: int, ending: str) -> None:
        assert visible(self.sessions[who]) == self.stored[who]
        self._end(who, ending, self.stored[who])

    @stateful.rule(who=PEOPLE, ending=ENDINGS, count=st.integers(1, 3))
    def write(self, who: int, ending: str, count: int) -> None:
        new = {uuid4() for _ in range(count)}
        rows = [{"id": item, "owner_id": self.people[who].id, "title": "new"} for item in new]
        self.sessions[who].execute(insert(Item), rows)
        self._end(who, ending, self.stored[who] | new)

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def flush_one(self, who: int, ending: str) -> None:
        item = Item(owner_id=self.people[who].id, title="new")
        self.sessions[who].add(item)
        self.sessions[who].flush()
        self._end(who, ending, self.stored[who] | {item.id})

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def delete_everything(self, who: int, ending: str) -> None:
        self.sessions[who].execute(delete(Item))
        self._end(who, ending, set())

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def write_for_the_other(self, who: int, ending: str) -> None:
        session = self.sessions[who]
        with pytest.raises(ProgrammingError), session.begin_nested():
            session.add(Item(owner_id=self.people[1 - who].id, title="smuggled"))
        assert visible(session) == self.stored[who]
        self._end(who, ending, self.stored[who])

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def leave_settings(self, who: int, ending: str) -> None:
        self.sessions[who].execute(INJECTED)
        self._end(who, ending, self.stored[who])

    @stateful.rule()
    def look_as_nobody(self) -> None:
        with Session(self.engine) as session:
            assert found(session) == self.nobody
            with pytest.raises(ProgrammingError, match="row-level security"):
                visible(session)

    @stateful.rule(who=PEOPLE, ending=ENDINGS)
    def look_as_an_admin(self, who: int, ending: str) -> None:
        session = self.sessions[who]
        with AdminContext.create_full_admin(self.people[who].id, session):
            assert visible(session) == self.stored[0] | self.stored[1]
        assert visible(session) == self.stored[who]
        self._end(who, ending, self.stored[who])

    def teardown(self) -> None:
        for who, session in enumerate(self.sessions):
            session.close()
            with session:
                session.execute(delete(Item))
                mine = self.people[who]
                session.execute(
                    insert(Item),
                    [{"id": item, "owner_id": mine.id, "title": "first"} for item in mine.items],
                )
                session.commit()


def test_two_users_take_turns(pool: Engine, alice: Person, bob: Person) -> None:
    """P11, P13, P56: one of them, or what was injected into their requests, leaves settings."""
    scene = {"engine": guard(pool, ROW_SECURITY), "people": (alice, bob)}
    machine = type("Machine", (TakingTurns,), scene)
    stateful.run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=15, deadline=None)
    )


def test_two_users_in_threads_of_their_own(pool: Engine, alice: Person, bob: Person) -> None:
    """P11, P20: the pool hands the one connection from thread to thread."""

    def work(person: Person) -> None:
        for turn in range(30):
            with session_of(pool, person) as session:
                assert visible(session) == set(person.items)
                item = Item(owner_id=person.id, title="passing")
                session.add(item)
                session.flush()
                assert visible(session) == {*person.items, item.id}
                if turn % 3 == 0:
                    session.rollback()
                elif turn % 3 == 1:
                    session.commit()
                    session.execute(delete(Item).where(col(Item.id) == item.id))
                    session.commit()
                else:
                    _fail(session)
                assert visible(session) == set(person.items)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work, person) for person in (alice, bob)]:
            done.result()


def _fail(session: Session) -> None:
    with pytest.raises(ProgrammingError):
        session.execute(text("SELECT no_such_column"))
    session.rollback()
