"""The two users and the item that the page asks about, and the names of `app/main.py`."""

from tests.docs.support.project import ProjectCopy
from tests.support.raw import connect

ALICE = "43d4b63f-beb5-427e-9e52-7fcf0d28c113"
OTHER = "85ae412a-f1ce-4684-96ab-bc4d243fb996"
ITEM = "87bf3c84-ec6f-4054-8ccb-748e5ad8d6ca"


def prepare(project: ProjectCopy) -> None:
    project.names = """
import hedgerow.fastapi
from app.core.config import settings
from app.core.project import project
from app.main import app
"""
    with connect(project.database.owner_url) as owner:
        for key, email in ((ALICE, "alice@example.com"), (OTHER, "other@example.com")):
            owner.execute(
                'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser,'
                " created_at) VALUES (%s, %s, 'x', true, false, now())",
                [key, email],
            )
        owner.execute(
            "INSERT INTO item (id, title, owner_id, created_at) VALUES (%s, 'a', %s, now())",
            [ITEM, OTHER],
        )
        owner.commit()
