"""Tables that are harder than the template's, and a project that has them."""

from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid

from hedgerow import Identity, Role, RowSecurity
from hedgerow.config.project import Project
from hedgerow.why import explain_for_identity
from hedgerow.why.answer import Answer
from hedgerow.why.question import Command, Question, parse_key
from tests.support import projects
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY

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
    # Of no use to alice, who does not find the document in the first place.
    "CREATE POLICY bin ON document FOR DELETE TO rls_app_user USING (id = 2)",
    "CREATE POLICY archived ON document AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id <> 1)",
    "CREATE POLICY broken ON document FOR DELETE TO rls_app_user USING (1 / (team_id - 1) = 0)",
)


def project_of(database: Database, row_security: RowSecurity | None = None) -> Project:
    return projects.project_of(database, METADATA, row_security or ROW_SECURITY)


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
