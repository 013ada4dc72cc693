"""Which team a request means, whose rows its session sees, and what that costs."""

from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from tests.app.teams.people import Served
from tests.support.people import Person

BOTH = pytest.mark.parametrize("kind", ["", "/async"], ids=["sync", "async"])


class TwoTeams(NamedTuple):
    """Somebody who is in two teams."""

    ann: Person
    owls: UUID
    wrens: UUID


@pytest.fixture(scope="module")
def two_teams(served: Served) -> TwoTeams:
    """Return somebody who is in two teams, and the teams, each with a document."""
    ann = served.person("ann")
    teams = TwoTeams(ann, served.found(ann, "Owls"), served.found(ann, "Wrens"))
    for team, title in ((teams.owls, "of owls"), (teams.wrens, "of wrens")):
        assert served.ask(ann, "POST", f"/teams/{team}/documents/?title={title}").is_success
    return teams


@BOTH
def test_the_path_or_the_header_names_the_team(
    served: Served, two_teams: TwoTeams, kind: str
) -> None:
    ann, owls, wrens = two_teams

    def ask(path: str, tenant: object = None) -> object:
        headers = {} if tenant is None else {"X-Tenant": str(tenant)}
        answer = served.ask(ann, "GET", f"{kind}{path}", headers=headers)
        return answer.json() if answer.is_success else answer.status_code

    here, in_path = "/here/documents/", f"/teams/{owls}/documents/"
    assert ask(here, wrens) == ["owner", "of wrens"]
    assert ask(in_path) == ask(in_path, owls) == ["owner", "of owls"]
    assert ask(in_path, wrens) == ask(here) == 400
    assert ask(here, "no id") == 422
    assert ask(here, uuid4()) == ask("/teams/no-id/documents/") == 404
    # Also where the path has made it a UUID, and where the user is asked for first.
    if not kind:
        assert ask(f"/typed/{owls}/documents/") == ["of owls"]
    assert ask("/late/documents/", wrens) == ["of wrens"]
    # All of one's teams, whatever the header says.
    if not kind:
        assert ask("/documents/", wrens) == ["of owls", "of wrens"]


def test_a_superuser_is_a_member_like_others(served: Served, two_teams: TwoTeams) -> None:
    """Teams of others are seen as an admin, in a session that is recorded."""
    _, owls, _ = two_teams
    admin = served.person("admin", superuser=True)
    assert served.ask(admin, "GET", f"/teams/{owls}/documents/").status_code == 404
    own = served.found(admin)
    assert served.ask(admin, "GET", f"/teams/{own}/documents/").json() == ["owner"]
    assert "of owls" in served.ask(admin, "GET", "/documents/").json()
    assert [team["id"] for team in served.ask(admin, "GET", "/teams/").json()["data"]] == [str(own)]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/both/", "/both/admin/", "/async/both/"])
def test_the_session_of_a_team_is_never_an_admins(
    served: Served, two_teams: TwoTeams, path: str, method: str
) -> None:
    """A request has one session. Who asks for both kinds gets the narrower one, or an error."""
    ann, _, wrens = two_teams
    admin = served.person("admin", superuser=True)
    for who, team, answer in (
        (ann, wrens, 403 if "admin" in path else ["of wrens"]),
        (admin, served.found(admin), 500),
    ):
        given = served.ask(who, method, f"{path}documents/", headers={"X-Tenant": str(team)})
        assert (given.json() if given.is_success else given.status_code) == answer


@pytest.mark.parametrize(
    ("path", "flights"),
    [
        # The ping, BEGIN with the identity, the user, the documents, ROLLBACK.
        ("/documents/", 5),
        # And the membership; the team is in the identity.
        ("/teams/{team}/documents/", 6),
        ("/async/teams/{team}/documents/", 6),
        # And the team, where the user was asked for before.
        ("/late/documents/", 7),
        ("/async/late/documents/", 7),
    ],
)
def test_a_team_costs_one_round_trip(
    served: Served, two_teams: TwoTeams, path: str, flights: int
) -> None:
    ann, owls, _ = two_teams
    seen = []
    for _ in range(3):
        before = served.proxy.flights
        answer = served.ask(
            ann,
            "GET",
            path.format(team=owls),
            headers={"X-Tenant": str(owls)},
        )
        assert answer.is_success
        seen.append(served.proxy.flights - before)
    assert seen[-2:] == [flights] * 2


def test_a_removed_member_is_a_stranger_with_the_next_request(
    served: Served, two_teams: TwoTeams
) -> None:
    ann, owls, _ = two_teams
    ben = served.person("ben")
    served.add(owls, ben, "viewer")
    assert served.ask(ben, "GET", f"/teams/{owls}/documents/").is_success
    assert served.ask(ann, "DELETE", f"/teams/{owls}/members/{ben.id}").is_success
    assert served.ask(ben, "GET", f"/teams/{owls}/documents/").status_code == 404
    assert served.ask(ben, "GET", "/documents/").json() == []
