"""RLS_FORCE and RLS_ENABLED: the next `alembic upgrade head` does what they say."""

import pytest
from psycopg import errors
from sqlalchemy import URL, text

from tests.support.deployments import Deployment
from tests.support.isolation import assert_kept_apart
from tests.support.people import Person, add_person
from tests.support.raw import become, connect, visible_items


@pytest.fixture
def own(own_deployment: Deployment) -> Deployment:
    own_deployment.upgrade()
    return own_deployment


@pytest.fixture
def people(own: Deployment) -> tuple[Person, Person]:
    return add_person(own.database, "alice"), add_person(own.database, "bob")


def switches(own: Deployment) -> tuple[bool, bool]:
    """Return whether the item table has row security enabled, and forced."""
    with own.database.as_owner() as owner:
        row = owner.execute(
            text(
                "SELECT relrowsecurity, relforcerowsecurity FROM pg_class"
                " WHERE oid = 'public.item'::regclass"
            )
        ).one()
    return row[0], row[1]


def bypasses(own: Deployment) -> bool:
    with own.database.as_owner() as owner:
        return bool(
            owner.scalar(
                text("SELECT rolbypassrls FROM pg_roles WHERE rolname = :name"),
                {"name": own.roles.maintenance},
            )
        )


def assert_goes_round_the_policies(url: URL, people: tuple[Person, Person]) -> None:
    with connect(url) as connection:
        assert visible_items(connection) == {*people[0].items, *people[1].items}


def assert_needs_an_identity(url: URL) -> None:
    with connect(url) as connection, pytest.raises(errors.Error) as caught:
        visible_items(connection)
    assert caught.value.sqlstate == "RL001"


def test_force_and_back(own: Deployment, people: tuple[Person, Person]) -> None:
    """P1: under FORCE no login goes round the policies."""
    assert switches(own) == (True, False)
    assert bypasses(own)
    assert_goes_round_the_policies(own.maintenance_url, people)

    own.upgrade(RLS_FORCE="true")
    assert switches(own) == (True, True)
    assert not bypasses(own)
    assert_needs_an_identity(own.maintenance_url)
    assert_kept_apart(own.app_url, *people)
    alice, bob = people
    with connect(own.maintenance_url) as maintenance:
        become(maintenance, alice)
        assert visible_items(maintenance) == set()
        become(maintenance, alice, "admin")
        assert visible_items(maintenance) == {*alice.items, *bob.items}

    own.upgrade(RLS_FORCE="false")
    assert switches(own) == (True, False)
    assert bypasses(own)
    assert_goes_round_the_policies(own.maintenance_url, people)
    assert_kept_apart(own.app_url, *people)


def test_disabled_and_enabled_again(own: Deployment, people: tuple[Person, Person]) -> None:
    own.upgrade(RLS_ENABLED="false")
    assert switches(own) == (False, False)
    assert_goes_round_the_policies(own.app_url, people)
    with pytest.raises(AssertionError):
        assert_kept_apart(own.app_url, *people)

    own.upgrade(RLS_ENABLED="true")
    assert switches(own) == (True, False)
    assert_kept_apart(own.app_url, *people)


def test_disabled_from_the_start(own_deployment: Deployment) -> None:
    own_deployment.upgrade(RLS_ENABLED="false")
    assert switches(own_deployment) == (False, False)
    people = (
        add_person(own_deployment.database, "alice"),
        add_person(own_deployment.database, "bob"),
    )
    own_deployment.upgrade()
    assert_kept_apart(own_deployment.app_url, *people)


def test_forced_from_the_start_down_and_up(own_deployment: Deployment) -> None:
    own_deployment.upgrade(RLS_FORCE="true")
    assert switches(own_deployment) == (True, True)
    down = own_deployment.alembic("downgrade", "base", RLS_FORCE="true")
    assert down.returncode == 0, down.stderr
    own_deployment.upgrade(RLS_FORCE="true")
    assert switches(own_deployment) == (True, True)
