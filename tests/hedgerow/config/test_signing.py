"""The Python half of signing: HMAC-SHA256, in the two pieces that the database keeps."""

import hashlib
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import ConfigurationError, Identity, Role, Signing
from hedgerow.config.identity import UserId
from hedgerow.config.signing import MINIMUM_SECRET_BYTES
from tests.hedgerow.signing.support import SIGNING, message_of

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=16, max_size=200)


def assert_hmac(secret: str, message: bytes) -> None:
    inner, outer = Signing(secret).pads()
    digest = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()
    assert digest == hmac.new(secret.encode(), message, hashlib.sha256).digest()
    assert len(inner) == len(outer) == 64


@given(secret=SECRETS, message=st.binary())
def test_the_pads_make_an_hmac(secret: str, message: bytes) -> None:
    """RFC 2104, as Python's own `hmac` has it, also for keys that are longer than a block."""
    assert_hmac(secret, message)


@pytest.mark.parametrize("length", [16, 63, 64, 65, 66, 127, 128, 129])
def test_the_pads_make_an_hmac_at_the_edges_of_a_block(length: int) -> None:
    assert_hmac("k" * length, b"message")


ENCODABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    secret=SECRETS, user=ENCODABLE | st.uuids() | st.integers(), role=st.sampled_from(list(Role))
)
def test_a_signature_covers_role_time_and_user(secret: str, user: UserId, role: Role) -> None:
    signature = Signing(secret).sign(Identity(user, role))
    issued, digest = signature.split(" ")
    message = f"{role.claimed} {issued} {user}".encode()
    assert digest == hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


@given(
    user=ENCODABLE | st.integers(),
    tenant=ENCODABLE.filter(str.strip) | st.integers() | st.none(),
    claims=st.dictionaries(ENCODABLE.filter(str.strip), ENCODABLE, max_size=3),
)
def test_a_signature_covers_tenant_and_claims(
    user: UserId, tenant: UserId | None, claims: dict[str, str]
) -> None:
    """Where there are neither, it is what it was before there were any."""
    identity = Identity(user, tenant_id=tenant, claims=claims)
    issued, digest = SIGNING.sign(identity).split(" ")
    said = "" if tenant is None else str(tenant)
    claimed = json.dumps(claims, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    message = message_of("user", issued, str(user), said, claimed if claims else "")
    assert digest == hmac.new(SIGNING.secret.encode(), message, hashlib.sha256).hexdigest()


def test_a_signature_is_of_now() -> None:
    before = time.time()
    issued, _ = Signing("s" * 16).sign(Identity("somebody")).split()
    assert before - 0.001 <= float(issued) <= time.time() + 0.001


@pytest.mark.parametrize("secret", ["", "short", "x" * 15, "é" * 7])
def test_a_short_secret_is_refused_with_the_command_that_makes_one(secret: str) -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\.token_urlsafe"):
        Signing(secret)


def test_bytes_count_not_characters() -> None:
    assert Signing("é" * 8).secret.encode() == "é".encode() * 8
    assert MINIMUM_SECRET_BYTES == 16


def test_the_secret_is_in_no_representation() -> None:
    signing = Signing("the very secret secret")
    assert signing.secret not in f"{signing!r} {signing}"
