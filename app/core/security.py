"""Passwords and tokens.

Sources: RFC 7519 section 4.1.3 (`aud`: whom a token is meant for); RFC 7518 section 3.2 (an HS256
key has 256 bits or more, hence the derived key).
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

import jwt
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import ValidationError

from app.core.config import settings
from app.models import TokenPayload

ALGORITHM: Final = "HS256"
_ACCESS: Final = "access"
_RESET: Final = "password-reset"


class _LegacyBcryptHasher(BcryptHasher):
    """Verifies hashes of older bcrypt releases, which ignored everything after byte 72."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        raw = password.encode() if isinstance(password, str) else password
        return super().verify(raw[:72], hash)


_password_hash: Final = PasswordHash((Argon2Hasher(), _LegacyBcryptHasher()))


def get_password_hash(password: str) -> str:
    """Hash a password with Argon2id."""
    return _password_hash.hash(password)


@cache
def dummy_hash() -> str:
    """Return a hash that no password matches; made at start-up, so that no sign-in waits for it."""
    return get_password_hash(secrets.token_urlsafe())


def verify_password(password: str, hashed_password: str) -> tuple[bool, str | None]:
    """Return whether the password is right and, if its hash is outdated, a new hash to store."""
    try:
        return _password_hash.verify_and_update(password, hashed_password)
    except (UnknownHashError, UnicodeEncodeError):
        return False, None


def pretend_to_verify_password(password: str) -> None:
    """Take as long as verifying; otherwise the time would show whether an account exists."""
    verify_password(password, dummy_hash())


def create_access_token(subject: UUID | str, expires_delta: timedelta) -> str:
    """Return a token that signs its bearer in as the user whose id is `subject`."""
    return _encode(_ACCESS, subject, expires_delta)


def decode_access_token(token: str) -> UUID:
    """Return the id of an access token's user.

    Raises jwt.InvalidTokenError for everything else: a bad signature, an expired token, one of
    another kind, one whose subject is not an id.
    """
    return _subject(_decode(_ACCESS, token))


def create_password_reset_token(subject: UUID, hashed_password: str) -> str:
    """Return a token that lets its bearer set a new password, once.

    It is bound to the current password's hash, so it is invalid once the password changes.
    """
    lifetime = timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    return _encode(_RESET, subject, lifetime, pwd=_fingerprint(hashed_password))


def decode_password_reset_token(token: str) -> tuple[UUID, str]:
    """Return the user's id and the fingerprint to give to `is_current_password`.

    Raises jwt.InvalidTokenError like `decode_access_token`. The trap: the token is not used up
    until the fingerprint was compared.
    """
    payload = _decode(_RESET, token, "pwd")
    return _subject(payload), str(payload["pwd"])


def is_current_password(hashed_password: str, fingerprint: str) -> bool:
    """Return whether a reset token's fingerprint belongs to this password hash."""
    return hmac.compare_digest(_fingerprint(hashed_password).encode(), fingerprint.encode())


def _derive(purpose: str, value: str = "") -> bytes:
    message = f"{purpose}:{value}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).digest()


def _fingerprint(hashed_password: str) -> str:
    return _derive("password", hashed_password).hex()


def _encode(audience: str, subject: UUID | str, lifetime: timedelta, **claims: str) -> str:
    payload = {
        "exp": datetime.now(UTC) + lifetime,
        "sub": str(subject),
        "aud": audience,
        **claims,
    }
    return jwt.encode(payload, _derive("token"), algorithm=ALGORITHM)


def _decode(audience: str, token: str, *claims: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            _derive("token"),
            algorithms=[ALGORITHM],
            audience=audience,
            options={"require": ["exp", "sub", "aud", *claims]},
        )
    except (RecursionError, UnicodeError) as error:
        # PyJWT parses the header before it checks the signature: deep nesting and lone
        # surrogates come through as these.
        raise jwt.DecodeError("malformed token") from error


def _subject(payload: dict[str, Any]) -> UUID:
    try:
        return TokenPayload.model_validate(payload).sub
    except ValidationError as error:
        raise jwt.InvalidTokenError("the subject is not a user id") from error
