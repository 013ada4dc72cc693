"""`hedgerow why` says of each kind of declaration what a developer needs to know."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import URL, Table, text

from hedgerow import Identity
from hedgerow.why import explain_for_identity
from hedgerow.why.answer import Answer, Decider, Verdict
from hedgerow.why.question import Command, Question
from hedgerow.why.sentences import sentences, summary
from tests.support import declared
from tests.support.databases import Database, clone_template, drop
from tests.support.declared import ALICE, BOB, CAROL, METADATA, row_of
from tests.support.projects import project_of

SELECT, INSERT, UPDATE, DELETE = Command
YES, NO, ERROR = Verdict
DAVE = declared.USERS[3]
PROJECT = row_of(declared.PROJECT, BOB)
TASK = row_of(declared.TASK, BOB)


@pytest.fixture(scope="module")
def filled(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    declared.declare_in(database)
    declared.fill(database)
    yield database
    drop(database)


def key_of(table: Table, owner: UUID) -> dict[str, str]:
    """Return the key of what `fill` has given `owner` in the table."""
    key = {}
    for column in (each.name for each in table.primary_key):
        if column == "user_id":
            key[column] = str(owner)
        elif column == "id":
            key[column] = str(row_of(table, owner))
        else:
            key[column] = str(row_of(METADATA.tables[column.removesuffix("_id")], owner))
    return key


def ask(database: Database, user: UUID, table: str, command: Command) -> tuple[Answer, Question]:
    """Ask whether `user` may do that to bob's row of a table."""
    question = Question(METADATA.tables[table], key_of(METADATA.tables[table], BOB), command)
    [answer] = explain_for_identity(
        project_of(database, METADATA), question, Identity(user)
    ).answers
    return answer, question


OF_BOB = f"goes with project {PROJECT} (project_id), which belongs to another user"
READ_ONLY = f"{OF_BOB} and is shared with this user for reading only"
WRITABLE = f"{OF_BOB} and is shared with this user, who may change it"
KEPT = "Nobody but admins changes id and owner_id."


@pytest.mark.parametrize(
    ("user", "table", "command", "verdict", "said"),
    [
        (BOB, "account", SELECT, YES, ["the row is this user"]),
        (ALICE, "account", SELECT, NO, ["the row is another user"]),
        (ALICE, "profile", DELETE, NO, ["the row is another user"]),
        # It has no column but the key.
        (
            BOB,
            "profile",
            UPDATE,
            ERROR,
            ["users have SELECT and INSERT and DELETE here, and no more"],
        ),
        (BOB, "page", SELECT, YES, ["the row is public"]),
        (ALICE, "page", SELECT, YES, ["the row is public"]),
        (ALICE, "page", DELETE, NO, ["the row belongs to another user, and others only read it"]),
        (BOB, "project", SELECT, YES, ["the row belongs to this user"]),
        (DAVE, "project", SELECT, NO, ["the row belongs to another user"]),
        (
            ALICE,
            "project",
            SELECT,
            YES,
            ["the row belongs to another user and is shared with this user"],
        ),
        (
            ALICE,
            "project",
            UPDATE,
            NO,
            ["the row belongs to another user and is shared with this user for reading only", KEPT],
        ),
        (
            CAROL,
            "project",
            UPDATE,
            YES,
            [
                "the row belongs to another user and is shared with this user, who may change it",
                KEPT,
            ],
        ),
        (
            CAROL,
            "project",
            DELETE,
            NO,
            [
                "the row belongs to another user and is shared with this user, who may change it,"
                " and no more"
            ],
        ),
        (
            BOB,
            "task",
            UPDATE,
            YES,
            [f"the row goes with project {PROJECT} (project_id), which belongs to this user"],
        ),
        (DAVE, "task", SELECT, NO, [f"the row {OF_BOB}"]),
        (ALICE, "task", SELECT, YES, [f"the row {OF_BOB} and is shared with this user"]),
        (ALICE, "task", UPDATE, NO, [f"the row {READ_ONLY}"]),
        (ALICE, "task", DELETE, NO, [f"the row {READ_ONLY}"]),
        (ALICE, "task", INSERT, NO, [f"the row {READ_ONLY}"]),
        (CAROL, "task", DELETE, YES, [f"the row {WRITABLE}"]),
        (DAVE, "remark", SELECT, NO, [f"the row goes with task {TASK} (task_id), which {OF_BOB}"]),
        (
            CAROL,
            "remark",
            INSERT,
            YES,
            [f"the row goes with task {TASK} (task_id), which {WRITABLE}"],
        ),
        (DAVE, "tag", SELECT, YES, ["the row is one that everybody who is signed in reads"]),
        (DAVE, "tag", UPDATE, NO, ["the row belongs to another user, and others only read it"]),
        (
            DAVE,
            "task_tag",
            SELECT,
            NO,
            [f"the row goes with task {TASK} (task_id), which {OF_BOB}"],
        ),
        (
            ALICE,
            "task_label",
            SELECT,
            NO,
            [
                f"the row goes with label {row_of(declared.LABEL, BOB)} (label_id), which belongs"
                " to another user"
            ],
        ),
        (DAVE, "notice", SELECT, YES, ["the row is one that everybody who is signed in reads"]),
        (DAVE, "notice", UPDATE, ERROR, ["users have SELECT here, and no more"]),
        (BOB, "event", DELETE, ERROR, ["users have SELECT and INSERT here, and no more"]),
        (
            DAVE,
            "path",
            SELECT,
            NO,
            [
                f"the row goes with project {BOB}, {PROJECT} (owner_id,"
                " project_id), which belongs to another user"
            ],
        ),
        (DAVE, "ticket", SELECT, NO, []),
        (DAVE, "country", SELECT, YES, []),
        (DAVE, "country", UPDATE, ERROR, []),
    ],
)
def test_it_says_whose_the_row_is(
    filled: Database, user: UUID, table: str, command: Command, verdict: Verdict, said: list[str]
) -> None:
    answer, question = ask(filled, user, table, command)
    assert answer.verdict is verdict
    told = [one if one is KEPT else f"As declared, {one}." for one in said]
    assert list(answer.declared) == told
    assert all(one in summary(answer, question) for one in told)


