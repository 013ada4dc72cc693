"""What decides, on harder tables than the template's; and that it is what really happens."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, Uuid, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import hedgerow
from app.core.project import project
from hedgerow import ConfigurationError, Identity, Role
from hedgerow.why.answer import Decider, Verdict
from hedgerow.why.question import Command, parse_key
from tests.hedgerow.why.support import ALICE, BOB, DOCUMENT, ODD, TEAM, ask, project_of
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY


def test_names_and_keys_of_every_kind(tables: Database) -> None:
    """A key of two columns, of which one is padded; names with quotes, colons and percent signs."""
    project = project_of(tables)
    first = ("the key: %(x)s=a=b", "Number=1")
    answer = ask(project, ODD, *first)
    assert (answer.verdict, answer.decided_by) == (Verdict.ALLOWED, Decider.POLICY)
    [policy] = answer.gates[0].outcomes
    assert policy.values == {"the key: %(x)s": "a=b", "owner_id": str(ALICE)}
    assert ask(project, ODD, *first, user=BOB).verdict is Verdict.REFUSED
    assert ask(project, ODD, "Number=9", "the key: %(x)s=a=b").decided_by is Decider.NO_ROW


def test_a_condition_that_is_null_says_no(tables: Database) -> None:
    answer = ask(project_of(tables), ODD, "the key: %(x)s=a=b", "Number=2")
    assert answer.verdict is Verdict.REFUSED
    [policy] = answer.gates[0].outcomes
    assert policy.result is None
    assert policy.values["owner_id"] is None


@pytest.mark.parametrize(
    "key", [(), ("a",), ("Number=1",), ("Number=1", "Number=2"), ("Number=1", "other=2")]
)
def test_a_key_that_does_not_fit(key: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="is \\(the key: %\\(x\\)s, Number\\): give --id"):
        parse_key(ODD, key)


def test_a_value_that_is_no_number(tables: Database) -> None:
    for value in ("one", "1;", "99999999999999999999"):
        with pytest.raises(ConfigurationError, match="cannot be the key of 'team', which is id"):
            ask(project_of(tables), TEAM, value)


def test_a_policy_that_reads_another_table_sees_it_as_the_request_does(tables: Database) -> None:
    """Asked as the owner, to whom no policy of `team` applies, every document would be alice's."""
    project = project_of(tables)
    assert ask(project, DOCUMENT, "1").verdict is Verdict.ALLOWED
    assert ask(project, DOCUMENT, "2").verdict is Verdict.REFUSED
    assert ask(project, DOCUMENT, "2", user=BOB).verdict is Verdict.ALLOWED


def test_a_function_that_relies_on_the_search_path(tables: Database) -> None:
    """Conditions are spelled with every schema (P7), but run as in a request."""
    for statement in (
        "CREATE FUNCTION in_team(int) RETURNS boolean LANGUAGE plpgsql AS"
        " 'BEGIN RETURN EXISTS (SELECT FROM team WHERE id = $1); END'",
        "CREATE POLICY by_function ON document FOR INSERT TO rls_app_user"
        " WITH CHECK (in_team(team_id))",
    ):
        with tables.as_owner() as owner:
            owner.execute(text(statement))
    for key, said in (("1", True), ("2", False)):
        [gate] = ask(project_of(tables), DOCUMENT, key, command=Command.INSERT).gates
        [outcome] = [one for one in gate.outcomes if one.name == "by_function"]
        assert outcome.expression == "public.in_team(team_id)"
        assert (outcome.result, outcome.error) == (said, None)


def test_a_restrictive_policy_has_the_last_word(tables: Database) -> None:
    """P29."""
    answer = ask(project_of(tables), DOCUMENT, "1", command=Command.UPDATE)
    assert (answer.verdict, answer.decided_by) == (Verdict.REFUSED, Decider.POLICY)
    assert answer.because == "Restrictive: archived says no (UPDATE, USING)."
    assert [gate.passes for gate in answer.gates] == [True, False]


