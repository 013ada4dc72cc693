"""What decides, on harder tables than the template's; and that it is what really happens."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, Uuid, create_engine, text
from sqlalchemy.exc import DBAPIError

import hedgerow
from hedgerow import ConfigurationError, Identity, Role, RowSecurity, Signing, sql
from hedgerow.project import Project
from hedgerow.why import explain_for_identity
from hedgerow.why.answer import Answer, Decider, Verdict
from hedgerow.why.question import Command, Question, parse_key
from tests.support.databases import Database, clone_template, drop

METADATA = MetaData()
ODD = Table(
    'odd: %s "here" name',
    METADATA,
    Column("the key: %(x)s", Text, primary_key=True),
    Column("Number", Integer, primary_key=True),
    Column("owner_id", Uuid),
    Column("secret", Text),
)
TEAM = Table("team", METADATA, Column("id", Integer, primary_key=True), Column("member", Uuid))
DOCUMENT = Table(
    "document", METADATA, Column("id", Integer, primary_key=True), Column("team_id", Integer)
)
ALICE, BOB = UUID(int=1), UUID(int=2)

SET_UP = (
    """CREATE TABLE "odd: %s ""here"" name" ("the key: %(x)s" char(3), "Number" int,
       owner_id uuid, secret text, PRIMARY KEY ("the key: %(x)s", "Number"))""",
    f"""INSERT INTO "odd: %s ""here"" name" VALUES ('a=b', 1, '{ALICE}', 'hush'),
        ('a=b', 2, NULL, 'hush')""",
    """CREATE POLICY "own: %s" ON "odd: %s ""here"" name" TO rls_app_user
       USING (owner_id = (SELECT rls.user_id()) AND "the key: %(x)s" LIKE '%a%')""",
    # The members of a team are kept apart, too: alice's request does not see that bob is in 2.
    "CREATE TABLE team (id int PRIMARY KEY, member uuid)",
    f"INSERT INTO team VALUES (1, '{ALICE}'), (2, '{BOB}')",
    "CREATE POLICY own ON team TO rls_app_user USING (member = (SELECT rls.user_id()))",
    "CREATE TABLE document (id int PRIMARY KEY, team_id int)",
    "INSERT INTO document VALUES (1, 1), (2, 2), (3, NULL)",
    """CREATE POLICY of_team ON document TO rls_app_user
       USING (EXISTS (SELECT FROM team WHERE team.id = document.team_id))""",
    "CREATE POLICY archived ON document AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id <> 1)",
    "CREATE POLICY broken ON document FOR DELETE TO rls_app_user USING (1 / (team_id - 1) = 0)",
)


@pytest.fixture(scope="module")
def tables(server: object, database: Database) -> Iterator[Database]:
    own = clone_template(database.owner_url)
    with own.as_owner() as owner:
        for statement in SET_UP:
            owner.execute(sql.Statement(statement))
        for table in METADATA.tables:
            name = sql.name(table)
            owner.execute(sql.Statement(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
            owner.execute(
                sql.Statement(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO rls_app_user")
            )
    yield own
    drop(own)


def project_of(database: Database, row_security: RowSecurity | None = None) -> Project:
    return Project(
        row_security=row_security or RowSecurity(),
        metadata=METADATA,
        application_url=lambda: database.app_url,
        owner_url=lambda: database.owner_url,
        find_user=lambda _, name: UUID(name),
    )


def ask(
    project: Project,
    table: Table,
    *key: str,
    command: Command = Command.SELECT,
    user: UUID = ALICE,
    role: Role = Role.USER,
) -> Answer:
    question = Question(table, parse_key(table, key), command)
    [answer] = explain_for_identity(project, question, Identity(user, role)).answers
    return answer


def test_names_and_keys_of_every_kind(tables: Database) -> None:
    """A key of two columns, of which one is padded; names with quotes, colons and percent signs."""
    project = project_of(tables)
    first = ("the key: %(x)s=a=b", "Number=1")
    answer = ask(project, ODD, *first)
    assert (answer.verdict, answer.decided_by) == (Verdict.ALLOWED, Decider.POLICY)
    [policy] = answer.gates[0].outcomes
    assert policy.values == {"the key: %(x)s": "a=b", "owner_id": str(ALICE)}
    assert ask(project, ODD, *first, user=BOB).verdict is Verdict.REFUSED
    assert ask(project, ODD, "Number=9", "the key: %(x)s=a=b").decided_by is Decider.NO_ROW


def test_a_condition_that_is_null_says_no(tables: Database) -> None:
    answer = ask(project_of(tables), ODD, "the key: %(x)s=a=b", "Number=2")
    assert answer.verdict is Verdict.REFUSED
    [policy] = answer.gates[0].outcomes
    assert policy.result is None
    assert policy.values["owner_id"] is None


@pytest.mark.parametrize(
    "key", [(), ("a",), ("Number=1",), ("Number=1", "Number=2"), ("Number=1", "other=2")]
)
def test_a_key_that_does_not_fit(key: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="is \\(the key: %\\(x\\)s, Number\\): give --id"):
        parse_key(ODD, key)


def test_a_value_that_is_no_number(tables: Database) -> None:
    for value in ("one", "1;", "99999999999999999999"):
        with pytest.raises(ConfigurationError, match="cannot be the key of 'team', which is id"):
            ask(project_of(tables), TEAM, value)


def test_a_policy_that_reads_another_table_sees_it_as_the_request_does(tables: Database) -> None:
    """Asked as the owner, to whom no policy of `team` applies, every document would be alice's."""
    project = project_of(tables)
    assert ask(project, DOCUMENT, "1").verdict is Verdict.ALLOWED
    assert ask(project, DOCUMENT, "2").verdict is Verdict.REFUSED
    assert ask(project, DOCUMENT, "2", user=BOB).verdict is Verdict.ALLOWED


