"""Negative controls: where a database does not keep users apart, the suite's assertion says so."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from hedgerow import sql
from tests.support.databases import Database
from tests.support.deployments import unique_role_names
from tests.support.isolation import assert_kept_apart, weakenings
from tests.support.people import Person, add_person


@pytest.fixture
def people(fresh_database: Database) -> tuple[Person, Person]:
    return add_person(fresh_database, "alice"), add_person(fresh_database, "bob")


def run_as_owner(database: Database, *statements: str) -> None:
    with database.as_owner() as owner:
        for statement in statements:
            owner.execute(text(statement))


def test_the_copy_itself_keeps_them_apart(
    fresh_database: Database, people: tuple[Person, Person]
) -> None:
    assert_kept_apart(fresh_database.app_url, *people)


@pytest.mark.parametrize("statement", weakenings("item"))
def test_a_weakened_database_is_noticed(
    statement: str, fresh_database: Database, people: tuple[Person, Person]
) -> None:
    """P16, P29, P37."""
    run_as_owner(fresh_database, statement)
    with pytest.raises(AssertionError):
        assert_kept_apart(fresh_database.app_url, *people)


def test_the_owner_is_noticed(fresh_database: Database, people: tuple[Person, Person]) -> None:
    """P1, P43: the owner goes round the policies, so tests that run as the owner prove nothing."""
    with pytest.raises(AssertionError):
        assert_kept_apart(fresh_database.owner_url, *people)


@pytest.fixture
def bypassing_role(fresh_database: Database) -> Iterator[str]:
    name = unique_role_names().app
    run_as_owner(
        fresh_database,
        f"CREATE ROLE {sql.name(name)} LOGIN PASSWORD 'changethis' BYPASSRLS IN ROLE rls_app_user",
    )
    yield name
    run_as_owner(fresh_database, f"DROP ROLE {sql.name(name)}")


def test_a_login_with_bypassrls_is_noticed(
    fresh_database: Database, people: tuple[Person, Person], bypassing_role: str
) -> None:
    """P1."""
    url = fresh_database.owner_url.set(username=bypassing_role, password="changethis")
    with pytest.raises(AssertionError):
        assert_kept_apart(url, *people)
