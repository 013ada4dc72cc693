"""An owner who is not a superuser, as on a managed PostgreSQL: what it can tell, and what not."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, text

from app.core.project import find_user, is_admin
from hedgerow import Identity, Role
from hedgerow.audit.functions import RECORD_ELEVATION
from hedgerow.config.project import Project
from hedgerow.why import explain_for_identity, explain_for_user
from hedgerow.why.answer import Answer, Decider, Verdict
from hedgerow.why.impersonation import CannotTellError
from hedgerow.why.question import Question
from tests.support.databases import Database
from tests.support.people import add_person
from tests.support.roles import may_become
from tests.support.sessions import ROW_SECURITY

NOTE = Table("note", MetaData(), Column("id", Integer, primary_key=True), Column("owner", Uuid))
ALICE, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture
def owner(fresh_database: Database) -> Iterator[str]:
    """Yield the name of a login that owns `note`, whose rows 1 and 2 are alice's and bob's."""
    name = f"owner_{uuid4().hex[:10]}"
    with fresh_database.as_owner() as superuser:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'changethis' NOCREATEROLE",
            "CREATE TABLE note (id int PRIMARY KEY, owner uuid)",
            f"INSERT INTO note VALUES (1, '{ALICE}'), (2, '{BOB}')",
            f"ALTER TABLE note OWNER TO {name}",
            "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
            # As who owns the tables of a project owns its audit trail.
            f"GRANT EXECUTE ON FUNCTION rls.{RECORD_ELEVATION} TO {name}",
            "GRANT SELECT ON note TO rls_app_user, rls_admin",
            "CREATE POLICY own ON note TO rls_app_user USING (owner = (SELECT rls.user_id()))",
            "CREATE POLICY admin ON note TO rls_admin USING ((SELECT rls.role()) = 'admin')",
        ):
            superuser.execute(text(statement))
    yield name
    with fresh_database.as_owner() as superuser:
        superuser.execute(text(f"DROP OWNED BY {name} CASCADE"))
        superuser.execute(text(f"DROP ROLE {name}"))


def project_of(database: Database, owner: str) -> Project:
    login = database.owner_url.set(username=owner, password="changethis")
    return Project(
        row_security=ROW_SECURITY,
        metadata=NOTE.metadata,
        application_url=lambda: database.app_url,
        owner_url=lambda: login,
        find_user=find_user,
        is_admin=is_admin,
    )


def ask(database: Database, owner: str, key: int, role: Role = Role.USER) -> Answer:
    question = Question(NOTE, {"id": str(key)})
    project = project_of(database, owner)
    [answer] = explain_for_identity(project, question, Identity(ALICE, role)).answers
    return answer


def as_superuser(database: Database, statement: str) -> None:
    with database.as_owner() as superuser:
        superuser.execute(text(statement))


def test_it_may_not_take_the_role_and_says_so(fresh_database: Database, owner: str) -> None:
    for key, verdict in ((1, Verdict.ALLOWED), (2, Verdict.REFUSED)):
        answer = ask(fresh_database, owner, key)
        assert (answer.verdict, answer.decided_by) == (verdict, Decider.POLICY)
        assert answer.caution is not None
        assert "may not become rls_app_user" in answer.caution
    assert ask(fresh_database, owner, 3).decided_by is Decider.NO_ROW


def test_users_are_looked_up_past_it(fresh_database: Database, owner: str) -> None:
    """It may not become rls_sign_in either, in which role the application finds who signs in."""
    project, question = project_of(fresh_database, owner), Question(NOTE, {"id": "1"})
    for name, roles in (("alice", [Role.USER]), ("boss", [Role.USER, Role.ADMIN])):
        person = add_person(fresh_database, name, superuser=name == "boss")
        answers = explain_for_user(project, question, person.email).answers
        assert [answer.identity.role for answer in answers] == roles
        assert {answer.identity.user_id for answer in answers} == {person.id}


def test_forced_it_cannot_tell(fresh_database: Database, owner: str) -> None:
    """P36: a hidden row and a missing one look the same, and neither may be made up."""
    as_superuser(fresh_database, "ALTER TABLE note FORCE ROW LEVEL SECURITY")
    with pytest.raises(CannotTellError) as caught:
        ask(fresh_database, owner, 1)
    assert "Cannot tell" in str(caught.value)
    assert f"GRANT rls_admin TO {owner};" in str(caught.value)


def test_its_fix_as_printed_lets_it_tell(fresh_database: Database, owner: str) -> None:
    as_superuser(fresh_database, "ALTER TABLE note FORCE ROW LEVEL SECURITY")
    with pytest.raises(CannotTellError) as caught:
        ask(fresh_database, owner, 2)
    as_superuser(fresh_database, str(caught.value).rpartition(": ")[2])
    assert ask(fresh_database, owner, 2).verdict is Verdict.REFUSED
    assert ask(fresh_database, owner, 1).verdict is Verdict.ALLOWED
    assert ask(fresh_database, owner, 2, Role.ADMIN).verdict is Verdict.ALLOWED
    assert ask(fresh_database, owner, 3).decided_by is Decider.NO_ROW


def test_who_made_the_roles_lends_them_to_itself(fresh_database: Database, owner: str) -> None:
    """Since PostgreSQL 16, who creates a role may grant it, and is not a member yet."""
    as_superuser(fresh_database, "ALTER TABLE note FORCE ROW LEVEL SECURITY")
    as_superuser(fresh_database, f"GRANT rls_app_user, rls_admin TO {owner} WITH ADMIN OPTION")
    with fresh_database.as_owner() as superuser:
        if superuser.dialect.server_version_info >= (16,):  # type: ignore[operator]
            for role in ("rls_app_user", "rls_admin"):
                options = "WITH INHERIT FALSE, SET FALSE"
                superuser.execute(text(f"GRANT {role} TO {owner} {options}"))
    answer = ask(fresh_database, owner, 2)
    assert (answer.verdict, answer.caution) == (Verdict.REFUSED, None)
    assert ask(fresh_database, owner, 1).verdict is Verdict.ALLOWED
    with fresh_database.as_owner() as superuser:
        can_set = text(
            "SELECT count(*) FROM pg_auth_members WHERE member = CAST(:owner AS regrole)"
        )
        assert superuser.scalar(can_set, {"owner": owner}) == 2
        assert may_become(superuser, owner) >= {"rls_app_user", "rls_admin"}
