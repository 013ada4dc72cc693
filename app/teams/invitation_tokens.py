"""The token of an invitation's e-mail: for one invitation, and for one address."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.core.security import decode_token, encode_token, is_fingerprint

LIFETIME: Final = timedelta(days=7)
"""How long an invitation can be accepted."""

_AUDIENCE: Final = "team-invitation"


@dataclass(frozen=True)
class InvitationLink:
    """What a token says whose signature is right; the invitation may be gone."""

    invitation_id: UUID
    fingerprint: str

    def is_for(self, email: str) -> bool:
        """Return whether the token was sent to this address."""
        return is_fingerprint(self.fingerprint, _AUDIENCE, email)


def create_invitation_token(invitation_id: UUID, email: str) -> str:
    """Return a token with which the user of this address accepts the invitation."""
    return encode_token(_AUDIENCE, invitation_id, LIFETIME, email)


def decode_invitation_token(token: str) -> InvitationLink:
    """Return what a token says; raises jwt.InvalidTokenError for what is none."""
    return InvitationLink(*decode_token(_AUDIENCE, token))
