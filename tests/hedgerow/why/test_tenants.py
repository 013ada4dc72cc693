"""`hedgerow why` says what a user is in the tenant of a row, and what it takes."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import URL, NullPool, create_engine, text
from sqlalchemy.orm import Session, registry

import hedgerow
from hedgerow import Identity, Role
from hedgerow.fastapi import explain_refusals
from hedgerow.why import explain_for_identity
from hedgerow.why.answer import Answer, Decider, Verdict
from hedgerow.why.question import Command, Question
from tests.hedgerow.policies.playground import Playground
from tests.hedgerow.tenants.teams import teams
from tests.support.databases import Database, clone_template, drop
from tests.support.projects import project_of
from tests.support.sessions import ROW_SECURITY

SELECT, INSERT, UPDATE, DELETE = Command
YES, NO, ERROR = Verdict
ANN, BEN, CAT, DAN, EVE = (UUID(int=number) for number in range(1, 6))
METADATA = teams()


@pytest.fixture(scope="module")
def filled(server: URL) -> Iterator[Database]:
    """Yield two teams: Ann's with Ben, Cat and Dan, and Eve's, in which Dan is a viewer."""
    database = clone_template(server)
    with database.as_owner() as owner:
        Playground(owner, database).protect(METADATA)
        people = [{"id": person} for person in (ANN, BEN, CAT, DAN, EVE)]
        owner.execute(text("INSERT INTO person VALUES (:id, 'x')"), people)
        owner.execute(text("INSERT INTO team (id, name) VALUES (1, 'one'), (2, 'two')"))
        roles = [
            (1, ANN, "owner"),
            (1, BEN, "admin"),
            (1, CAT, "viewer"),
            (1, DAN, "editor"),
            (2, EVE, "owner"),
            (2, DAN, "viewer"),
        ]
        members = METADATA.tables["membership"].insert()
        names = ("team_id", "user_id", "role")
        owner.execute(members, [dict(zip(names, role, strict=True)) for role in roles])
        for statement in (
            "INSERT INTO document VALUES (1, 1, 'a'), (2, 2, 'b')",
            f"INSERT INTO draft VALUES (1, 1, '{ANN}')",
            f"INSERT INTO note VALUES (1, 1, '{ANN}')",
            "INSERT INTO comment VALUES (1, 1), (2, 2)",
            "INSERT INTO visit VALUES (1, 1, 5)",
            "INSERT INTO lead VALUES (1, 9)",
        ):
            owner.execute(text(statement))
    yield database
    drop(database)


def ask(
    database: Database, identity: Identity, table: str, command: Command, key: object = 1
) -> Answer:
    """Ask of a row; of a membership the key is the user's in team 1."""
    if isinstance(key, UUID) and table == "membership":
        row = {"team_id": "1", "user_id": str(key)}
    else:
        row = {"id": str(key)}
    question = Question(METADATA.tables[table], row, command)
    [answer] = explain_for_identity(project_of(database, METADATA), question, identity).answers
    return answer


OF_ONE = "is of team 1 (team_id), where this user is a member as"
OF_TWO = "is of team 2 (team_id), of which this user is not a member"
OF_CAT = "is a membership of team 1 as viewer, where this user is a member as"
KEPT = "Nobody but admins of the application changes team_id and user_id."


@pytest.mark.parametrize(
    ("user", "command", "table", "key", "verdict", "said"),
    [
        (CAT, SELECT, "document", 1, YES, f"{OF_ONE} viewer"),
        (CAT, SELECT, "document", 2, NO, OF_TWO),
        (CAT, UPDATE, "document", 1, NO, f"{OF_ONE} viewer, and changing it takes editor or owner"),
        (DAN, INSERT, "document", 1, YES, f"{OF_ONE} editor"),
        (DAN, DELETE, "document", 1, NO, f"{OF_ONE} editor, and deleting it takes owner"),
        (CAT, INSERT, "comment", 1, NO, f"goes with document 1 (document_id), which {OF_ONE} viewer"
         ", and changing it takes editor or owner"),
        (CAT, SELECT, "comment", 2, NO, f"goes with document 2 (document_id), which {OF_TWO}"),
        (ANN, DELETE, "draft", 1, YES, f"{OF_ONE} owner, and belongs to this user (author_id)"),
        (CAT, SELECT, "draft", 1, NO, f"{OF_ONE} viewer, but belongs to another user (author_id)"),
        (CAT, SELECT, "note", 1, YES, f"{OF_ONE} viewer"),
        (BEN, UPDATE, "note", 1, NO, f"{OF_ONE} admin, but belongs to another user (author_id)"),
        (CAT, SELECT, "team", 1, YES, "is team 1, where this user is a member as viewer"),
        (BEN, DELETE, "team", 1, NO,
         "is team 1, where this user is a member as admin, and deleting it takes owner"),
        (EVE, UPDATE, "team", 1, NO, "is team 1, of which this user is not a member"),
        (EVE, INSERT, "team", 1, NO,
         "is a tenant already; whoever inserts a new one becomes its first owner"),
        (EVE, SELECT, "membership", CAT, NO,
         "is a membership of team 1 as viewer, of which this user is not a member"),
        (DAN, UPDATE, "membership", CAT, NO,
         f"{OF_CAT} editor, and changing it takes admin or owner"),
        (BEN, UPDATE, "membership", CAT, YES,
         f"{OF_CAT} admin, who may give it any role but owner"),
        (ANN, DELETE, "membership", CAT, YES, f"{OF_CAT} owner"),
        (BEN, UPDATE, "membership", BEN, NO,
         "is this user's own membership of team 1 as admin, and changing one's own takes owner"),
        (BEN, DELETE, "membership", ANN, NO, "is a membership of team 1 as owner, where this user"
         " is a member as admin, and removing one as owner takes owner"),
        (CAT, DELETE, "membership", CAT, YES,
         "is this user's own membership of team 1 as viewer, and everybody may leave"),
        (CAT, SELECT, "person", ANN, YES, "is another user, who shares a tenant with this user"),
        (CAT, SELECT, "person", EVE, NO, "is another user, who shares no tenant with this user"),
        (CAT, UPDATE, "person", ANN, NO,
         "is another user, who shares a tenant with this user, and others only read it"),
    ],
)  # fmt: skip
def test_it_says_what_the_user_is_in_the_tenant(
    filled: Database,
    user: UUID,
    command: Command,
    table: str,
    key: object,
    verdict: Verdict,
    said: str,
) -> None:
    answer = ask(filled, Identity(user), table, command, key)
    assert (answer.verdict, answer.declared[0]) == (verdict, f"As declared, the row {said}.")
    assert (KEPT in answer.declared) is (table == "membership" and command is UPDATE)


