"""A new password without the old one, through an e-mail."""

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app import emails
from app.core.config import settings
from app.core.db import get_engine
from app.core.security import create_access_token, create_password_reset_token
from app.models import User
from tests.app.api.support import API, give_password, sign_in, stored
from tests.app.conftest import checked_out
from tests.app.mail_server import MailServer
from tests.support.databases import Database
from tests.support.people import NO_PASSWORD, Person, add_person

RESET = f"{API}/reset-password/"
OLD, NEW = "a quiet hedge", "a loud hedge"


def recover(client: TestClient, email: str) -> bytes:
    response = client.post(f"{API}/password-recovery/{email}")
    assert response.status_code == 200
    return response.content


def token_in(written: str) -> str:
    (link,) = re.findall(r'https?://[^\s"]+/reset-password\?[^\s"]+', written)
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return str(token)


def test_the_link_in_the_email_sets_a_new_password_once(
    client: TestClient, database: Database, alice: Person, mail_server: MailServer
) -> None:
    give_password(database, alice, OLD)
    recover(client, "ALICE@example.com")
    (message,) = mail_server.taken
    assert message["To"] == alice.email
    body = {"token": token_in(message.get_content()), "new_password": NEW}

    response = client.post(RESET, json=body)
    assert response.status_code == 200
    assert response.json() == {"message": "Password updated successfully"}
    assert sign_in(client, alice.email, OLD).status_code == 400
    assert sign_in(client, alice.email, NEW).status_code == 200

    again = client.post(RESET, json={**body, "new_password": OLD})
    assert again.status_code == 400
    assert again.json() == {"detail": "Invalid token"}
    assert sign_in(client, alice.email, NEW).status_code == 200


def test_two_links_of_one_account_work_once_together(
    client: TestClient, alice: Person, mail_server: MailServer
) -> None:
    recover(client, alice.email)
    recover(client, alice.email)
    first, second = (token_in(message.get_content()) for message in mail_server.taken)
    assert client.post(RESET, json={"token": first, "new_password": NEW}).status_code == 200
    assert client.post(RESET, json={"token": second, "new_password": OLD}).status_code == 400


def test_a_link_ends_with_the_address_it_was_sent_to(
    client: TestClient, database: Database, alice: Person, mail_server: MailServer
) -> None:
    """Who reads the old mailbox later must not get into the account."""
    recover(client, alice.email)
    (message,) = mail_server.taken
    with database.as_owner() as connection:
        connection.execute(text("""UPDATE "user" SET email = 'new@example.com'"""))
    body = {"token": token_in(message.get_content()), "new_password": NEW}
    response = client.post(RESET, json=body)
    assert response.status_code == 400
    assert response.json() == {"detail": "Invalid token"}


def test_the_answer_tells_not_whether_the_address_has_an_account(
    client: TestClient, database: Database, alice: Person, mail_server: MailServer
) -> None:
    idle = add_person(database, "idle", active=False)
    answers = {
        recover(client, address) for address in (alice.email, idle.email, "nobody@example.com")
    }
    assert len(answers) == 1
    assert [message["To"] for message in mail_server.taken] == [alice.email]


def test_no_connection_is_held_while_the_email_is_sent(
    client: TestClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P22: a slow mail server must not use up the pool."""
    held = []

    def count_connections(_user: User) -> None:
        held.append(checked_out(get_engine()))

    monkeypatch.setattr(emails, "deliver_password_recovery", count_connections)
    recover(client, alice.email)
    assert held == [0]


def test_without_a_mail_server_the_link_is_logged_locally(
    client: TestClient, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.emails"):
        recover(client, alice.email)
    assert alice.email not in caplog.messages[-1]
    body = {"token": token_in(caplog.text), "new_password": NEW}
    assert client.post(RESET, json=body).status_code == 200


def test_without_a_mail_server_no_link_is_logged_in_production(
    client: TestClient,
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENT", "production")
    recover(client, alice.email)
    assert "token" not in caplog.text
    assert "set SMTP_HOST and EMAILS_FROM_EMAIL" in caplog.text


def test_an_access_token_is_no_reset_token(
    client: TestClient, database: Database, alice: Person
) -> None:
    before = stored(database)
    access = create_access_token(alice.id, NO_PASSWORD)
    response = client.post(RESET, json={"token": access, "new_password": NEW})
    assert response.status_code == 400
    assert response.json() == {"detail": "Invalid token"}
    assert stored(database) == before


def test_an_expired_link_sets_nothing(
    client: TestClient, database: Database, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(database)
    monkeypatch.setattr(settings, "EMAIL_RESET_TOKEN_EXPIRE_HOURS", -1)
    expired = create_password_reset_token(alice.id, NO_PASSWORD, alice.email)
    response = client.post(RESET, json={"token": expired, "new_password": NEW})
    assert response.status_code == 400
    assert response.json() == {"detail": "Invalid token"}
    assert stored(database) == before


def test_a_link_of_a_deleted_account_is_an_invalid_one(
    client: TestClient, database: Database, alice: Person
) -> None:
    token = create_password_reset_token(alice.items[0], NO_PASSWORD, alice.email)
    response = client.post(RESET, json={"token": token, "new_password": NEW})
    assert response.status_code == 400
    assert response.json() == {"detail": "Invalid token"}


def test_a_link_of_an_inactive_account_sets_nothing(
    client: TestClient, database: Database, alice: Person
) -> None:
    idle = add_person(database, "idle", active=False)
    before = stored(database)
    token = create_password_reset_token(idle.id, NO_PASSWORD, idle.email)
    response = client.post(RESET, json={"token": token, "new_password": NEW})
    assert response.status_code == 400
    assert response.json() == {"detail": "Inactive user"}
    assert stored(database) == before