def test_shares_are_made_by_the_owner_alone(filled: Database) -> None:
    """Whoever may change the project may not share it on."""
    project = project_of(filled, METADATA)
    key = {"project_id": str(PROJECT), "user_id": str(CAROL)}
    for user, verdict, said in (
        (BOB, YES, "which belongs to this user"),
        (CAROL, NO, "who may change it, and no more"),
    ):
        question = Question(declared.PROJECT_SHARE, key, INSERT)
        [answer] = explain_for_identity(project, question, Identity(user)).answers
        assert answer.verdict is verdict
        assert said in answer.declared[0]


def test_a_key_to_a_row_that_the_writer_cannot_see(filled: Database) -> None:
    """P51: a refused INSERT whose policies let it through."""
    with filled.as_owner() as owner:
        owner.execute(
            declared.TICKET.insert(),
            {"id": UUID(int=77), "owner_id": DAVE, "project_id": PROJECT, "title": "hung on bob's"},
        )
    question = Question(declared.TICKET, {"id": str(UUID(int=77))}, INSERT)
    explanation = explain_for_identity(project_of(filled, METADATA), question, Identity(DAVE))
    [answer] = explanation.answers
    assert (answer.verdict, answer.decided_by) == (NO, Decider.REFERENCE)
    said = "The key project_id refers to a row that this user cannot see."
    assert answer.because == said
    assert f"  No, as the user: {said}" in sentences(explanation)
    update = Question(declared.TICKET, {"id": str(UUID(int=77))}, UPDATE)
    [answer] = explain_for_identity(project_of(filled, METADATA), update, Identity(DAVE)).answers
    assert answer.verdict is YES
    assert f"An update that writes the key is refused, though: {said}" in answer.because
    with filled.as_owner() as owner:
        owner.execute(
            text("UPDATE ticket SET owner_id = :owner WHERE id = :id"),
            {"owner": CAROL, "id": UUID(int=77)},
        )
    [answer] = explain_for_identity(project_of(filled, METADATA), question, Identity(CAROL)).answers
    assert (answer.verdict, answer.decided_by) == (YES, Decider.POLICY)
