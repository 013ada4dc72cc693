"""Who joins a team: whoever has an invitation's token and its address, once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.core.security import create_access_token, create_password_reset_token
from tests.app.teams.people import LIMIT, Served
from tests.support.people import NO_PASSWORD, Person

INVALID = (400, "Invalid invitation")


def refused(served: Served, who: Person, token: str) -> tuple[int, str]:
    answer = served.accept(who, token)
    return answer.status_code, answer.json()["detail"]


def test_who_has_the_token_and_the_address_becomes_what_was_offered_once(served: Served) -> None:
    ann, ben, eve = (served.person(name) for name in ("ann", "ben", "eve"))
    team = served.found(ann)
    token = served.invite(team, ann, ben.email, "editor")
    # Neither is enough alone: addresses are not verified, and e-mails are forwarded.
    assert refused(served, eve, token) == (400, "This invitation is for another address")
    assert refused(served, ben, token[:-2]) == INVALID
    assert served.accept(ben, token).json() == {"id": str(team), "name": "Owls", "role": "editor"}
    assert served.roles(team) == {ann.id: "owner", ben.id: "editor"}
    assert refused(served, ben, token) == INVALID
    # A member stays what they are, whatever else they are offered.
    again = served.invite(team, ann, ben.email, "viewer")
    assert served.accept(ben, again).json()["role"] == "editor"


def test_a_token_is_for_its_purpose(served: Served) -> None:
    """One that signs in, or sets a password, makes nobody a member."""
    ann, ben = served.person("ann"), served.person("ben")
    team = served.found(ann)
    served.invite(team, ann, ben.email)
    (row,) = served.execute("SELECT id FROM invitation WHERE team_id = :team", team=team)
    for token in (
        create_access_token(row["id"], NO_PASSWORD),
        create_password_reset_token(row["id"], NO_PASSWORD, ben.email),
    ):
        assert refused(served, ben, token) == INVALID


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE invitation SET expires_at = now() WHERE team_id = :team",
        "DELETE FROM invitation WHERE team_id = :team",
        "UPDATE invitation SET email = 'x' || email WHERE team_id = :team",
        # It is its inviter's word, who may invite no longer.
        "UPDATE membership SET role = 'editor' WHERE team_id = :team AND user_id = :inviter",
        "DELETE FROM membership WHERE team_id = :team AND user_id = :inviter",
    ],
)
def test_an_invitation_ends(served: Served, what: str) -> None:
    ann, inviter, ben = (served.person(name) for name in ("ann", "inviter", "ben"))
    team = served.found(ann)
    served.add(team, inviter, "admin")
    token = served.invite(team, inviter, ben.email)
    served.execute(f"{what} AND :inviter IS NOT NULL", team=team, inviter=inviter.id)
    assert refused(served, ben, token) == INVALID
    assert ben.id not in served.roles(team)


def test_two_who_accept_at_once_become_one_member(served: Served) -> None:
    ann, ben = served.person("ann"), served.person("ben")
    team = served.found(ann)
    token = served.invite(team, ann, ben.email)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: served.accept(ben, token).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]
    assert served.roles(team) == {ann.id: "owner", ben.id: "viewer"}


def test_who_accepts_while_the_team_is_deleted_keeps_nobody_from_it(served: Served) -> None:
    """Both lock the team first: else each could wait for the other, and the deletion would fail."""
    ann, ben = served.person("ann"), served.person("ben")
    team = served.found(ann)
    token = served.invite(team, ann, ben.email)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with ThreadPoolExecutor(1) as thread, served.database.as_owner() as owner:
        owner.execute(text("SELECT FROM team WHERE id = :team FOR UPDATE"), {"team": team})
        late = thread.submit(served.accept, ben, token)
        while not served.execute(waits)[0]["count"]:
            assert not late.done()
            time.sleep(0.01)
        owner.execute(text("SET LOCAL lock_timeout = '10s'"))
        owner.execute(text("DELETE FROM team WHERE id = :team"), {"team": team})
        owner.commit()
        answer = late.result()
    assert (answer.status_code, answer.json()["detail"]) == INVALID


def test_an_invitation_tells_nothing_of_accounts(served: Served) -> None:
    ann, ben = served.person("ann"), served.person("ben")
    team = served.found(ann)
    address = f"/teams/{team}/invitations"
    answers = [
        served.ask(ann, "POST", address, json={"email": email, "role": "viewer"})
        for email in (ben.email, "nobody-has-it@example.com")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json().keys() == answers[1].json().keys()
    listed = served.ask(ann, "GET", address).json()
    assert listed["data"] == sorted((a.json() for a in answers), key=lambda one: one["email"])


def test_invitations_to_one_address_are_throttled(served: Served) -> None:
    """The limit of these tests is higher; another address has a count of its own."""
    ann, viewer = served.person("ann"), served.person("viewer")
    team = served.found(ann)
    served.add(team, viewer, "viewer")
    body = {"email": f"many-{ann.email}", "role": "viewer"}
    address = f"/teams/{team}/invitations"
    # Whom their role does not allow it counts for nobody.
    assert served.ask(viewer, "POST", address, json=body).status_code == 403
    answers = [served.ask(ann, "POST", address, json=body).status_code for _ in range(LIMIT + 1)]
    assert answers == [200, *[409] * (LIMIT - 1), 429]
