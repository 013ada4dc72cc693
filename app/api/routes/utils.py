"""Routes for operators."""

from fastapi import APIRouter, Depends, HTTPException

from app import emails
from app.api.deps import get_current_active_superuser
from app.api.errors import SIGNED_IN, refusals
from app.core.config import settings
from app.core.text import Email
from app.models import Message

router = APIRouter(prefix="/utils", tags=["utils"])


@router.post(
    "/test-email/",
    dependencies=[Depends(get_current_active_superuser)],
    status_code=201,
    responses=SIGNED_IN | refusals(502),
)
def test_email(email_to: Email) -> Message:
    """Send a test e-mail, at once, to check the configuration of e-mails."""
    if not settings.emails_enabled:
        raise HTTPException(
            status_code=400,
            detail="E-mails are not configured: set SMTP_HOST and EMAILS_FROM_EMAIL",
        )
    try:
        emails.send(emails.compose_test(email_to))
    except emails.DELIVERY_ERRORS as error:
        raise HTTPException(
            status_code=502, detail=f"The mail server did not take the e-mail: {error}"
        ) from error
    return Message(message="Test email sent")


@router.get("/health-check/")
async def health_check() -> bool:
    """Return true while the application is running."""
    return True
