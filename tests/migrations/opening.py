"""How a test comes by a mini-project, with a database, roles and an owner that no other has."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import URL, NullPool, create_engine

from hedgerow import LoginPasswords, RowSecurity, sql
from hedgerow.provisioning.roles import ensure_roles
from tests.migrations.support import MiniProject
from tests.support.databases import Database
from tests.support.deployments import PASSWORD, deployment, unique_role_names

Open = Callable[[str], AbstractContextManager[MiniProject]]

PASSWORDS = LoginPasswords(app=PASSWORD, maintenance=PASSWORD)
_HERE = Path(__file__).parent
_SET_UP = ("alembic.ini", "env.py", "script.py.mako")


@contextmanager
def new_project(
    server: URL, folder: Path, name: str, owner_attributes: str = "SUPERUSER"
) -> Iterator[MiniProject]:
    """Yield the mini-project `name` in `folder`, with nothing in its database and no revision yet.

    Its owner is a role of its own, with the given attributes.
    """
    for file in _SET_UP:
        shutil.copy(_HERE / "set_up" / file, folder)
    (folder / "versions").mkdir()
    owner = f"owner_mp_{uuid4().hex[:10]}"
    superuser = Database(server)
    with superuser.as_owner() as connection:
        create = f"CREATE ROLE {owner} LOGIN PASSWORD '{PASSWORD}' {owner_attributes}"
        connection.execute(sql.Statement(create))
    try:
        with deployment(server, unique_role_names("mp_")) as own:
            with own.database.as_owner() as connection:
                give = f"ALTER DATABASE {own.database.name} OWNER TO {owner}"
                connection.execute(sql.Statement(give))
            url = own.database.owner_url.set(username=owner, password=PASSWORD)
            yield MiniProject(name, folder, own, url)
    finally:
        with superuser.as_owner() as connection:
            connection.execute(sql.Statement(f"DROP ROLE {owner}"))


@contextmanager
def migrated_project(
    server: URL,
    folder: Path,
    name: str,
    models: str = "before",
    owner_attributes: str = "SUPERUSER",
) -> Iterator[MiniProject]:
    """Yield the mini-project `name`, migrated to its `models`."""
    with new_project(server, folder, name, owner_attributes) as project:
        project.use(models)
        project.revise("first")
        project.alembic("upgrade", "head")
        yield project


def make_roles(project: MiniProject, maker: URL) -> None:
    """Make the roles, as an administrator does where the owner may not."""
    engine = create_engine(maker, poolclass=NullPool)
    with engine.begin() as connection:
        ensure_roles(connection, RowSecurity(project.deployment.roles), PASSWORDS)


def change(project: MiniProject, models: str) -> str:
    """Let the models be these, migrate there, back and there; return the revision."""
    project.use(models)
    revision = project.revise(models)
    project.there_and_back()
    return revision.read_text(encoding="utf-8")


def start(project: MiniProject, models: str = "models") -> str:
    """Write the first revision, migrate there, back and there; return the revision."""
    return change(project, models)


def two_users(project: MiniProject) -> tuple[UUID, UUID]:
    alice, bob = uuid4(), uuid4()
    project.by_hand(f"INSERT INTO \"user\" (id) VALUES ('{alice}'), ('{bob}')")
    return alice, bob
