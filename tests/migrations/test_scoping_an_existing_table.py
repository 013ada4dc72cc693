"""docs/how-to/scope-an-existing-table.md, step by step."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import URL

from tests.migrations.opening import migrated_project
from tests.migrations.support import MiniProject

GENERATED = "op.add_column('letter', sa.Column('owner_id', sa.Uuid(), nullable=False))"
EDITED = """op.add_column('letter', sa.Column('owner_id', sa.Uuid(), nullable=True))
    op.execute(
        'UPDATE letter SET owner_id = "user".id FROM "user" WHERE "user".email = letter.written_by'
    )
    op.alter_column('letter', 'owner_id', nullable=False)"""
SLOWLY = "\n    op.execute('SELECT pg_sleep(0.2)')\n"


@pytest.fixture
def project(server: URL, tmp_path: Path) -> Iterator[MiniProject]:
    with migrated_project(server, tmp_path, "existing_table") as project:
        app = project.deployment.roles.app
        project.by_hand(f"REVOKE ALL ON letter FROM {app}")
        yield project


@pytest.fixture
def alice(project: MiniProject) -> UUID:
    """Return a user who wrote one of the two letters."""
    alice = uuid4()
    project.by_hand(
        f"INSERT INTO \"user\" VALUES ('{alice}', 'alice'), (gen_random_uuid(), 'bob')",
        "INSERT INTO letter (written_by) VALUES ('alice'), ('bob')",
    )
    return alice


def seen_by(project: MiniProject, user: UUID) -> str:
    """Return whose letters the user sees, or that the application may see none."""
    with project.as_user(user) as connection:
        try:
            rows = connection.execute("SELECT written_by FROM letter ORDER BY id").fetchall()
        except psycopg.errors.InsufficientPrivilege:
            return "denied"
        return " ".join(str(writer) for (writer,) in rows)


@contextmanager
def watching(project: MiniProject, user: UUID) -> Iterator[list[str]]:
    """Look again and again as the user; yield what was seen."""
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append(seen_by(project, user))
        seen.append(seen_by(project, user))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def test_there_is_no_moment_in_which_others_rows_are_seen(
    project: MiniProject, alice: UUID
) -> None:
    project.use("after")
    revision = project.revise("letters belong to users")
    source = revision.read_text(encoding="utf-8")
    assert source.count(GENERATED) == 1
    source = source.replace(GENERATED, EDITED)
    # Between the operations a reader gets time to look.
    for operation in ("op.enable_rls", "op.create_rls_policy", "op.create_index"):
        source = source.replace(f"    {operation}", f"{SLOWLY}    {operation}", 1)
    revision.write_text(source, encoding="utf-8")
    with watching(project, alice) as seen:
        project.alembic("upgrade", "head")
    assert set(seen) == {"denied", "alice"}
    assert seen == sorted(seen, reverse=True)
    project.alembic("downgrade", "-1")
    project.there_and_back()


def test_statement_by_statement_there_is_one(project: MiniProject, alice: UUID) -> None:
    """What one transaction guards against."""
    project.by_hand(f"GRANT SELECT ON letter TO {project.deployment.roles.app}")
    assert seen_by(project, alice) == "alice bob"


def test_a_row_without_an_owner_stops_it(project: MiniProject, alice: UUID) -> None:
    project.by_hand("INSERT INTO letter (written_by) VALUES ('nobody')")
    project.use("after")
    revision = project.revise("letters belong to users")
    source = revision.read_text(encoding="utf-8").replace(GENERATED, EDITED)
    revision.write_text(source, encoding="utf-8")
    assert 'column "owner_id" of relation "letter" contains null' in project.refused(
        "upgrade", "head"
    )
    assert seen_by(project, alice) == "denied"
