"""What the audit trail says of tenants: of which a changed row is, in which somebody acts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, Role
from hedgerow.config.identity import UserId
from tests.hedgerow.audit.entries import entries
from tests.hedgerow.policies.playground import Playground
from tests.hedgerow.tenants.teams import teams
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext, visible

ANN, ADMIN = UUID(int=1), UUID(int=10)
FULL_ADMIN = Identity(ADMIN, Role.ADMIN)
READ_ONLY_ADMIN = Identity(ADMIN, Role.READ_ONLY_ADMIN)
RECORDED = text("""
    SELECT owner, tenant, changes FROM rls.audit
    WHERE event = 'change' AND transaction = pg_current_xact_id()
""")


@pytest.fixture
def tried(database: Database) -> Iterator[Playground]:
    """Yield a project that is recorded, in which Ann is of teams 1 and 2."""
    engine = database.engine()
    with engine.connect() as owner:
        tried = Playground(owner, database, ROW_SECURITY)
        tried.protect(teams())
        owner.execute(text("INSERT INTO person VALUES (:ann, 'x')"), {"ann": ANN})
        owner.execute(text("INSERT INTO team (name) VALUES ('one'), ('two')"))
        owner.execute(
            text("INSERT INTO membership VALUES (1, :ann, 'owner'), (2, :ann, 'viewer')"),
            {"ann": ANN},
        )
        owner.execute(text("INSERT INTO document VALUES (1, 1, 'a')"))
        owner.execute(text("INSERT INTO comment VALUES (1, 1)"))
        owner.execute(text("INSERT INTO note VALUES (1, 1, :ann)"), {"ann": ANN})
        yield tried
        owner.rollback()
    engine.dispose()


def recorded(tried: Playground, statement: str) -> tuple[Any, ...]:
    """Return owner, tenant and changes of the one row that an admin's statement changes."""
    with tried.acting_as(FULL_ADMIN) as connection:
        connection.execute(text(statement))
        connection.execute(text("RESET ROLE"))
        return tuple(connection.execute(RECORDED).one())


@pytest.mark.parametrize(
    ("statement", "owner", "tenant", "changes"),
    [
        ("UPDATE document SET title = 'b'", None, "1", None),
        ("INSERT INTO document VALUES (2, 2, 'b')", None, "2", None),
        ("UPDATE document SET team_id = 2", None, "1", {"team_id": [1, 2]}),
        ("DELETE FROM note", ANN, "1", None),
        ("UPDATE membership SET role = 'editor' WHERE team_id = 2", ANN, "2", None),
        ("UPDATE team SET name = 'new' WHERE id = 2", None, "2", None),
        ("DELETE FROM comment", None, None, None),
        ("UPDATE person SET name = 'new'", ANN, None, None),
    ],
)
def test_a_change_says_whose_and_of_which_tenant_the_row_was(
    tried: Playground, statement: str, owner: UUID | None, tenant: str | None, changes: object
) -> None:
    assert recorded(tried, statement) == (owner and str(owner), tenant, changes)


def test_tables_without_a_tenant_have_the_triggers_of_older_versions(tried: Playground) -> None:
    """So no project without tenants needs a revision."""
    numbers = text(
        "SELECT tgrelid::regclass::text, tgnargs FROM pg_trigger WHERE tgname = 'rls_audit'"
        " AND tgrelid = ANY ('{person, comment, lead, document}'::regclass[])"
    )
    rows = tried.owner.execute(numbers).all()
    assert {tuple(row) for row in rows} == {
        ("person", 3),
        ("comment", 3),
        ("lead", 3),
        ("document", 4),
    }


@pytest.mark.parametrize("tenant", ["blue", 7, UUID(int=8), None])
def test_an_elevation_says_in_which_tenant_somebody_acts(
    database: Database, alice: Person, tenant: UserId | None
) -> None:
    """Admins see all rows there, too; who views as a user does so in that user's tenant."""
    service = Identity.service("worker", tenant_id=tenant)
    viewed = Identity(alice.id, viewed_by=READ_ONLY_ADMIN, tenant_id=tenant)
    for identity in (replace(FULL_ADMIN, tenant_id=tenant), viewed, service):
        with Session(database.engine(database.app_url)) as session:
            hedgerow.bind(session, identity, ROW_SECURITY)
            session.scalar(text("SELECT 1"))
            if identity is not service:
                assert visible(session) == set(alice.items)
    with Session(database.engine(database.app_url)) as session:
        hedgerow.bind(session, Identity(alice.id, tenant_id=tenant), ROW_SECURITY)
        with AdminContext.create_full_admin(ADMIN, session):
            assert visible(session) == set(alice.items)
    said = None if tenant is None else str(tenant)
    newest = entries(database, event="elevation")[-4:]
    assert [entry["role"] for entry in newest] == ["admin", "read_only_admin", "service", "admin"]
    assert [entry["tenant"] for entry in newest] == [said] * 4
