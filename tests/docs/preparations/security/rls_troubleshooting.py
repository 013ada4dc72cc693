"""Troubleshooting: what is wrong at first, so that the page fixes it; and a lost secret."""

from tests.docs.support.project import ProjectCopy
from tests.support.raw import connect

ALICE = "43d4b63f-beb5-427e-9e52-7fcf0d28c113"
ITEM = "87bf3c84-ec6f-4054-8ccb-748e5ad8d6ca"

NAMES = """
from sqlmodel import select

from app.core.db import new_session
from app.core.project import find_user
from app.core.sessions import admin_session, user_session
from app.models import Item

with new_session() as looking:
    admin_id = find_user(looking, "admin@example.com")
"""
PEOPLE = """
INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)
SELECT gen_random_uuid(), name || '@example.com', 'x', true, name = 'admin', now()
FROM unnest(ARRAY['user', 'admin']) AS name;
INSERT INTO item (id, title, owner_id, created_at)
SELECT gen_random_uuid(), 'an item', id, now() FROM "user";
"""
FAULTS = """
DROP POLICY item_owner_select ON item;
REVOKE DELETE ON item FROM rls_app_user;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;
"""
COUNT = "hedgerow psql --as user@example.com -- -tAc 'SELECT count(*) FROM item'"
SECRET, NEW_SECRET = "RLS_CONTEXT_SECRET=0123456789abcdef", "RLS_CONTEXT_SECRET=fedcba9876543210"
REFUSED = {
    COUNT: "the identity is not signed with a key of this database",
    "alembic upgrade head": "accepts only signed identities, but RLS_CONTEXT_SECRET is not set",
}


def prepare(project: ProjectCopy) -> None:
    project.names = NAMES
    with connect(project.database.owner_url) as owner:
        owner.execute(PEOPLE)
        owner.execute(
            'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)'
            " VALUES (%s, 'alice@example.com', 'x', true, false, now())",
            [ALICE],
        )
        owner.execute(
            "INSERT INTO item (id, title, owner_id, created_at) VALUES (%s, 'a', %s, now())",
            [ITEM, ALICE],
        )
        owner.execute(FAULTS)
        owner.commit()


def finish(project: ProjectCopy) -> None:
    """What a database says that signs, to whoever does not; and the fix that the page names."""
    page = (project.folder / "docs/security/rls-troubleshooting.md").read_text(encoding="utf-8")
    project.sh(f"{SECRET} alembic upgrade head")
    for command, refusal in REFUSED.items():
        code, output = project.run_shell(command, fails=True)
        assert code != 0
        assert refusal in output
        assert refusal in page
    assert project.sh(f"{NEW_SECRET} alembic upgrade head; {NEW_SECRET} {COUNT}").endswith("\n1\n")
