"""Users with items, entries of a tenant in the audit trail, a signing key; all is kept apart."""

import os

from sqlalchemy import URL

from tests.docs.support.project import ProjectCopy
from tests.support.clients import client_folder
from tests.support.databases import Database, drop
from tests.support.raw import connect

WORK = """
import hedgerow
from sqlmodel import select

from app.core.db import new_session, startup
from app.core.project import find_user
from app.core.rls import row_security
from app.core.sessions import user_session
from app.models import Item
from hedgerow import Identity, Role

startup()
with new_session() as session:
    ids = {name: find_user(session, f"{name}@example.com") for name in ("admin", "user")}
for owner in ids.values():
    with user_session(owner) as session:
        session.add(Item(title="kept", owner_id=owner))
        session.commit()
with new_session() as session:
    acting = Identity(ids["admin"], Role.ADMIN, "a trace", tenant_id="of old")
    hedgerow.bind(session, acting, row_security)
    for item in session.exec(select(Item)):
        item.description = "seen"
    session.commit()
"""


def prepare(project: ProjectCopy) -> None:
    clients = client_folder(project.database.owner_url)
    # PostgreSQL's programs know no drivers.
    project.database = Database(project.database.owner_url.set(drivername="postgresql"))
    project.settings["PATH"] = f"{clients}{os.pathsep}{os.environ['PATH']}"
    project.settings["RLS_CONTEXT_SECRET"] = "the-secret-of-the-backup"
    drop(Database(_restored(project).set(drivername="postgresql+psycopg")))
    project.sh("alembic upgrade head")
    code, output = project.run_python(WORK)
    assert code == 0, output


def finish(project: ProjectCopy) -> None:
    try:
        assert "seen" in project.sh(
            "hedgerow psql --as user@example.com -- -Atc 'SELECT description FROM item'"
        )
        count = "hedgerow psql --as user@example.com -- -Atc 'SELECT count(*) FROM item'"
        assert project.sh(count).splitlines()[-1] == "1"
        listed = project.sh("pg_restore --data-only --file=- shop.dump")
        assert "COPY public.item " in listed
        assert "signing_key" not in listed
        with connect(_restored(project)) as owner:
            row = owner.execute("SELECT count(*) FROM item").fetchone()
            assert row == (2,)
            row = owner.execute("SELECT count(*) FROM rls.audit WHERE tenant = 'of old'").fetchone()
            assert row == (1,)
    finally:
        drop(Database(_restored(project).set(drivername="postgresql+psycopg")))


def _restored(project: ProjectCopy) -> URL:
    return project.database.owner_url.set(database="restored")
