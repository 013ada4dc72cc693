"""The user guide: the names of its scripts, and its routes served at the end."""

from tests.docs.support.project import ProjectCopy

NAMES = """
from sqlmodel import select

from app.core.db import new_session
from app.core.project import find_user
from app.core.sessions import user_session
from app.models import Item

with new_session() as looking:
    admin_id = find_user(looking, "admin@example.com")
    user_id = find_user(looking, "user@example.com")
"""
INCLUDED = """
from app.api.routes import notes

api_router.include_router(notes.router)
"""
USED = """
import logging

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.core.security import create_access_token
from app.main import app
from app.models import User

SOCKET = "/api/v1/notes/socket"
logging.getLogger("app").setLevel(logging.INFO)
signed_in = {}
for user in (user_id, admin_id):
    with user_session(user) as own:
        hashed_password = own.get(User, user).hashed_password
    token = create_access_token(user, hashed_password)
    signed_in[user] = {"Authorization": f"Bearer {token}"}
with TestClient(app, base_url="http://127.0.0.1/api/v1/notes") as client:
    note = client.post("/?title=mine", headers=signed_in[user_id]).json()
    for user, titles in ((user_id, ["mine"]), (admin_id, [])):
        headers = signed_in[user]
        assert [one["title"] for one in client.get("/", headers=headers).json()] == titles
        assert client.get("/titles", headers=headers).text.split() == titles
        assert client.post("/count", headers=headers).json() == {"message": "Counting"}
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET):
            raise AssertionError("somebody without a token was let in")
        with client.websocket_connect(SOCKET, headers=headers) as socket:
            socket.send_text("What is mine?")
            assert socket.receive_json() == titles
    for user, code in ((user_id, 200), (admin_id, 200)):
        assert client.get(f"/async/{note['id']}", headers=signed_in[user]).status_code == code
    assert client.get(f"/async/{user_id}", headers=signed_in[user_id]).status_code == 404
print("served")
"""


def prepare(project: ProjectCopy) -> None:
    project.names = NAMES
    project.is_about_dev = True  # its scripts change items


def finish(project: ProjectCopy) -> None:
    """The routes of the page are served, each to its own user; a superuser sees one by its id."""
    project.append("app/api/main.py", INCLUDED)
    code, output = project.run_python(USED)
    assert (code, "served" in output) == (0, True), output
    for count in (1, 0):
        assert f"has {count} notes" in output, output
