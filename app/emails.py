"""The e-mails that the application sends."""

import logging
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.core.config import settings
from app.core.logs import without_addresses
from app.core.security import create_password_reset_token
from app.models import User

logger = logging.getLogger(__name__)

DELIVERY_ERRORS: Final = (OSError, smtplib.SMTPException)
"""What `send` raises where the mail server cannot be reached or refuses."""

_TIMEOUT_SECONDS: Final = 10

_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "email-templates"),
    autoescape=True,
    undefined=StrictUndefined,
)


def deliver_password_recovery(user: User) -> None:
    """Send the link that sets a new password, after the response.

    Where ENVIRONMENT is local and e-mails are not configured, the link is logged instead.
    """
    link = _password_link(user)
    if settings.emails_enabled:
        _deliver(_compose(user.email, "Password recovery", "reset_password.html", link=link))
    elif settings.ENVIRONMENT == "local":
        logger.info("E-mails are not configured; password recovery: %s", link)
    else:
        logger.error("No password recovery e-mail was sent: set SMTP_HOST and EMAILS_FROM_EMAIL")


def deliver_new_account(user: User) -> None:
    """Tell a user of a new account, with a link that sets a password of the user's own."""
    link = _password_link(user)
    _deliver(_compose(user.email, "New account", "new_account.html", link=link))


def deliver_team_invitation(*, email: str, team: str, inviter: str, token: str, days: int) -> None:
    """Send the link that accepts an invitation, after the response.

    Where ENVIRONMENT is local and e-mails are not configured, the link is logged instead.
    """
    link = _link("accept-invitation", token)
    if settings.emails_enabled:
        # What anybody may write, such as a team's name, is no subject.
        values = {"team": team, "inviter": inviter, "valid_days": str(days)}
        _deliver(_compose(email, "Invitation", "team_invitation.html", link=link, **values))
    elif settings.ENVIRONMENT == "local":
        logger.info("E-mails are not configured; invitation to a team: %s", link)
    else:
        logger.error("No invitation was sent: set SMTP_HOST and EMAILS_FROM_EMAIL")


def compose_test(email_to: str) -> EmailMessage:
    """Return a test e-mail."""
    return _compose(email_to, "Test e-mail", "test_email.html")


def send(message: EmailMessage) -> None:
    """Hand the e-mail to the configured mail server; raises DELIVERY_ERRORS."""
    host = settings.SMTP_HOST or ""
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if settings.SMTP_SSL:
        connection = smtplib.SMTP_SSL(
            host, settings.SMTP_PORT, timeout=_TIMEOUT_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(host, settings.SMTP_PORT, timeout=_TIMEOUT_SECONDS)
    with connection:
        if settings.SMTP_TLS and not settings.SMTP_SSL:
            connection.starttls(context=context)
        if settings.SMTP_USER:
            connection.login(settings.SMTP_USER, settings.SMTP_PASSWORD or "")
        connection.send_message(message)


def _deliver(message: EmailMessage) -> None:
    try:
        send(message)
    except DELIVERY_ERRORS as error:
        # Mail servers repeat the address in what they say.
        logger.error("The mail server did not take an e-mail: %s", without_addresses(str(error)))


def _password_link(user: User) -> str:
    token = create_password_reset_token(user.id, user.hashed_password, user.email)
    return _link("reset-password", token)


def _link(page: str, token: str) -> str:
    return f"{settings.FRONTEND_HOST.rstrip('/')}/{page}?{urlencode({'token': token})}"


def _compose(email_to: str, subject: str, template: str, **values: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"{settings.PROJECT_NAME} - {subject}"
    message["From"] = _address(
        settings.EMAILS_FROM_EMAIL or "", settings.EMAILS_FROM_NAME or settings.PROJECT_NAME
    )
    message["To"] = _address(email_to)
    html = _templates.get_template(template).render(
        project_name=settings.PROJECT_NAME,
        email_to=email_to,
        valid_hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS,
        **values,
    )
    message.set_content(html, subtype="html")
    return message


def _address(email: str, name: str = "") -> Address:
    # In parts, since Address refuses to parse an address that is not ASCII; mail servers take it.
    username, _, domain = email.rpartition("@")
    return Address(name, username, domain)
