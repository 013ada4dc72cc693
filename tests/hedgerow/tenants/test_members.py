"""Who founds a tenant, who changes its memberships, and who stays."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from hedgerow.errors import INSUFFICIENT_PRIVILEGE, LAST_OWNER
from tests.hedgerow.policies.playground import Playground, playground
from tests.hedgerow.tenants.teams import teams
from tests.support.databases import Database

ANN, BEN, CAT, EVE = (UUID(int=number) for number in range(1, 5))


@pytest.fixture
def tried(database: Database) -> Iterator[Playground]:
    """Yield a project: Ann founded team 1, Ben is its admin, Cat a viewer; Eve founded team 2."""
    with playground(database) as tried:
        tried.protect(teams())
        for person in (ANN, BEN, CAT, EVE):
            tried.owner.execute(text("INSERT INTO person VALUES (:id, 'x')"), {"id": person})
        tried.do(ANN, "INSERT INTO team (name) VALUES ('one')")
        tried.do(EVE, "INSERT INTO team (name) VALUES ('two')")
        add = text("INSERT INTO membership VALUES (1, :user, :role)")
        tried.owner.execute(add, [{"user": BEN, "role": "admin"}, {"user": CAT, "role": "viewer"}])
        yield tried


def test_who_founds_a_tenant_is_its_first_owner_in_the_same_statement(tried: Playground) -> None:
    with tried.acting_as(CAT) as connection:
        founded = connection.scalars(
            text("INSERT INTO team (name) VALUES ('three'), ('four') RETURNING id")
        ).all()
        mine = text("SELECT team_id FROM membership WHERE user_id = :me AND role = 'owner'")
        assert set(connection.scalars(mine, {"me": CAT})) == set(founded)
        assert len(founded) == 2


@pytest.mark.parametrize(
    ("who", "statement", "touched"),
    [
        # Nobody makes himself a member, nor anybody else.
        (EVE, f"INSERT INTO membership VALUES (1, '{EVE}', 'viewer')", INSUFFICIENT_PRIVILEGE),
        (ANN, f"INSERT INTO membership VALUES (1, '{EVE}', 'viewer')", INSUFFICIENT_PRIVILEGE),
        # Nobody promotes himself.
        (CAT, "UPDATE membership SET role = 'owner'", 0),
        (BEN, "UPDATE membership SET role = 'owner'", INSUFFICIENT_PRIVILEGE),
        (BEN, f"UPDATE membership SET role = 'owner' WHERE user_id = '{BEN}'", 0),
        (BEN, f"UPDATE membership SET role = 'viewer' WHERE user_id = '{ANN}'", 0),
        (BEN, f"UPDATE membership SET role = 'editor' WHERE user_id = '{CAT}'", 1),
        (ANN, f"UPDATE membership SET role = 'owner' WHERE user_id = '{CAT}'", 1),
        # A membership is moved to nobody, and to no other tenant.
        (ANN, f"UPDATE membership SET user_id = '{EVE}'", INSUFFICIENT_PRIVILEGE),
        (ANN, "UPDATE membership SET team_id = 2", INSUFFICIENT_PRIVILEGE),
        # Everybody leaves; owners and admins remove.
        (CAT, "DELETE FROM membership", 1),
        (BEN, f"DELETE FROM membership WHERE user_id <> '{BEN}'", 1),
        (EVE, f"DELETE FROM membership WHERE user_id <> '{EVE}'", 0),
        # The last owner stays, however it is asked for; a tenant goes with its memberships.
        (ANN, "DELETE FROM membership", LAST_OWNER),
        (ANN, "UPDATE membership SET role = 'viewer'", LAST_OWNER),
        (ANN, f"DELETE FROM person WHERE id = '{ANN}'", LAST_OWNER),
        (ANN, "DELETE FROM team", 1),
        (BEN, "DELETE FROM team", 0),
        (BEN, "UPDATE team SET name = 'new'", 1),
        (CAT, "UPDATE team SET name = 'new'", 0),
    ],
)
def test_memberships_protect_themselves(
    tried: Playground, who: UUID, statement: str, touched: int | str
) -> None:
    assert tried.attempt(who, statement) == touched


def test_a_note_of_a_tenant_that_is_there_already_shows_nothing(tried: Playground) -> None:
    with tried.acting_as(CAT) as connection:
        connection.execute(text("SELECT set_config('app.founded', '2', true)"))
        assert connection.scalars(text("SELECT id FROM team")).all() == [1]


def test_members_see_their_tenants_rows_and_co_members(tried: Playground) -> None:
    tried.owner.execute(text("INSERT INTO document VALUES (1, 1, 'a'), (2, 2, 'b')"))
    tried.owner.execute(text("INSERT INTO comment VALUES (1, 1), (2, 2)"))
    for who, seen in ((ANN, 1), (CAT, 1), (EVE, 2)):
        with tried.acting_as(who) as connection:
            for table in ("document", "comment"):
                assert connection.scalars(text(f"SELECT id FROM {table}")).all() == [seen]
    for who, people in ((CAT, {ANN, BEN, CAT}), (EVE, {EVE})):
        with tried.acting_as(who) as connection:
            assert set(connection.scalars(text("SELECT id FROM person"))) == people
            assert set(connection.scalars(text("SELECT user_id FROM membership"))) == people
