"""A route with an SQL injection, attacked over HTTP, with identities plain and signed."""

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.app.api.support import signed_in, stored
from tests.app.security.conftest import plain_only, signed_only
from tests.support.databases import Database
from tests.support.people import Person

HIDDEN = {"bob's item 0", "bob's item 1"}

BECOMING_BOB = (
    "' UNION ALL SELECT set_config('app.user_id', '{bob}', true)"
    " UNION ALL SELECT title FROM item --",
    "' OR false UNION ALL SELECT title FROM (SELECT set_config('app.user_id', '{bob}', true)"
    " AS x OFFSET 0) forged, LATERAL (SELECT title FROM item WHERE forged.x <> '') item --",
    "' UNION ALL (WITH forged AS MATERIALIZED"
    " (SELECT set_config('app.user_id', '{bob}', true) AS x)"
    " SELECT title FROM item WHERE (SELECT x FROM forged) <> '') --",
)
STACKED = (
    "'; SET LOCAL app.user_id = '{bob}'; UPDATE item SET title = 'stolen'; COMMIT; --",
    "'; SET LOCAL ROLE rls_admin; SET LOCAL app.role = 'admin'; DELETE FROM item; COMMIT; --",
)


def search(client: TestClient, person: Person, q: str) -> Response:
    return client.get("/search", params={"q": q}, headers=signed_in(person))


def test_the_route_works(vulnerable: TestClient, alice: Person, bob: Person) -> None:
    response = search(vulnerable, alice, "alice's item 0".replace("'", "''"))
    assert response.json() == ["alice's item 0"]
    response = search(vulnerable, alice, "bob''s item 0")
    assert response.json() == []


def test_a_condition_that_is_always_true_shows_ones_own(
    vulnerable: TestClient, alice: Person, bob: Person
) -> None:
    response = search(vulnerable, alice, "' OR true --")
    assert sorted(response.json()) == ["alice's item 0", "alice's item 1"]


@signed_only
@pytest.mark.parametrize("attack", BECOMING_BOB)
def test_a_signed_identity_cannot_be_forged_through_the_hole(
    attack: str,
    vulnerable: TestClient,
    alice: Person,
    bob: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """P3."""
    response = search(vulnerable, alice, attack.format(bob=bob.id))
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal Server Error"}
    assert "is not signed with a key of this database" in caplog.text
    # The connection is the same one, and whole: the next request is who it says.
    assert len(search(vulnerable, alice, "' OR true --").json()) == 2
    assert set(search(vulnerable, bob, "' OR true --").json()) == HIDDEN


@plain_only
@pytest.mark.parametrize("attack", BECOMING_BOB)
def test_a_plain_identity_is_forged_through_the_hole(
    attack: str, vulnerable: TestClient, alice: Person, bob: Person
) -> None:
    """P3, the negative control."""
    response = search(vulnerable, alice, attack.format(bob=bob.id))
    assert response.status_code == 200
    assert set(response.json()) >= HIDDEN


@pytest.mark.parametrize("attack", STACKED)
def test_stacked_statements_change_no_hidden_row(
    attack: str, vulnerable: TestClient, database: Database, alice: Person, bob: Person
) -> None:
    """P3, P4: signed or not, since an execute is one statement (tests/hedgerow has the control)."""
    before = stored(database)
    response = search(vulnerable, alice, attack.format(bob=bob.id))
    assert response.status_code == 500
    assert stored(database) == before


@signed_only
def test_an_admins_database_role_shows_nothing_through_the_hole(
    vulnerable: TestClient, alice: Person, bob: Person
) -> None:
    attack = (
        "' UNION ALL (WITH forged AS MATERIALIZED (SELECT set_config('role', 'rls_admin', true))"
        " SELECT title FROM item, forged) --"
    )
    response = search(vulnerable, alice, attack)
    assert HIDDEN.isdisjoint(response.json())


@signed_only
def test_a_signature_that_is_read_out_is_ones_own(
    vulnerable: TestClient, alice: Person, bob: Person
) -> None:
    """What Alice can read through the hole makes her Alice; replayed for Bob it is refused."""
    response = search(
        vulnerable, alice, "' UNION ALL SELECT current_setting('app.signature', true) --"
    )
    (signature,) = response.json()
    replay = (
        "' UNION ALL SELECT x FROM (SELECT set_config('app.user_id', '{bob}', true)"
        f" || set_config('app.signature', '{signature}', true) AS x OFFSET 0) forged,"
        " LATERAL (SELECT 1 FROM item WHERE forged.x <> '') item --"
    )
    assert search(vulnerable, alice, replay.format(bob=bob.id)).status_code == 500
    # The same replay for Alice herself goes through: it is the user that is refused.
    assert search(vulnerable, alice, replay.format(bob=alice.id)).status_code == 200