def test_a_policy_that_fails(tables: Database) -> None:
    """Conditions are OR-ed in no certain order, so one that fails matters where none passes."""
    with tables.as_owner() as owner:
        owner.execute(text("INSERT INTO document VALUES (4, 1)"))
        owner.execute(text("UPDATE team SET member = NULL WHERE id = 1"))
        owner.execute(text("CREATE POLICY four ON document FOR SELECT USING (id = 4)"))
    try:
        answer = ask(project_of(tables), DOCUMENT, "4", command=Command.DELETE)
    finally:
        with tables.as_owner() as owner:
            owner.execute(text("DELETE FROM document WHERE id = 4"))
            owner.execute(text("UPDATE team SET member = :alice WHERE id = 1"), {"alice": ALICE})
            owner.execute(text("DROP POLICY four ON document"))
    assert (answer.verdict, answer.decided_by) == (Verdict.ERROR, Decider.POLICY)
    assert answer.because == "Policy broken failed: division by zero."


@pytest.fixture
def application(tables: Database) -> Iterator[Engine]:
    engine = create_engine(tables.app_url)
    yield engine
    engine.dispose()


_STATEMENTS = {
    Command.SELECT: "SELECT FROM {table} WHERE id = :id",
    Command.UPDATE: "UPDATE {table} SET id = id WHERE id = :id",
    Command.DELETE: "DELETE FROM {table} WHERE id = :id",
}


@pytest.mark.parametrize("command", _STATEMENTS)
@pytest.mark.parametrize("table", [TEAM, DOCUMENT], ids=str)
def test_it_says_what_really_happens(
    table: Table, command: Command, tables: Database, application: Engine
) -> None:
    """Each row, for each user: PostgreSQL is asked itself, as the application asks it."""
    for user in (ALICE, BOB, UUID(int=3)):
        for key in range(1, 5):
            answer = ask(project_of(tables), table, str(key), command=command, user=user)
            with application.connect() as connection:
                hedgerow.bind(connection, Identity(user), ROW_SECURITY)
                statement = text(_STATEMENTS[command].format(table=table.name))
                try:
                    real = connection.execute(statement, {"id": key}).rowcount == 1
                except DBAPIError:
                    real = False
            assert (answer.verdict is Verdict.ALLOWED) is real, (user, key)


@pytest.mark.parametrize("command", _STATEMENTS)
@pytest.mark.parametrize("role", Role)
def test_each_role_is_explained_in_the_database_role_of_its_requests(
    role: Role, command: Command, database: Database, alice: Person, bob: Person
) -> None:
    """A read-only admin is another database role than an admin: it sees every row, writes none."""
    at = replace(project, owner_url=lambda: database.owner_url)
    item = Table("item", MetaData(), Column("id", Uuid, primary_key=True))
    answer = ask(at, item, str(bob.items[0]), command=command, user=alice.id, role=role)
    url = database.maintenance_url if role is Role.MAINTENANCE else database.app_url
    with Session(database.engine(url)) as session:
        hedgerow.bind(session, Identity(alice.id, role, reason="a test"), ROW_SECURITY)
        statement = text(_STATEMENTS[command].format(table="item"))
        try:
            real = session.connection().execute(statement, {"id": bob.items[0]}).rowcount == 1
        except DBAPIError:
            real = False
        database_role = session.scalar(text("SELECT current_user")) if real else None
    assert (answer.verdict is Verdict.ALLOWED) is real
    writes = role in (Role.ADMIN, Role.MAINTENANCE)
    assert real is (writes or (role is Role.READ_ONLY_ADMIN and command is Command.SELECT))
    assert database_role in (None, answer.database_role)


def test_it_leaves_no_trace(tables: Database) -> None:
    """Memberships that the owner lends itself, settings, and whatever a condition does."""
    state = text(
        "SELECT (SELECT count(*) FROM pg_auth_members),"
        " (SELECT string_agg(xmin::text, ',' ORDER BY id) FROM team)"
    )
    with tables.as_owner() as owner:
        before = owner.execute(state).one()
    ask(project_of(tables), TEAM, "1", command=Command.DELETE)
    with tables.as_owner() as owner:
        assert owner.execute(state).one() == before
