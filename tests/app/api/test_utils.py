"""What operators ask: whether the application runs, and whether its e-mails arrive."""

import pytest
from fastapi.testclient import TestClient

from app.core.config import settings
from tests.app.api.support import API, signed_in
from tests.app.mail_server import MailServer
from tests.support.people import Person

TEST_EMAIL = f"{API}/utils/test-email/"
TO = {"email_to": "somebody@example.com"}


def test_the_health_check_needs_no_token(client: TestClient) -> None:
    response = client.get(f"{API}/utils/health-check/")
    assert response.status_code == 200
    assert response.json() is True


def test_a_superuser_sends_a_test_email(
    client: TestClient, admin: Person, mail_server: MailServer
) -> None:
    response = client.post(TEST_EMAIL, headers=signed_in(admin), params=TO)
    assert response.status_code == 201
    assert response.json() == {"message": "Test email sent"}
    assert [message["To"] for message in mail_server.taken] == ["somebody@example.com"]


def test_without_a_mail_server_the_answer_names_the_settings(
    client: TestClient, admin: Person
) -> None:
    response = client.post(TEST_EMAIL, headers=signed_in(admin), params=TO)
    assert response.status_code == 400
    sentence = "E-mails are not configured: set SMTP_HOST and EMAILS_FROM_EMAIL"
    assert response.json() == {"detail": sentence}


def test_a_mail_server_that_refuses_is_502(
    client: TestClient, admin: Person, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SMTP_TLS", True)  # which the server does not speak
    response = client.post(TEST_EMAIL, headers=signed_in(admin), params=TO)
    assert response.status_code == 502
    assert response.json()["detail"].startswith("The mail server did not take the e-mail: ")
    assert mail_server.taken == []


def test_others_send_none(client: TestClient, alice: Person, mail_server: MailServer) -> None:
    response = client.post(TEST_EMAIL, headers=signed_in(alice), params=TO)
    assert response.status_code == 403
    assert response.json() == {"detail": "The user doesn't have enough privileges"}
    assert client.post(TEST_EMAIL, params=TO).status_code == 401
    assert mail_server.taken == []
