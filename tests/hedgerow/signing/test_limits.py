"""What signing does not stop: documented in docs/explanation/identity.md, and true.

A test here that fails because something has become safer is good news: tell the page. Stacked
statements work here because these engines have psycopg's own cursors; the application's have not
(tests/hedgerow/sessions/test_single_statement.py).
"""

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from app.models import Item
from tests.hedgerow.signing.support import run_injected, signed_session
from tests.support.people import Person


@pytest.mark.usefixtures("may_run_ddl")
def test_stacked_statements_can_leave_a_trap_on_the_connection(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """A temporary view in the table's place runs the attacker's function as the next user."""
    with signed_session(pool, alice) as session:
        _, sqlstate = run_injected(
            session,
            "COMMIT; CREATE TEMP TABLE loot (title text);"
            " CREATE FUNCTION pg_temp.copy() RETURNS boolean LANGUAGE sql VOLATILE AS $$"
            " INSERT INTO pg_temp.loot SELECT title FROM public.item RETURNING true $$;"
            " CREATE TEMP VIEW item AS SELECT * FROM public.item WHERE pg_temp.copy(); COMMIT",
        )
        assert sqlstate is None
    with signed_session(pool, bob) as session:
        assert len(session.scalars(select(Item)).all()) == len(bob.items)
        session.commit()
    with signed_session(pool, alice) as session:
        loot = set(session.scalars(text("SELECT title FROM loot")))
    assert loot == {"bob's item 0", "bob's item 1"}


def test_one_statement_can_leave_no_trap(pool: Engine, alice: Person, bob: Person) -> None:
    """A value is bound, so the driver sends one statement and PostgreSQL takes one only."""
    with signed_session(pool, alice) as session:
        injected = "SELECT id FROM item WHERE title <> :title; CREATE TEMP TABLE item (id uuid)"
        with pytest.raises(ProgrammingError, match="cannot insert multiple commands"):
            session.execute(text(injected), {"title": ""})
