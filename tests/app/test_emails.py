"""The e-mails that the application sends, through a mail server that keeps them."""

import logging
import re
import smtplib
from email.message import EmailMessage
from html import unescape
from uuid import uuid4

import pytest

from app import emails
from app.core import security
from app.core.config import settings
from app.models import User
from tests.app.mail_server import MailServer


@pytest.fixture
def user() -> User:
    return User(id=uuid4(), email="carol@example.com", hashed_password="the hash")


def test_a_recovery_email_holds_a_link_that_works_for_this_password(
    mail_server: MailServer, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FRONTEND_HOST", "https://hedge.example.com/")
    emails.deliver_password_recovery(user)
    (message,) = mail_server.taken
    assert message["Subject"] == f"{settings.PROJECT_NAME} - Password recovery"
    assert message["To"] == "carol@example.com"
    assert message["From"] == f"{settings.PROJECT_NAME} <robot@example.com>"
    assert message.get_content_type() == "text/html"
    (link,) = re.findall(r'href="([^"]+)"', message.get_content())
    address, _, token = unescape(link).partition("?token=")
    assert address == "https://hedge.example.com/reset-password"
    reset = security.decode_password_reset_token(token)
    assert reset.user_id == user.id
    assert reset.matches("the hash", "carol@example.com")


def test_names_and_addresses_need_not_be_ascii(
    mail_server: MailServer, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "EMAILS_FROM_NAME", 'Ünï, "Hedge"')
    user.email = "jürgen@exämple.com"
    emails.deliver_password_recovery(user)
    (message,) = mail_server.taken
    # Python's parser hands raw UTF-8 in a header on as surrogates.
    to, sender = (
        str(message[name]).encode(errors="surrogateescape").decode() for name in ("To", "From")
    )
    assert to == "jürgen@exämple.com"
    assert sender == r'"Ünï, \"Hedge\"" <robot@example.com>'


def test_what_a_person_chose_cannot_become_markup_or_a_header(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PROJECT_NAME", "<b>Hedge</b>")
    emails.send(emails.compose_test("carol@example.com"))
    (message,) = mail_server.taken
    assert "<b>Hedge" not in message.get_content()
    with pytest.raises(ValueError, match="CR or LF"):
        emails.compose_test("carol@example.com\r\nBcc: all@example.com")


def test_a_server_without_tls_gets_nothing_where_tls_is_wanted(
    mail_server: MailServer,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(settings, "SMTP_TLS", True)
    emails.deliver_new_account(user)
    assert mail_server.taken == []
    assert "The mail server did not take an e-mail: STARTTLS extension not supported" in caplog.text
    assert "token" not in caplog.text


@pytest.mark.parametrize("address", ["carol@example.com", "jürgen@exämple.com"])
def test_the_log_of_a_refusal_does_not_name_the_address(
    mail_server: MailServer,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    """Python's message holds it, and most mail servers repeat it."""
    answer = {address: (550, f"5.1.1 <{address}>: Recipient address rejected".encode())}

    def refuse(_: EmailMessage) -> None:
        raise smtplib.SMTPRecipientsRefused(answer)

    monkeypatch.setattr(emails, "send", refuse)
    user.email = address
    emails.deliver_password_recovery(user)
    assert "Recipient address rejected" in caplog.text
    for part in ("carol", "rgen", "mple"):
        assert part not in caplog.text


def test_a_server_that_is_away_is_logged_and_raises_nothing_after_the_response(
    mail_server: MailServer,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(settings, "SMTP_PORT", 1)
    emails.deliver_password_recovery(user)
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert record.levelno == logging.ERROR
    with pytest.raises(emails.DELIVERY_ERRORS):
        emails.send(emails.compose_test("carol@example.com"))
