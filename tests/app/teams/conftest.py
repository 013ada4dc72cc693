"""An application with teams, which is a process of its own: models stay in SQLModel's MetaData.

It is a copy of the project to which a model was added, migrated by the commands that a person
types, and served.
"""

from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import URL

from tests.app.mail_server import MailServer
from tests.app.teams.documents import MODEL, ROUTES
from tests.app.teams.people import LIMIT, Served
from tests.docs.conftest import copied_project
from tests.support.databases import clone_template, drop
from tests.support.proxy import Proxy


@pytest.fixture(scope="package")
def served(server: URL) -> Iterator[Served]:
    database = clone_template(server)
    with (
        copied_project(database) as project,
        MailServer() as mail,
        Proxy(server) as proxy,
        httpx2.Client() as client,
    ):
        project.write("app/models.py", MODEL)
        project.write("app/api/routes/documents.py", ROUTES)
        project.change("app/api/main.py", "private,", "documents,", keep=True)
        included = "api_router.include_router({}.router)"
        project.change(
            "app/api/main.py", included.format("items"), included.format("documents"), keep=True
        )
        project.sh("alembic revision --autogenerate -m teams && alembic upgrade head")
        project.sh("alembic check && hedgerow check && hedgerow lint")
        project.settings |= {name: str(value) for name, value in mail.settings().items()}
        through = proxy.through(database.owner_url).render_as_string(hide_password=False)
        project.settings |= {"DATABASE_POOLER_URL": through, "THROTTLE_EMAILS": f"{LIMIT} per hour"}
        address = f"http://{project.address()}/api/v1"
        yield Served(address, database, mail, proxy, client)
    drop(database)