def test_a_restrictive_policy_has_the_last_word(tables: Database) -> None:
    """P29."""
    answer = ask(project_of(tables), DOCUMENT, "1", command=Command.UPDATE)
    assert (answer.verdict, answer.decided_by) == (Verdict.REFUSED, Decider.POLICY)
    assert answer.because == "Restrictive: archived says no (UPDATE, USING)."
    assert [gate.passes for gate in answer.gates] == [True, False]


def test_a_policy_that_fails(tables: Database) -> None:
    """Conditions are OR-ed in no certain order, so one that fails matters where none passes."""
    with tables.as_owner() as owner:
        owner.execute(text("INSERT INTO document VALUES (4, 1)"))
        owner.execute(text("UPDATE team SET member = NULL WHERE id = 1"))
        owner.execute(text("CREATE POLICY four ON document FOR SELECT USING (id = 4)"))
    try:
        answer = ask(project_of(tables), DOCUMENT, "4", command=Command.DELETE)
    finally:
        with tables.as_owner() as owner:
            owner.execute(text("DELETE FROM document WHERE id = 4"))
            owner.execute(text("UPDATE team SET member = :alice WHERE id = 1"), {"alice": ALICE})
            owner.execute(text("DROP POLICY four ON document"))
    assert (answer.verdict, answer.decided_by) == (Verdict.ERROR, Decider.POLICY)
    assert answer.because == "Policy broken failed: division by zero."


def test_an_identity_that_the_database_does_not_believe(tables: Database) -> None:
    """RLS_ENABLED=false sends none, while this database still asks for one (P16)."""
    project = project_of(tables, RowSecurity(enabled=False))
    answer = ask(project, TEAM, "1")
    assert (answer.verdict, answer.decided_by) == (Verdict.ERROR, Decider.IDENTITY)
    assert "this transaction carries no identity" in answer.because


