"""What co-members see of a person, whose account stays closed to them."""

import psycopg
import pytest

from tests.app.teams.people import Served
from tests.support.people import Person
from tests.support.raw import become, connect


def shown(served: Served, to: Person, team: object) -> list[tuple[str, str | None]]:
    members = served.ask(to, "GET", f"/teams/{team}/members").json()["data"]
    return [(member["email"], member["full_name"]) for member in members]


def test_members_show_the_address_and_the_name_of_their_account(served: Served) -> None:
    ann, ben = served.person("ann"), served.person("ben")
    admin = served.person("admin", superuser=True)
    team = served.found(ann)
    assert served.accept(ben, served.invite(team, ann, ben.email)).is_success
    assert shown(served, ben, team) == [(ann.email, None), (ben.email, None)]
    named = served.ask(ann, "PATCH", "/users/me", json={"full_name": "Ann"})
    moved = served.ask(
        admin, "PATCH", f"/users/{ann.id}", json={"email": f"a{ann.email}", "full_name": "A. Z."}
    )
    assert (named.status_code, moved.status_code) == (200, 200)
    assert shown(served, ben, team) == [(f"a{ann.email}", "A. Z."), (ben.email, None)]


def test_a_person_shows_no_address_but_their_own(served: Served) -> None:
    """P51: the foreign key is checked as its writer sees; an account of others is as none."""
    ann, ben = served.person("ann"), served.person("ben")
    served.found(ann)
    with connect(served.database.app_url) as connection:
        become(connection, ann)
        assert connection.execute("SELECT email FROM team_profile").fetchall() == [(ann.email,)]
        for address in (ben.email, "nobody-has-it@example.com"):
            with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
                connection.execute("UPDATE team_profile SET email = %s", [address])


def test_with_sql_nobody_invites_in_anothers_name_or_gives_a_role_that_is_none(
    served: Served,
) -> None:
    ann, ben = served.person("ann"), served.person("ben")
    team = served.found(ann)
    served.add(team, ben, "admin")
    invite = "INSERT INTO invitation VALUES (gen_random_uuid(), %s, 'x@example.com', %s, %s, now())"
    with connect(served.database.app_url) as connection:
        become(connection, ben)
        for role, by, error in (
            ("viewer", ann.id, psycopg.errors.InsufficientPrivilege),
            ("owner", ben.id, psycopg.errors.CheckViolation),
            ("king", ben.id, psycopg.errors.CheckViolation),
        ):
            with pytest.raises(error), connection.transaction():
                connection.execute(invite, [team, role, by])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("INSERT INTO membership VALUES (%s, %s, 'admin')", [team, ben.id])
        connection.execute(invite, [team, "admin", ben.id])
