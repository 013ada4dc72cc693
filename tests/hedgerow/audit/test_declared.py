"""What admins change in rows that have no owner's column is recorded too: children and links."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import URL, NullPool, create_engine, delete, select, update
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, Role
from hedgerow.audit.trail import audit
from tests.support import declared
from tests.support.databases import Database, clone_template, drop
from tests.support.declared import BOB, row_of
from tests.support.sessions import ROW_SECURITY

ADMIN = UUID(int=500)


@pytest.fixture(scope="module")
def filled(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    declared.declare_in(database)
    declared.fill(database)
    yield database
    drop(database)


def test_a_change_of_a_child_and_of_a_link_is_recorded(filled: Database) -> None:
    """The entry names the row by its key, and no owner, for the row has none of its own."""
    task, tag = row_of(declared.TASK, BOB), row_of(declared.TAG, BOB)
    links = declared.TASK_TAG.c
    engine = create_engine(filled.app_url, poolclass=NullPool)
    with Session(engine) as session:
        hedgerow.bind(session, Identity(ADMIN, Role.ADMIN), ROW_SECURITY)
        session.execute(update(declared.TASK).where(declared.TASK.c.id == task).values(title="new"))
        session.execute(delete(declared.TASK_TAG).where(links.task_id == task))
        session.commit()
    of_changes = select(audit).where(audit.c.event == "change").order_by(audit.c.id)
    with filled.as_owner() as owner:
        entries = owner.execute(of_changes).mappings().all()
    assert [
        (each["table_name"], each["command"], each["row_key"], each["owner"], each["user_id"])
        for each in entries
    ] == [
        ("public.task", "UPDATE", {"id": str(task)}, None, str(ADMIN)),
        (
            "public.task_tag",
            "DELETE",
            {"task_id": str(task), "tag_id": str(tag)},
            None,
            str(ADMIN),
        ),
    ]
