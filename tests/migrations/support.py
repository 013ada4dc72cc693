"""Mini-projects: a folder with models and an alembic set-up, driven by the real command."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from hedgerow import RowSecurity, sql
from hedgerow.embedded import binary
from hedgerow.roles import LoginPasswords, ensure_roles
from tests.support.databases import clean_environment
from tests.support.deployments import PASSWORD, Deployment, deployment, unique_role_names
from tests.support.raw import RawConnection, connect

_HERE = Path(__file__).parent
PROJECTS = _HERE / "projects"
PASSWORDS = LoginPasswords(app=PASSWORD, maintenance=PASSWORD)
_SET_UP = ("alembic.ini", "env.py", "script.py.mako")


@dataclass(frozen=True)
class MiniProject:
    """A project in a folder of its own, with a database and roles that no other test has."""

    name: str
    folder: Path
    deployment: Deployment

    def use(self, models: str) -> None:
        """Have the project's models be those of `models`.py, such as before or after."""
        shutil.copy(PROJECTS / self.name / f"{models}.py", self.folder / "models.py")

    def run(
        self, *arguments: str, owner: URL | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the real `alembic`, as the database's owner or as `owner`, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=self._environment(owner or self.deployment.database.owner_url, settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def alembic(self, *arguments: str, owner: URL | None = None, **settings: str) -> str:
        """Run the real `alembic`, which must succeed; return what it printed."""
        result = self.run(*arguments, owner=owner, **settings)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def refused(self, *arguments: str, owner: URL | None = None, **settings: str) -> str:
        """Run the real `alembic`, which must fail with exit code 1; return its one line."""
        result = self.run(*arguments, owner=owner, **settings)
        assert result.returncode == 1, result.stdout + result.stderr
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("FAILED: ")
        return lines[0]

    def revise(self, message: str, owner: URL | None = None, **settings: str) -> Path:
        """Let autogenerate write a revision, which must be literal (P40); return its file."""
        before = set(self.revisions())
        self.alembic("revision", "--autogenerate", "-m", message, owner=owner, **settings)
        (new,) = set(self.revisions()) - before
        assert_literal(new)
        return new

    def revisions(self) -> list[Path]:
        """Return the files of all revisions."""
        return list((self.folder / "versions").glob("*.py"))

    def schema(self) -> str:
        """Return what `pg_dump --schema-only` says, without the lines that change every time."""
        url = self.deployment.database.owner_url.set(drivername="postgresql")
        dump = subprocess.run(
            [binary("pg_dump"), "--schema-only", url.render_as_string(hide_password=False)],
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        volatile = ("\\restrict ", "\\unrestrict ")
        lines = [
            line for line in dump.stdout.splitlines() if line and not line.startswith(volatile)
        ]
        # Grants stand in the order in which they were made, which means nothing.
        grants = [line for line in lines if line.startswith("GRANT ")]
        others = [line for line in lines if not line.startswith("GRANT ")]
        return "\n".join([*others, *sorted(grants)])

    @contextmanager
    def as_user(self, user_id: object) -> Iterator[RawConnection]:
        """Yield a connection as the application role that carries a user's identity."""
        with connect(self.deployment.app_url) as connection:
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])
            connection.execute("SET app.role = 'user'")
            yield connection

    def by_hand(self, *statements: str) -> None:
        """Run SQL as the owner, as somebody does who goes round the migrations."""
        with self.deployment.database.as_owner() as owner:
            for statement in statements:
                owner.execute(sql.Statement(statement))

    def there_and_back(self) -> None:
        """Upgrade, check, downgrade and upgrade again: each way must lead to the same schema."""
        before = self.schema()
        self.alembic("upgrade", "head")
        assert "No new upgrade operations detected" in self.alembic("check")
        after = self.schema()
        assert after != before
        self.alembic("downgrade", "-1")
        assert self.schema() == before
        self.alembic("upgrade", "head")
        assert self.schema() == after

    def _environment(self, owner: URL, settings: Mapping[str, str]) -> dict[str, str]:
        return clean_environment(
            DATABASE_URL=owner.render_as_string(hide_password=False),
            # Models are replaced within the second and keep their size: bytecode would be stale.
            PYTHONDONTWRITEBYTECODE="1",
            **self.deployment.settings(**settings),
        )


def assert_literal(revision: Path) -> None:
    """Assert that a revision means the same for ever: it imports no model and reads no registry."""
    tree = ast.parse(revision.read_text(encoding="utf-8"))
    imported = {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"sqlalchemy", "alembic.op"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_row_security(node):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                ast.literal_eval(argument)


def is_row_security(call: ast.Call) -> bool:
    """Tell whether a call in a revision is one of the engine's operations."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name.endswith("_rls") or "_rls_" in name or name.startswith(("grant_", "revoke_"))


@contextmanager
def new_project(server: URL, folder: Path, name: str) -> Iterator[MiniProject]:
    """Yield the mini-project `name` in `folder`, with roles but no tables, and no revision yet."""
    for file in _SET_UP:
        shutil.copy(_HERE / "set_up" / file, folder)
    (folder / "versions").mkdir()
    with deployment(server, unique_role_names("mp_")) as own:
        project = MiniProject(name, folder, own)
        project.use("before")
        with own.database.as_owner() as owner:
            ensure_roles(owner, RowSecurity(own.roles), PASSWORDS)
        yield project


@contextmanager
def migrated_project(server: URL, folder: Path, name: str) -> Iterator[MiniProject]:
    """Yield the mini-project `name`, migrated to its models of before."""
    with new_project(server, folder, name) as project:
        project.revise("before")
        project.alembic("upgrade", "head")
        yield project
