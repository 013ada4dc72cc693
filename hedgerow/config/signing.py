"""Sign identities, so that SQL which an attacker injects cannot make one up.

HMAC-SHA256 (RFC 2104) over role, time of issue and user, and over tenant and claims where there are
any. The application signs in Python; the functions of schema `rls` verify with core PostgreSQL
alone. There is no function in the database that signs.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from datetime import timedelta

from hedgerow.config.identity import CONTEXT_SETTINGS, Identity
from hedgerow.errors import ConfigurationError

_BLOCK = 64  # bytes that SHA-256 works on at once
MINIMUM_SECRET_BYTES = 16


@dataclass(frozen=True)
class Signing:
    """The secret that the application shares with the database, and how long signatures hold.

    `max_age` is how far the time of issue may lie before the transaction's start, or after the
    server's clock: wide enough for clocks that differ. `rotation` is how long the database goes on
    accepting a former secret after `alembic upgrade head` has brought a new one.
    """

    secret: str = field(repr=False)
    max_age: timedelta = timedelta(minutes=5)
    rotation: timedelta = timedelta(days=1)

    def __post_init__(self) -> None:
        if len(self.secret.encode()) < MINIMUM_SECRET_BYTES:
            raise ConfigurationError(
                f"The signing secret needs {MINIMUM_SECRET_BYTES} bytes or more: make one with"
                " `python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
            )

    def sign(self, identity: Identity) -> str:
        """Return the signature with which the database accepts `identity`, issued now."""
        issued = f"{time.time():.3f}"
        message = _message(identity, issued)
        return f"{issued} {hmac.digest(self.secret.encode(), message, 'sha256').hex()}"

    def pads(self) -> tuple[bytes, bytes]:
        """Return the key XOR-ed with HMAC's inner and outer pad, as the database keeps it.

        With them `sha256(outer || sha256(inner || message))` is the HMAC, and PostgreSQL, which has
        no XOR for bytea, needs none.
        """
        key = self.secret.encode()
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)


def _message(identity: Identity, issued: str) -> bytes:
    """Return what is signed: one text for one identity.

    Role and time hold no space, so the parts cannot be shifted into one another. The role of who
    has a tenant or claims ends with a plus sign, which no role holds; those two begin and end where
    their lengths in bytes say.
    """
    role, user = identity.role.claimed, str(identity.user_id).encode()
    if not (context := identity.context):
        return f"{role} {issued} ".encode() + user
    tenant, claims = (context.get(name, "").encode() for name in CONTEXT_SETTINGS)
    lengths = f"{role}+ {issued} {len(tenant)} {len(claims)} "
    return lengths.encode() + tenant + claims + user