def test_a_signed_identity(fresh_database: Database) -> None:
    """The owner's connection signs as a request does; another secret is no identity."""
    from hedgerow.keys import reconcile_functions

    signed = RowSecurity(signing=Signing("the secret of this database"))
    with fresh_database.as_owner() as owner:
        reconcile_functions(owner, signed)
        owner.execute(text("CREATE TABLE team (id int PRIMARY KEY, member uuid)"))
        owner.execute(text("INSERT INTO team VALUES (1, :alice)"), {"alice": ALICE})
        owner.execute(text("ALTER TABLE team ENABLE ROW LEVEL SECURITY"))
        owner.execute(text("GRANT SELECT ON team TO rls_app_user"))
        owner.execute(text("CREATE POLICY own ON team USING (member = (SELECT rls.user_id()))"))
    assert ask(project_of(fresh_database, signed), TEAM, "1").verdict is Verdict.ALLOWED
    other = replace(signed, signing=Signing("another secret, of no database"))
    assert ask(project_of(fresh_database, other), TEAM, "1").decided_by is Decider.IDENTITY


@pytest.mark.parametrize(
    ("attribute", "power"), [("BYPASSRLS", "has BYPASSRLS"), ("SUPERUSER", "is a superuser")]
)
def test_a_role_that_no_policy_applies_to(attribute: str, power: str, tables: Database) -> None:
    """P1."""
    name = f"strong_{uuid4().hex[:10]}"
    with tables.as_owner() as owner:
        owner.execute(text(f"CREATE ROLE {name} {attribute}"))
        owner.execute(text(f"GRANT SELECT ON team TO {name}"))
    roles = replace(RowSecurity().roles, app=name)
    try:
        answer = ask(project_of(tables, RowSecurity(roles)), TEAM, "2")
    finally:
        with tables.as_owner() as owner:
            owner.execute(text(f"REVOKE ALL ON team FROM {name}"))
            owner.execute(text(f"DROP ROLE {name}"))
    assert (answer.verdict, answer.decided_by) == (Verdict.ALLOWED, Decider.ROLE)
    assert power in answer.because


@pytest.fixture
def application(tables: Database) -> Iterator[Engine]:
    engine = create_engine(tables.app_url)
    yield engine
    engine.dispose()


_STATEMENTS = {
    Command.SELECT: "SELECT FROM {table} WHERE id = :id",
    Command.UPDATE: "UPDATE {table} SET id = id WHERE id = :id",
    Command.DELETE: "DELETE FROM {table} WHERE id = :id",
}


@pytest.mark.parametrize("command", _STATEMENTS)
@pytest.mark.parametrize("table", [TEAM, DOCUMENT], ids=str)
def test_it_says_what_really_happens(
    table: Table, command: Command, tables: Database, application: Engine
) -> None:
    """Each row, for each user: PostgreSQL is asked itself, as the application asks it."""
    for user in (ALICE, BOB, UUID(int=3)):
        for key in range(1, 5):
            answer = ask(project_of(tables), table, str(key), command=command, user=user)
            with application.connect() as connection:
                hedgerow.bind(connection, Identity(user), RowSecurity())
                statement = text(_STATEMENTS[command].format(table=table.name))
                try:
                    real = connection.execute(statement, {"id": key}).rowcount == 1
                except DBAPIError:
                    real = False
            assert (answer.verdict is Verdict.ALLOWED) is real, (user, key)


def test_it_leaves_no_trace(tables: Database) -> None:
    """Memberships that the owner lends itself, settings, and whatever a condition does."""
    state = text(
        "SELECT (SELECT count(*) FROM pg_auth_members),"
        " (SELECT string_agg(xmin::text, ',' ORDER BY id) FROM team)"
    )
    with tables.as_owner() as owner:
        before = owner.execute(state).one()
    ask(project_of(tables), TEAM, "1", command=Command.DELETE)
    with tables.as_owner() as owner:
        assert owner.execute(state).one() == before