@pytest.mark.parametrize(
    ("tenant", "table", "verdict", "said"),
    [
        (1, "document", YES, f"{OF_ONE} editor"),
        (2, "document", NO, f"{OF_ONE} editor, but the request is narrowed to team 2"),
        (2, "membership", NO, "is this user's own membership of team 1 as editor, but the request"
         " is narrowed to team 2"),
        (2, "person", NO, "is another user, who shares no tenant with this user in a request that"
         " is narrowed to team 2"),
    ],
)  # fmt: skip
def test_a_request_that_is_narrowed_to_a_tenant(
    filled: Database, tenant: int, table: str, verdict: Verdict, said: str
) -> None:
    """The user is a member of both."""
    key = {"document": 1, "membership": DAN, "person": ANN}[table]
    answer = ask(filled, Identity(DAN, tenant_id=tenant), table, SELECT, key)
    assert (answer.verdict, answer.declared) == (verdict, (f"As declared, the row {said}.",))


@pytest.mark.parametrize(
    ("claims", "table", "verdict", "said"),
    [
        ({"location": "05"}, "visit", YES,
         f"{OF_ONE} owner, and has location_id 5, which is the request's claim location"),
        ({"location": "6"}, "visit", NO,
         f"{OF_ONE} owner, but has location_id 5, and the request's claim location is 6"),
        ({"org": "8"}, "lead", NO, "has org_id 9, and the request's claim org is 8"),
        # What fails says it all.
        ({}, "visit", ERROR, None),
        ({"location": "here"}, "visit", ERROR, None),
    ],
)  # fmt: skip
def test_claims(
    filled: Database, claims: dict[str, str], table: str, verdict: Verdict, said: str | None
) -> None:
    answer = ask(filled, Identity(ANN, claims=claims), table, SELECT)
    told = () if said is None else (f"As declared, the row {said}.",)
    assert (answer.verdict, answer.declared) == (verdict, told)


def test_the_last_owner_stays_whatever_the_policies_say(filled: Database) -> None:
    """Neither leaves nor is removed, not even by an admin, and not with the account."""
    kept = "It would leave team 1 without an owner (error RL006)."
    for identity, table in (
        (Identity(ANN), "membership"),
        (Identity(ANN, Role.ADMIN), "membership"),
        (Identity(ANN), "person"),
    ):
        answer = ask(filled, identity, table, DELETE, ANN)
        assert (answer.verdict, answer.decided_by) == (NO, Decider.LAST_OWNER)
        assert answer.because == kept
    update = ask(filled, Identity(ANN), "membership", UPDATE, ANN)
    assert update.verdict is YES
    assert f"An update of its role is refused, though: {kept}" in update.because
    assert "refused" not in ask(filled, Identity(ANN), "person", UPDATE, ANN).because


def test_a_request_in_a_tenant_of_others_is_explained_in_the_log(
    filled: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks, and in which tenant, is not in the path."""

    class Membership:
        """A membership, as the ORM reads it."""

    registry().map_imperatively(Membership, METADATA.tables["membership"])
    app = FastAPI()
    explain_refusals(app, project_of(filled, METADATA))
    engine = create_engine(filled.app_url, poolclass=NullPool)

    @app.get("/team/{number}")
    def read(number: int) -> None:
        with Session(engine) as session:
            hedgerow.bind(session, Identity(CAT, tenant_id=number), ROW_SECURITY)
            if session.get(Membership, (number, CAT)) is None:
                raise HTTPException(404)

    caplog.set_level("INFO", ROW_SECURITY.logger)
    assert [TestClient(app).get(f"/team/{team}").status_code for team in (1, 2)] == [200, 404]
    assert caplog.messages == [
        f"GET /team/2: 404: user {CAT} in tenant 2 may not see the row team_id=2, user_id={CAT} of"
        " membership (no such row): No row has this key."
    ]
