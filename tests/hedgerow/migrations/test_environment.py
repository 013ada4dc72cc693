"""`alembic upgrade head`, run as a person runs it: from nothing, twice at once, back and again."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import URL, text

from tests.support.databases import Database, run_alembic
from tests.support.deployments import Deployment, deployment, unique_role_names
from tests.support.isolation import assert_kept_apart
from tests.support.people import add_person


def assert_keeps_apart(own: Deployment) -> None:
    alice, bob = add_person(own.database, "alice"), add_person(own.database, "bob")
    assert_kept_apart(own.app_url, alice, bob)


def test_one_command_sets_an_empty_database_up(own_deployment: Deployment) -> None:
    own_deployment.upgrade()
    assert_keeps_apart(own_deployment)


def test_a_second_run_changes_nothing(own_deployment: Deployment) -> None:
    own_deployment.upgrade()
    again = own_deployment.alembic("upgrade", "head")
    assert again.returncode == 0
    assert "Running upgrade" not in again.stderr
    assert_keeps_apart(own_deployment)


def wait_until_blocked(own: Deployment, count: int) -> None:
    """Return once `count` sessions of the database wait for a lock."""
    for _ in range(600):
        with own.database.as_owner() as owner:
            blocked = owner.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            )
        if blocked == count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{count} sessions never waited at once.")


def test_two_at_once_both_succeed_and_one_migrates(own_deployment: Deployment) -> None:
    """Both stand at their first step before either may take it."""
    with (
        own_deployment.database.engine().connect() as obstacle,
        ThreadPoolExecutor(2) as threads,
    ):
        # A role that is only being created: another that creates it waits for the outcome.
        obstacle.execute(text(f"CREATE ROLE {own_deployment.roles.admin}"))
        runs = [threads.submit(own_deployment.alembic, "upgrade", "head") for _ in range(2)]
        wait_until_blocked(own_deployment, 2)
        obstacle.rollback()
        results = [run.result() for run in runs]
    assert [result.returncode for result in results] == [0, 0], results
    migrated = ["Running upgrade" in result.stderr for result in results]
    assert sorted(migrated) == [False, True]
    assert_keeps_apart(own_deployment)


def test_down_to_nothing_and_up_again(own_deployment: Deployment) -> None:
    own_deployment.upgrade()
    down = own_deployment.alembic("downgrade", "base")
    assert down.returncode == 0, down.stderr
    with own_deployment.database.as_owner() as owner:
        left = owner.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')"
                " AND relnamespace::regnamespace::text IN ('public', 'rls')"
            )
        ).all()
        assert left == ["alembic_version"]
        assert owner.scalar(text("SELECT to_regnamespace('rls')")) is None
    own_deployment.upgrade()
    assert_keeps_apart(own_deployment)


@pytest.mark.xdist_group("the role named select")
@pytest.mark.parametrize(
    "changed",
    [
        {"app": "select"},
        {"app": "App User", "admin": "Admin"},
        {"admin": 'the "admin"', "read_only_admin": "it's; read-only"},
        {"app": "100%s", "maintenance": "wartung (übrig)"},
    ],
)
def test_unusual_role_names(server: URL, changed: dict[str, str]) -> None:
    """P41."""
    unique = unique_role_names()
    suffix = unique.app.removeprefix("app_")
    names = replace(
        unique, **{k: v if v == "select" else f"{v} {suffix}" for k, v in changed.items()}
    )
    with deployment(server, names) as own:
        own.upgrade()
        assert_keeps_apart(own)


def failure_of(database: Database, **settings: str) -> str:
    """Return what a failing `alembic upgrade head` prints."""
    result = run_alembic(database, "upgrade", "head", settings=settings)
    assert result.returncode == 1
    assert result.stdout == ""
    return result.stderr


def test_an_unreachable_server_is_one_line(server: URL) -> None:
    said = failure_of(Database(server.set(host="127.0.0.1", port=1)))
    assert said.count("\n") == 1
    assert "Cannot connect to PostgreSQL as " in said
    assert "127.0.0.1:1/" in said
    assert "Check that the server runs" in said


def test_a_wrong_password_is_one_line_without_the_password(server: URL) -> None:
    said = failure_of(Database(server.set(password="not-the-password")))
    assert said.count("\n") == 1
    assert "password authentication failed" in said
    assert "DATABASE_URL" in said
    assert "not-the-password" not in said


def test_a_missing_database_is_one_line(server: URL) -> None:
    said = failure_of(Database(server.set(database="no_such_database")))
    assert said.count("\n") == 1
    assert 'database "no_such_database" does not exist' in said


def test_a_failed_upgrade_leaves_nothing_behind(own_deployment: Deployment) -> None:
    with own_deployment.database.as_owner() as owner:
        owner.execute(text("CREATE TABLE item (id int)"))
    failed = own_deployment.alembic("upgrade", "head")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("FAILED: ")
    with own_deployment.database.as_owner() as owner:
        assert owner.scalar(text("SELECT to_regnamespace('rls')")) is None
        roles = owner.scalar(
            text("SELECT count(*) FROM pg_roles WHERE rolname = :name"),
            {"name": own_deployment.roles.app},
        )
    assert roles == 0


def test_the_passwords_are_what_the_settings_say(own_deployment: Deployment) -> None:
    own_deployment.upgrade()
    own_deployment.upgrade(RLS_APP_PASSWORD="another password", RLS_MAINTENANCE_ADMIN_PASSWORD="x")
    for url, password in (
        (own_deployment.app_url, "another password"),
        (own_deployment.maintenance_url, "x"),
    ):
        with own_deployment.database.engine(url.set(password=password)).connect() as connection:
            assert connection.scalar(text("SELECT current_user")) == url.username


def test_looking_changes_no_role(own_deployment: Deployment) -> None:
    """`alembic current` is no reason to create roles."""
    looked = own_deployment.alembic("current")
    assert looked.returncode == 0, looked.stderr
    with own_deployment.database.as_owner() as owner:
        assert not owner.scalar(
            text("SELECT count(*) FROM pg_roles WHERE rolname = :name"),
            {"name": own_deployment.roles.app},
        )
