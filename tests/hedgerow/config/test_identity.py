"""A tenant and claims: who may have them, and what becomes of them before PostgreSQL sees them."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import pytest

from hedgerow import Identity, IdentityError, Role, RowSecurity, Signing

CLAIMS = {"org": "ü", "location": 'a "b"\\c'}
REFUSED: dict[str, Callable[[], Identity]] = {
    "must not be empty": lambda: Identity(7, tenant_id=" "),
    "tenant_id must not hold a NUL": lambda: Identity(7, tenant_id="a\0"),
    "tenant_id is no Unicode text": lambda: Identity(7, tenant_id="\ud800"),
    "needs a name": lambda: Identity(7, claims={"": "x"}),
    "'n' is no text but int": lambda: Identity(7, claims=cast(dict[str, str], {"n": 7})),
    "'n' is no text but NoneType": lambda: Identity(7, claims=cast(dict[str, str], {"n": None})),
    "'n' must not hold a NUL": lambda: Identity(7, claims={"n": "a\0"}),
    "'n' is no Unicode text": lambda: Identity.service("x", claims={"n": "\ud800"}),
    "role 'anonymous' has none": lambda: replace(Identity.anonymous(), tenant_id=7),
    "role 'sign_in' has none": lambda: replace(Identity.sign_in("x"), claims={"n": "x"}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_could_not_be_meant_is_refused(message: str) -> None:
    with pytest.raises(IdentityError, match=message):
        REFUSED[message]()


@pytest.mark.parametrize("role", [Role.USER, Role.ADMIN, Role.READ_ONLY_ADMIN, Role.SERVICE])
def test_they_become_settings_before_what_signs_them_and_what_drops_rights(role: Role) -> None:
    identity = Identity("x", role, tenant_id=0, claims=CLAIMS)
    settings = dict(RowSecurity(signing=Signing("s" * 16)).settings_for(identity))
    assert settings["app.tenant_id"] == "0"
    assert settings["app.claims"] == r'{"location":"a \"b\"\\c","org":"ü"}'
    names = list(settings)
    assert names[:6] == [
        *("row_security", "app.user_id", "app.role"),
        *("app.tenant_id", "app.claims", "app.signature"),
    ]
    assert names[6] == "role"


def test_who_has_neither_sends_what_was_sent_before() -> None:
    for identity in (Identity(7), Identity(7, tenant_id=None, claims={}), None):
        assert not {"app.tenant_id", "app.claims"} & RowSecurity().settings_for(identity).keys()


def test_identities_are_values() -> None:
    """What becomes of the caller's mapping does not matter, nor its order."""
    mine: dict[str, str] = dict(reversed(CLAIMS.items()))
    identity = Identity(7, tenant_id=3, claims=mine)
    mine["org"] = "another"
    same = Identity(7, tenant_id=3, claims=CLAIMS)
    assert identity == same
    assert len({identity, same, replace(same, tenant_id=4), replace(same, claims={})}) == 3
    pickled = pickle.loads(pickle.dumps(same))  # noqa: S301
    for copied in (deepcopy(same), pickled, replace(same)):
        assert copied == same
        assert copied.claims == CLAIMS
    with pytest.raises(TypeError, match="item assignment"):
        cast(Any, identity.claims)["org"] = "another"


def test_it_names_the_tenant_and_not_the_claims() -> None:
    identity = Identity(7, Role.ADMIN, "a reason", tenant_id=3, claims=CLAIMS)
    assert str(identity) == "admin 7 in tenant 3 (a reason)"
