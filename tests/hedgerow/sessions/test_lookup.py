"""Users whom a command names are looked up as the application's login, by the least identity."""

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.orm import Session

from hedgerow import DatabaseNotReadyError, Identity, Project, UserId, bind
from hedgerow.sessions.lookup import find_user, may_be_admin
from tests.support.databases import Database
from tests.support.people import Person, add_person
from tests.support.sessions import ROW_SECURITY

BY_EMAIL = text('SELECT id FROM "user" WHERE email = :name')
WHO = text("SELECT session_user || ' as ' || current_user")
SEEN: list[str] = []


def unbound(session: Session, name: str) -> UserId | None:
    user_id: UserId | None = session.scalar(BY_EMAIL, {"name": name})
    return user_id


def bound(session: Session, name: str) -> UserId | None:
    bind(session, Identity.sign_in(name), ROW_SECURITY)
    SEEN.append(session.scalars(WHO).one())
    return unbound(session, name)


def is_admin(session: Session, user_id: UserId) -> bool:
    bind(session, Identity(user_id), ROW_SECURITY)
    SEEN.append(session.scalars(WHO).one())
    return bool(session.scalar(text('SELECT is_superuser FROM "user"')))


def project(database: Database, *, binds: bool) -> Project:
    return Project(
        row_security=ROW_SECURITY,
        metadata=MetaData(),
        application_url=lambda: database.app_url,
        owner_url=lambda: database.owner_url,
        find_user=bound if binds else unbound,
        is_admin=is_admin if binds else None,
    )


def test_a_project_whose_accounts_are_scoped(
    database: Database, alice: Person, admin: Person
) -> None:
    """Who is looked up is somebody who signs in; who is asked about, a user; each in a session."""
    SEEN.clear()
    asked = project(database, binds=True)
    for person in (alice, admin):
        assert find_user(asked, person.email) == person.id
        assert may_be_admin(asked, person.id) == (person is admin)
    assert SEEN == ["rls_app_user as rls_sign_in", "rls_app_user as rls_app_user"] * 2
    assert find_user(asked, "nobody@example.com") is None


def test_who_binds_nothing_is_refused_where_accounts_are_scoped(
    database: Database, alice: Person
) -> None:
    """P16: an error, not a user who is not found."""
    with pytest.raises(DatabaseNotReadyError, match=r"Cannot look up .*row-level security"):
        find_user(project(database, binds=False), alice.email)


def test_a_project_whose_accounts_are_not_scoped(fresh_database: Database) -> None:
    alice = add_person(fresh_database, "alice")
    with fresh_database.as_owner() as owner:
        owner.execute(text('ALTER TABLE "user" DISABLE ROW LEVEL SECURITY'))
    asked = project(fresh_database, binds=False)
    assert find_user(asked, alice.email) == alice.id
    assert may_be_admin(asked, alice.id)
