"""Look users up for the commands that name one: as the application's login, like a sign-in."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from hedgerow.config.identity import UserId
from hedgerow.config.project import Project
from hedgerow.connect import explain_connection_failure, first_line
from hedgerow.errors import DatabaseNotReadyError, IdentityError
from hedgerow.sessions.guard import guard

_NEW = "If it is a new database, run `alembic upgrade head`."


def find_user(project: Project, name: str) -> UserId | None:
    """Return the key of the user whom people call `name`, or None; raises DatabaseNotReadyError.

    Not as the owner: one that is no superuser may not take the role in which somebody signs in.
    """
    with _session(project, f"look up {name!r}") as session:
        return project.find_user(session, name)


def require_user(project: Project, name: str) -> UserId:
    """Do what `find_user` does; raises IdentityError where there is no such user."""
    user_id = find_user(project, name)
    if user_id is None:
        raise IdentityError(f"There is no user {name!r}: give the address they sign in with.")
    return user_id


def may_be_admin(project: Project, user_id: UserId) -> bool:
    """Return whether the user may be an admin, as also where the project does not know.

    Raises DatabaseNotReadyError.
    """
    if project.is_admin is None:
        return True
    with _session(project, f"ask whether {user_id} is an admin") as session:
        return project.is_admin(session, user_id)


@contextmanager
def _session(project: Project, purpose: str) -> Iterator[Session]:
    """Yield a session that is bound to nobody: the project's functions bind it themselves."""
    engine = create_engine(
        project.direct_application_url(), poolclass=NullPool, hide_parameters=True
    )
    try:
        with Session(guard(engine, project.row_security)) as session:
            yield session
    except OperationalError as error:
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, _NEW)) from None
    except DBAPIError as error:
        raise DatabaseNotReadyError(f"Cannot {purpose}: {first_line(error)}. {_NEW}") from None
