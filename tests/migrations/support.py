"""Mini-projects: a folder with models and an alembic set-up, driven by the real command."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from sqlalchemy import URL

from hedgerow import sql
from hedgerow.embedded import binary
from tests.migrations.revisions import assert_literal, write_by_hand
from tests.support.databases import clean_environment
from tests.support.deployments import Deployment
from tests.support.processes import beside_this_python, output_of, started
from tests.support.programs import run_program
from tests.support.raw import RawConnection, connect

_HERE = Path(__file__).parent
PROJECTS = _HERE / "projects"


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class MiniProject:
    """A project in a folder of its own, with a database and roles that no other test has."""

    name: str
    folder: Path
    deployment: Deployment
    owner: URL
    """Who owns the database and migrates it."""

    def use(self, models: str) -> None:
        """Have the project's models be those of `models`.py in its folder under projects/."""
        shutil.copy(PROJECTS / self.name / f"{models}.py", self.folder / "models.py")

    def edit(self, *replacements: tuple[str, str]) -> None:
        """Replace parts of the project's models, each of which stands there once."""
        models = self.folder / "models.py"
        source = models.read_text(encoding="utf-8")
        for old, new in replacements:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        models.write_text(source, encoding="utf-8")

    @contextmanager
    def start(self, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """Start the real `alembic` as the owner."""
        command: list[str | Path] = [beside_this_python("alembic"), *arguments]
        environment = self._environment(**settings)
        with started(command, folder=self.folder, environment=environment) as process:
            yield process

    def _environment(self, **settings: str) -> dict[str, str]:
        return clean_environment(
            DATABASE_URL=self.owner.render_as_string(hide_password=False),
            # Models are replaced within the second and keep their size: bytecode would be stale.
            PYTHONDONTWRITEBYTECODE="1",
            **self.deployment.settings(**settings),
        )

    def run(self, *arguments: str, **settings: str) -> Result:
        """Run the real `alembic` as the owner, whatever comes of it."""
        environment = self._environment(**settings)
        done = run_program("alembic", *arguments, folder=self.folder, environment=environment)
        return Result(done.returncode, done.stdout, done.stderr)

    def alembic(self, *arguments: str, **settings: str) -> str:
        """Run the real `alembic`, which must succeed; return what it printed."""
        result = self.run(*arguments, **settings)
        assert result.code == 0, result.out + result.err
        return result.out

    def refused(self, *arguments: str, **settings: str) -> str:
        """Run the real `alembic`, which must fail with exit code 1; return its one line."""
        result = self.run(*arguments, **settings)
        assert result.code == 1, result.out + result.err
        *warnings, line = result.err.splitlines()
        assert all(warning.startswith("The owner may not ") for warning in warnings), result.err
        assert line.startswith("FAILED: ")
        return line

    def differences(self, **settings: str) -> str:
        """Run `alembic check`, which must find something to write in a revision; return that."""
        result = self.run("check", **settings)
        assert result.code not in (0, 1), result.out + result.err
        assert "New upgrade operations detected" in result.out + result.err
        return result.out + result.err

    def revise(self, message: str, **settings: str) -> Path:
        """Let autogenerate write a revision, which must be literal (P40); return its file."""
        before = set(self.revisions())
        self.alembic("revision", "--autogenerate", "-m", message, **settings)
        (new,) = set(self.revisions()) - before
        assert_literal(new)
        return new

    def write_revision(self, upgrade: str, downgrade: str = "pass") -> None:
        """Add a revision that a person has written by hand."""
        write_by_hand(self.folder / "versions", upgrade, downgrade)

    def revisions(self) -> list[Path]:
        """Return the files of all revisions."""
        return list((self.folder / "versions").glob("*.py"))

    def schema(self) -> str:
        """Return what `pg_dump --schema-only` says, without the lines that change every time."""
        url = self.deployment.database.owner_url.set(drivername="postgresql")
        dump = output_of(
            [
                binary("pg_dump"),
                "--schema-only",
                "--exclude-table=alembic_version",  # Alembic's own, which no downgrade removes
                url.render_as_string(hide_password=False),
            ],
            environment=clean_environment(),
        )
        volatile = ("\\restrict ", "\\unrestrict ")
        lines = [line for line in dump.splitlines() if line and not line.startswith(volatile)]
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
        """Run SQL as the owner, without a migration."""
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
        difference = unified_diff(before.splitlines(), self.schema().splitlines(), n=1, lineterm="")
        assert (found := "\n".join(difference)) == "", found
        self.alembic("upgrade", "head")
        assert self.schema() == after
