"""Passwords and tokens.

Sources: RFC 7519 section 4.1.3 (`aud`: whom a token is meant for); RFC 7518 section 3.2 (an HS256
key has 256 bits or more, hence the derived key).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
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
from app.core.hashing import in_place
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
    """Hash a password with Argon2id; raises HashingBusyError."""
    return in_place(lambda: _password_hash.hash(password))


@cache
def dummy_hash() -> str:
    """Return a hash that no password matches; made at start-up, so that no sign-in waits for it."""
    return get_password_hash(secrets.token_urlsafe())


def verify_password(password: str, hashed_password: str | None) -> tuple[bool, str | None]:
    """Return whether the password is right and, if its hash is outdated, a new hash to store.

    Without a hash it takes as long, and is never right; otherwise the time would show whether an
    account exists. Raises HashingBusyError.
    """
    stored = dummy_hash() if hashed_password is None else hashed_password
    try:
        return in_place(lambda: _password_hash.verify_and_update(password, stored))
    except (UnknownHashError, UnicodeEncodeError):
        return False, None


@dataclass(frozen=True)
class AccessToken:
    """What an access token says whose signature is right; the account has the last word."""

    user_id: UUID
    fingerprint: str

    def matches(self, hashed_password: str) -> bool:
        """Return whether the account still has the password that the token was made under."""
        return is_fingerprint(self.fingerprint, _ACCESS, hashed_password)


@dataclass(frozen=True)
class ResetToken:
    """What a reset token says whose signature is right; it is not used up yet."""

    user_id: UUID
    fingerprint: str

    def matches(self, hashed_password: str, email: str) -> bool:
        """Return whether the account still has the password and the address it was made for."""
        return is_fingerprint(self.fingerprint, _RESET, hashed_password, email)


def create_access_token(subject: UUID | str, hashed_password: str) -> str:
    """Return a token that signs its bearer in as the user whose id is `subject`.

    It is bound to the current password's hash, so it ends with that password.
    """
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    return encode_token(_ACCESS, subject, lifetime, hashed_password)


def decode_access_token(token: str) -> AccessToken:
    """Return what an access token says.

    Raises jwt.InvalidTokenError for everything else: a bad signature, an expired token, one of
    another kind, one whose subject is not an id. The trap: the token may be of an earlier password
    until `matches` was asked.
    """
    return AccessToken(*decode_token(_ACCESS, token))


def create_password_reset_token(subject: UUID, hashed_password: str, email: str) -> str:
    """Return a token that lets its bearer set a new password, once.

    It is bound to the current password's hash and to the address that it is sent to: it is invalid
    once either changes.
    """
    lifetime = timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    return encode_token(_RESET, subject, lifetime, hashed_password, email)


def decode_password_reset_token(token: str) -> ResetToken:
    """Return what a reset token says.

    Raises jwt.InvalidTokenError like `decode_access_token`, and has the same trap.
    """
    return ResetToken(*decode_token(_RESET, token))


def pseudonym(name: str) -> str:
    """Return what stands for a name where it must be recognized, and not be read."""
    return _derive("pseudonym", name).hex()


def _derive(purpose: str, value: str = "") -> bytes:
    message = f"{purpose}:{value}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).digest()


def _fingerprint(audience: str, *account: str) -> str:
    """Return what a token holds of the account: nothing that tells a hash or an address."""
    # Neither a hash nor an address has a line break.
    return _derive(f"{audience}-fingerprint", "\n".join(account)).hex()


def is_fingerprint(fingerprint: str, audience: str, *account: str) -> bool:
    """Return whether a token of this audience was made under what the account says now."""
    return hmac.compare_digest(_fingerprint(audience, *account).encode(), fingerprint.encode())


def encode_token(audience: str, subject: UUID | str, lifetime: timedelta, *account: str) -> str:
    """Return a signed token about `subject`, for one use (`audience`).

    It is bound to what `account` says, which it does not hold.
    """
    payload = {
        "exp": datetime.now(UTC) + lifetime,
        "sub": str(subject),
        "aud": audience,
        "fingerprint": _fingerprint(audience, *account),
    }
    return jwt.encode(payload, _derive("token"), algorithm=ALGORITHM)


def decode_token(audience: str, token: str) -> tuple[UUID, str]:
    """Return the subject and the fingerprint of a token of this audience.

    Raises jwt.InvalidTokenError for everything else.
    """
    try:
        payload = jwt.decode(
            token,
            _derive("token"),
            algorithms=[ALGORITHM],
            audience=audience,
            options={"require": ["exp", "sub", "aud", "fingerprint"]},
        )
    except (RecursionError, UnicodeError) as error:
        # PyJWT parses the header before it checks the signature: deep nesting and lone
        # surrogates come through as these.
        raise jwt.DecodeError("malformed token") from error
    return _subject(payload), str(payload["fingerprint"])


def _subject(payload: dict[str, Any]) -> UUID:
    try:
        return TokenPayload.model_validate(payload).sub
    except ValidationError as error:
        raise jwt.InvalidTokenError("the subject is not a user id") from error
