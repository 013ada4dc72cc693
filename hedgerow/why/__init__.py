"""`hedgerow why`: may this user do this to that row, and who or what decides?"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from hedgerow.config.identity import NO_CLAIMS, Identity, Role, UserId
from hedgerow.config.project import Project
from hedgerow.connect import explain_connection_failure, first_line
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.sessions.lookup import may_be_admin, require_user
from hedgerow.why.answer import Explanation
from hedgerow.why.decide import decide
from hedgerow.why.declared import sentences_from_declaration
from hedgerow.why.impersonation import hold_past_policies
from hedgerow.why.policies import GATES, conditions_at
from hedgerow.why.question import Question
from hedgerow.why.row import live_table


def explain_for_user(
    project: Project,
    question: Question,
    name: str,
    *,
    tenant_id: UserId | None = None,
    claims: Mapping[str, str] = NO_CLAIMS,
) -> Explanation:
    """Explain how `question` comes out for the user that people call `name`.

    Answers for the user and, unless the project knows that the user is none, for an admin. Needs
    the application's login and the owner's; leaves no trace. Raises a HedgerowError: IdentityError
    where there is no such user, ConfigurationError where the key is malformed,
    DatabaseNotReadyError, CannotTellError.
    """
    user_id = require_user(project, name)
    roles = (Role.USER, Role.ADMIN) if may_be_admin(project, user_id) else (Role.USER,)
    identities = [Identity(user_id, role, tenant_id=tenant_id, claims=claims) for role in roles]
    with _owner_transaction(project) as connection:
        return _explain(connection, project, question, name, identities)


def explain_for_identity(project: Project, question: Question, identity: Identity) -> Explanation:
    """Do what `explain_for_user` does, for the one identity that a request had."""
    with _owner_transaction(project) as connection:
        return _explain(connection, project, question, str(identity), [identity])


def conditions(project: Project, question: Question, identity: Identity) -> list[str]:
    """Return the policies that decide on `question`, each as a sentence, without looking at a row.

    For a write that was refused: the row it would have made does not exist.
    """
    with _owner_transaction(project) as connection:
        role = project.row_security.database_role(identity)
        table = live_table(connection, question.table)
        return [
            f"{condition.policy} ({needed}, {clause}): {condition.expression}"
            for needed, clause in GATES[question.command]
            for condition in conditions_at(connection, table, role, needed, clause)
        ]


def _explain(
    connection: Connection,
    project: Project,
    question: Question,
    name: str,
    identities: Sequence[Identity],
) -> Explanation:
    table = live_table(connection, question.table)
    row_security = project.row_security
    exists = hold_past_policies(connection, row_security, identities[0], table, question.key)
    answers = []
    for identity in identities:
        asked = (connection, row_security, identity)
        answer = decide(*asked, table, question.command, row_exists=exists)
        told = sentences_from_declaration(
            *asked, question.table, question.command, row_exists=exists and not answer.failed
        )
        answers.append(replace(answer, declared=tuple(told)))
    return Explanation(question, name, tuple(answers))


@contextmanager
def _owner_transaction(project: Project) -> Iterator[Connection]:
    """Yield the owner's connection in a transaction that is rolled back."""
    engine = create_engine(project.owner_url(), poolclass=NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        fix = "The owner's login is needed here."
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, fix)) from None
    except DBAPIError as error:
        raise DatabaseNotReadyError(
            f"PostgreSQL said: {first_line(error)}. If the database is new, run"
            " `alembic upgrade head`."
        ) from error
