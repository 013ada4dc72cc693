"""Who may do what in a team: each role, a stranger, and a superuser who is no member."""

from uuid import uuid4

import pytest

from tests.app.teams.people import Served

ROLES = ("owner", "admin", "editor", "viewer")

MEMBERS = (200, 200, 200, 200, 404)
EDITORS = (200, 200, 200, 403, 404)
ADMINS = (200, 200, 403, 403, 404)
NOBODY = (404, 404, 404, 404, 404)
OWNERS = (200, 403, 403, 403, 404)

# By the role of who asks: owner, admin, editor, viewer, and who is no member.
RIGHTS: list[tuple[str, str, object, tuple[int, ...]]] = [
    ("GET", "/teams/{team}", None, MEMBERS),
    ("GET", "/teams/{team}/members", None, MEMBERS),
    ("GET", "/teams/{team}/documents/", None, MEMBERS),
    ("GET", "/async/teams/{team}/documents/", None, MEMBERS),
    ("POST", "/teams/{team}/documents/?title=a", None, EDITORS),
    ("POST", "/async/teams/{team}/documents/?title=b", None, EDITORS),
    ("PUT", "/teams/{team}", {"name": "Wrens"}, ADMINS),
    ("GET", "/teams/{team}/invitations", None, ADMINS),
    ("POST", "/teams/{team}/invitations", {"email": "x@example.com", "role": "admin"}, ADMINS),
    (
        "POST",
        "/teams/{team}/invitations",
        {"email": "y@example.com", "role": "owner"},
        (400, 400, 403, 403, 404),
    ),
    ("DELETE", "/teams/{team}/invitations/{invitation}", None, ADMINS),
    ("PATCH", "/teams/{team}/members/{viewer}", {"role": "admin"}, ADMINS),
    ("PATCH", "/teams/{team}/members/{viewer}", {"role": "owner"}, OWNERS),
    ("PATCH", "/teams/{team}/members/{deputy}", {"role": "viewer"}, OWNERS),
    ("PATCH", "/teams/{team}/members/{me}", {"role": "editor"}, OWNERS),
    ("PATCH", "/teams/{team}/members/{nobody}", {"role": "editor"}, NOBODY),
    ("DELETE", "/teams/{team}/members/{editor}", None, ADMINS),
    ("DELETE", "/teams/{team}/members/{founder}", None, OWNERS),
    ("DELETE", "/teams/{team}/members/{nobody}", None, NOBODY),
    ("DELETE", "/teams/{team}/members/{me}", None, MEMBERS),
    ("DELETE", "/teams/{team}", None, OWNERS),
]


@pytest.mark.parametrize("who", [*ROLES, "stranger", "superuser"])
def test_each_role_may_do_what_it_is_for(served: Served, who: str) -> None:
    people = {name: served.person(name) for name in ("founder", "deputy", "viewer", "editor")}
    people |= {"nobody": served.person("nobody")}
    me = people["me"] = served.person(who, superuser=who == "superuser")
    for number, (method, path, body, statuses) in enumerate(RIGHTS):
        # Each request finds the same team, whatever the one before has done.
        team = served.found(people["founder"])
        for name, role in (("deputy", "owner"), ("viewer", "viewer"), ("editor", "editor")):
            served.add(team, people[name], role)
        if who in ROLES:
            served.add(team, me, who)
        (invitation,) = served.execute(
            "INSERT INTO invitation (id, team_id, email, role, invited_by, expires_at)"
            " VALUES (gen_random_uuid(), :team, 'z@example.com', 'viewer', :by,"
            " now() + interval '1 day') RETURNING id",
            team=team,
            by=people["founder"].id,
        )
        named = {name: person.id for name, person in people.items()}
        address = path.format(team=team, invitation=invitation["id"], **named)
        answer = served.ask(me, method, address, json=body)
        expected = statuses[ROLES.index(who) if who in ROLES else -1]
        assert answer.status_code == expected, (number, method, path, answer.text)
        if who not in ROLES:
            # A team of others is answered as one that does not exist.
            missing = path.format(team=uuid4(), invitation=invitation["id"], **named)
            assert answer.json() == served.ask(me, method, missing, json=body).json()


def test_the_last_owner_stays_until_the_team_is_gone(served: Served) -> None:
    founder, member = served.person("founder"), served.person("member")
    admin = served.person("admin", superuser=True)
    team = served.found(founder)
    served.add(team, member, "admin")
    sentence = "The last owner stays: make another member an owner first"
    for who, method, path, body in (
        (founder, "DELETE", f"/teams/{team}/members/{founder.id}", None),
        (founder, "PATCH", f"/teams/{team}/members/{founder.id}", {"role": "viewer"}),
        (founder, "DELETE", "/users/me", None),
        (admin, "DELETE", f"/users/{founder.id}", None),
    ):
        answer = served.ask(who, method, path, json=body)
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith(sentence)
    assert served.roles(team) == {founder.id: "owner", member.id: "admin"}
    assert served.ask(founder, "DELETE", f"/teams/{team}").status_code == 200
    assert served.ask(founder, "DELETE", "/users/me").status_code == 200
