"""How `rls.user_id()` and `rls.role()` answer: never with a guess, never with yesterday's user."""

import pytest
from psycopg import errors
from sqlalchemy import text

from hedgerow.errors import MISSING_IDENTITY
from tests.support.databases import Database
from tests.support.ddl import allow_ddl
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, become, connect, visible_items

STATEMENTS = (
    "SELECT * FROM item",
    "SELECT count(*) FROM item",
    "UPDATE item SET title = 'x'",
    "DELETE FROM item",
    "INSERT INTO item (id, owner_id, title, created_at)"
    " SELECT gen_random_uuid(), id, 'x', now() FROM \"user\"",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_identity_is_an_error_that_says_so(
    statement: str, connection: RawConnection, alice: Person
) -> None:
    """P16: an error, never an empty list and never everything."""
    with pytest.raises(errors.Error) as caught:
        connection.execute(statement)
    assert caught.value.sqlstate == MISSING_IDENTITY == "RL001"
    assert "this transaction carries no identity" in str(caught.value)
    assert "RLSSessionDep" in (caught.value.diag.message_hint or "")


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_no_identity_after_the_transaction_that_had_one(
    ending: str, connection: RawConnection, alice: Person
) -> None:
    """P12: what was set LOCAL reads '' afterwards, not NULL."""
    connection.execute(f"SET LOCAL app.user_id = '{alice.id}'")
    connection.execute("SET LOCAL app.role = 'user'")
    assert visible_items(connection) == set(alice.items)
    connection.execute(ending)
    setting = connection.execute("SELECT current_setting('app.user_id', true)").fetchone()
    assert setting == ("",)
    with pytest.raises(errors.Error) as caught:
        visible_items(connection)
    assert caught.value.sqlstate == MISSING_IDENTITY


@pytest.mark.parametrize("garbage", ["me", "1", "' OR true --", "00000000"])
def test_garbage_as_identity_is_an_error(
    garbage: str, connection: RawConnection, alice: Person
) -> None:
    become(connection, alice)
    connection.execute("SELECT set_config('app.user_id', %s, true)", [garbage])
    with pytest.raises(errors.InvalidTextRepresentation):
        visible_items(connection)


@pytest.mark.parametrize("missing", ["app.user_id", "app.role"])
@pytest.mark.parametrize("role", ["rls_app_user", "rls_admin"])
def test_half_an_identity_is_none(
    role: str, missing: str, connection: RawConnection, alice: Person
) -> None:
    """P16: whichever of the two the policy at hand asks for."""
    become(connection, alice, "admin")
    connection.execute(f"SET {missing} = ''")
    connection.execute(f"SET ROLE {role}")
    with pytest.raises(errors.Error) as caught:
        visible_items(connection)
    assert caught.value.sqlstate == MISSING_IDENTITY


def see_through_one_prepared_statement(
    connection: RawConnection, mode: str, people: list[Person]
) -> None:
    """Assert that a statement prepared once shows each person their own rows, also when cached."""
    connection.execute(f"SET plan_cache_mode = {mode}")
    for _ in range(8):  # from the sixth on PostgreSQL may keep a generic plan
        for person in people:
            become(connection, person)
            rows = connection.execute("SELECT id FROM item WHERE title <> %s", [""], prepare=True)
            assert {item for (item,) in rows} == set(person.items)
    prepared = connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert any("FROM item" in str(statement) for (statement,) in prepared)


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan", "force_custom_plan"])
def test_a_prepared_statement_serves_two_identities(
    mode: str, connection: RawConnection, alice: Person, bob: Person
) -> None:
    """P17."""
    see_through_one_prepared_statement(connection, mode, [alice, bob])


def test_an_immutable_function_would_be_frozen_into_the_plan(fresh_database: Database) -> None:
    """P17, the negative control of the test above."""
    people = [add_person(fresh_database, "alice"), add_person(fresh_database, "bob")]
    with fresh_database.as_owner() as owner:
        owner.execute(text("ALTER FUNCTION rls.user_id() IMMUTABLE"))
    with connect(fresh_database.app_url) as connection, pytest.raises(AssertionError):
        see_through_one_prepared_statement(connection, "force_generic_plan", people)


def test_no_search_path_changes_what_the_functions_mean(fresh_database: Database) -> None:
    """P7: the attacker's own `current_setting` comes first in the path, and is not called."""
    alice = add_person(fresh_database, "alice")
    bob = add_person(fresh_database, "bob")
    with fresh_database.as_owner() as owner:
        owner.execute(text("GRANT CREATE ON SCHEMA public TO rls_app_user"))
    allow_ddl(fresh_database)
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        connection.execute(
            "CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE sql"
            f" AS $$ SELECT '{bob.id}' $$"
        )
        connection.execute("SET search_path = public, pg_catalog")
        fooled = connection.execute("SELECT current_setting('app.user_id', true)").fetchone()
        assert fooled == (str(bob.id),)
        assert visible_items(connection) == set(alice.items)


@pytest.mark.usefixtures("may_run_ddl")
def test_the_application_may_not_replace_the_functions(connection: RawConnection) -> None:
    functions = connection.execute(
        "SELECT oid::regprocedure::text, prorettype::regtype::text FROM pg_proc"
        " WHERE pronamespace = 'rls'::regnamespace"
    ).fetchall()
    assert {"rls.user_id()", "rls.role()"} <= {signature for signature, _ in functions}
    for signature, returns in functions:
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(
                f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE sql"
                f" AS $$ SELECT NULL::{returns} $$"
            )
