"""The second application as a deployment of its own, and the people who use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, text

from hedgerow import RoleNames
from tests.support.databases import Database, clean_environment
from tests.support.processes import beside_this_python, run_command
from tests.support.programs import FORKED, run_program

HERE = Path(__file__).parent
PASSWORD = "changethis"


@dataclass(frozen=True)
class Reader:
    """An account, and the ids of its books."""

    id: int
    key: str
    items: tuple[int, ...]

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}


@dataclass(frozen=True)
class Library:
    """A deployment of the second application."""

    database: Database
    prefix: str

    @property
    def roles(self) -> RoleNames:
        """What library/security.py calls the roles."""
        return RoleNames.prefixed(self.prefix)

    @property
    def app_url(self) -> URL:
        return self.database.owner_url.set(username=self.roles.app, password=PASSWORD)

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "LIBRARY_DATABASE_URL": self.database.address,
            "LIBRARY_ROLES": self.prefix,
            "LIBRARY_SECRET": "a secret of the library's own",
            "LIBRARY_APP_PASSWORD": PASSWORD,
            "LIBRARY_MAINTENANCE_PASSWORD": PASSWORD,
            "LIBRARY_POOL_SIZE": "1",
        }

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command in the application's folder; return what it printed."""
        environment = clean_environment(PYTHONDONTWRITEBYTECODE="1", **self.settings)
        if command[0] in FORKED:
            done = run_program(*command, folder=HERE, environment=environment)
        else:
            program = beside_this_python(command[0])
            done = run_command([program, *command[1:]], folder=HERE, environment=environment)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def add_reader(self, name: str, *, books: int = 2, librarian: bool = False) -> Reader:
        """Insert an account with some books, as the owner."""
        with self.database.as_owner() as owner:
            account = owner.scalar(
                text(
                    "INSERT INTO account (email, api_key, is_librarian)"
                    " VALUES (:email, :name, :librarian) RETURNING id"
                ),
                {"email": f"{name}@example.com", "name": name, "librarian": librarian},
            )
            titles = [f"{name}'s book {number}" for number in range(books)]
            statement = text(
                "INSERT INTO book (reader_id, title) VALUES (:reader, :title) RETURNING id"
            )
            items = [
                owner.scalar(statement, {"reader": account, "title": title}) for title in titles
            ]
        return Reader(account, name, tuple(items))

    def empty(self) -> None:
        """Remove everybody, with their books."""
        with self.database.as_owner() as owner:
            owner.execute(text("TRUNCATE account CASCADE"))
