"""Passwords and tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from app.core import security
from app.core.config import settings


@pytest.fixture
def user_id() -> UUID:
    return uuid4()


@pytest.mark.parametrize("password", ["a quiet hedge", "ünï🌿", "x" * 128, "p" * 71 + "é"])
def test_a_password_is_verified_against_its_hash_and_no_other(password: str) -> None:
    hashed = security.get_password_hash(password)
    assert hashed.startswith("$argon2id$")
    assert security.verify_password(password, hashed) == (True, None)
    assert security.verify_password(password + "x", hashed) == (False, None)


def test_two_hashes_of_one_password_differ() -> None:
    hashes = {security.get_password_hash("a quiet hedge") for _ in range(2)}
    assert len(hashes) == 2


def test_a_bcrypt_hash_is_verified_and_replaced() -> None:
    old = BcryptHasher(rounds=4).hash("a quiet hedge")
    is_right, better = security.verify_password("a quiet hedge", old)
    assert is_right
    assert better is not None
    assert security.verify_password("a quiet hedge", better) == (True, None)
    assert security.verify_password("a loud hedge", old) == (False, None)


def test_a_long_password_is_verified_as_older_bcrypt_did() -> None:
    old = BcryptHasher(rounds=4).hash("p" * 72)
    assert security.verify_password("p" * 100, old)[0] is True


def test_a_weak_argon2_hash_is_replaced() -> None:
    weak = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash("a quiet hedge")
    is_right, better = security.verify_password("a quiet hedge", weak)
    assert is_right
    assert better is not None


@pytest.mark.parametrize("hashed", ["", "none", "$argon2id$", "$2b$", "plain text"])
def test_what_is_no_hash_lets_nobody_in(hashed: str) -> None:
    assert security.verify_password("a quiet hedge", hashed) == (False, None)


def test_a_password_that_cannot_be_encoded_is_wrong() -> None:
    hashed = security.get_password_hash("a quiet hedge")
    assert security.verify_password("\ud800", hashed) == (False, None)


def test_an_access_token_gives_back_the_user_and_knows_the_password(user_id: UUID) -> None:
    token = security.decode_access_token(security.create_access_token(user_id, "the old hash"))
    assert token.user_id == user_id
    assert token.matches("the old hash")
    assert not token.matches("the new hash")


def test_a_reset_token_knows_the_password_and_the_address(user_id: UUID) -> None:
    text = security.create_password_reset_token(user_id, "the old hash", "a@example.com")
    token = security.decode_password_reset_token(text)
    assert token.user_id == user_id
    assert token.matches("the old hash", "a@example.com")
    assert not token.matches("the new hash", "a@example.com")
    assert not token.matches("the old hash", "b@example.com")


def test_neither_token_tells_what_it_is_bound_to(user_id: UUID) -> None:
    for token in (
        security.create_access_token(user_id, "the old hash"),
        security.create_password_reset_token(user_id, "the old hash", "a@example.com"),
    ):
        told = str(jwt.decode(token, options={"verify_signature": False}))
        assert "hash" not in told
        assert "example" not in told


def test_neither_token_is_the_other(user_id: UUID) -> None:
    with pytest.raises(jwt.InvalidAudienceError):
        security.decode_access_token(security.create_password_reset_token(user_id, "hash", "a@b"))
    with pytest.raises(jwt.InvalidAudienceError):
        security.decode_password_reset_token(security.create_access_token(user_id, "hash"))


def test_an_expired_token_is_refused(user_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ACCESS_TOKEN_EXPIRE_MINUTES", -1)
    with pytest.raises(jwt.ExpiredSignatureError):
        security.decode_access_token(security.create_access_token(user_id, "hash"))


@pytest.mark.parametrize("token", ["", "..", "a.b.c", "\ud800.a.b", "é.a.b", "\x00"])
def test_what_is_no_token_is_refused_as_one(token: str) -> None:
    with pytest.raises(jwt.InvalidTokenError):
        security.decode_access_token(token)
    with pytest.raises(jwt.InvalidTokenError):
        security.decode_password_reset_token(token)


def test_a_token_of_another_key_is_refused(user_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    token = security.create_access_token(user_id, "hash")
    monkeypatch.setattr(settings, "SECRET_KEY", "another key")
    with pytest.raises(jwt.InvalidSignatureError):
        security.decode_access_token(token)


def claims(user_id: UUID, **others: Any) -> dict[str, Any]:
    expires = datetime.now(UTC) + timedelta(hours=1)
    return {"exp": expires, "sub": str(user_id), "aud": "access", "fingerprint": "f", **others}


def signed(payload: dict[str, Any]) -> str:
    """Return what our own key signs, whatever it says."""
    return jwt.encode(payload, security._derive("token"), algorithm=security.ALGORITHM)


def test_a_token_without_signature_is_refused(user_id: UUID) -> None:
    with pytest.raises(jwt.InvalidTokenError):
        security.decode_access_token(jwt.encode(claims(user_id), None, algorithm="none"))


@pytest.mark.parametrize("missing", ["exp", "sub", "aud", "fingerprint"])
def test_a_token_that_lacks_a_claim_is_refused(user_id: UUID, missing: str) -> None:
    payload = claims(user_id)
    assert security.decode_access_token(signed(payload)).user_id == user_id
    del payload[missing]
    with pytest.raises(jwt.MissingRequiredClaimError):
        security.decode_access_token(signed(payload))


@pytest.mark.parametrize("subject", ["", "1", "x" * 36, "\x00"])
def test_a_subject_that_is_no_id_is_refused(user_id: UUID, subject: str) -> None:
    with pytest.raises(jwt.InvalidTokenError):
        security.decode_access_token(signed(claims(user_id, sub=subject)))
