"""Mini-projects: a folder with models and an alembic set-up, driven by the real command."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from hedgerow.embedded import binary
from tests.support.databases import clean_environment
from tests.support.deployments import Deployment, deployment, unique_role_names

_HERE = Path(__file__).parent
PROJECTS = _HERE / "projects"
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
        """Let autogenerate write a revision; return its file."""
        before = set(self.revisions())
        self.alembic("revision", "--autogenerate", "-m", message, owner=owner, **settings)
        (new,) = set(self.revisions()) - before
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
        return "\n".join(
            line for line in dump.stdout.splitlines() if line and not line.startswith(volatile)
        )

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


@contextmanager
def mini_project(server: URL, folder: Path, name: str) -> Iterator[MiniProject]:
    """Yield the mini-project `name` in `folder`, with roles but no tables, and no revision yet."""
    for file in _SET_UP:
        shutil.copy(_HERE / "set_up" / file, folder)
    (folder / "versions").mkdir()
    with deployment(server, unique_role_names("mp_")) as own:
        project = MiniProject(name, folder, own)
        project.use("before")
        project.alembic("upgrade", "head")
        yield project


@contextmanager
def project_at(server: URL, folder: Path, name: str) -> Iterator[MiniProject]:
    """Yield the mini-project `name`, migrated to its models of before."""
    with mini_project(server, folder, name) as project:
        project.revise("before")
        project.alembic("upgrade", "head")
        yield project
