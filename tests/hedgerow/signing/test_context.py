"""A tenant and claims are signed with the user: no part of one identity is another's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hedgerow import Identity, Role
from hedgerow.errors import INVALID_SIGNATURE, MISSING_IDENTITY
from tests.hedgerow.signing.support import SIGNED, apply, believed, message_of, signature
from tests.support.databases import Database
from tests.support.raw import RawConnection, connect

WORDS = ("user", "admin", "+", " ", "1", "12", "0", "é", "{}", '{"a":"b"}', "1790000000.000")
ODD = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map("".join)
"""Texts that look like other parts of what is signed."""


class Parts(NamedTuple):
    """What somebody says of themselves, beside the signature."""

    role: str
    issued: str
    user: str
    tenant: str = ""
    claims: str = ""


def readings(message: str) -> Iterator[Parts]:
    """Return all parts that make this message, whether the database would take them apart so."""
    words = message.split(" ")
    for at in range(1, len(words)):
        role, issued, rest = " ".join(words[:at]), words[at], words[at + 1 :]
        yield Parts(role, issued, " ".join(rest))
        if role.endswith("+") and len(rest) > 2 and rest[0].isdecimal() and rest[1].isdecimal():
            held = " ".join(rest[2:]).encode()
            first, second = int(rest[0]), int(rest[0]) + int(rest[1])
            texts = (held[second:], held[:first], held[first:second])
            try:
                yield Parts(role[:-1], issued, *(text.decode() for text in texts))
            except UnicodeDecodeError:
                continue


@given(
    role=st.sampled_from(["user", "admin", "service"]),
    user=ODD.filter(str.strip),
    tenant=ODD.filter(str.strip) | st.none(),
    claims=st.dictionaries(ODD.filter(str.strip), ODD, max_size=2),
)
@example(role="user", user="victim", tenant="3 2 abc", claims={})
@example(role="user", user="1 0 tvictim", tenant=None, claims={})
def test_what_is_signed_reads_in_one_way(
    role: str, user: str, tenant: str | None, claims: dict[str, str], text_ids: RawConnection
) -> None:
    """P3: the same bytes under the same signature; only where parts begin is said otherwise."""
    identity = Identity(user, Role(role), tenant_id=tenant, claims=claims)
    settings = SIGNED.settings_for(identity)
    issued, digest = settings["app.signature"].split(" ")
    said = [settings.get(name, "") for name in ("app.tenant_id", "app.claims")]
    own = Parts(role, issued, user, *said)
    message = message_of(*own).decode()
    assert own in list(readings(message))
    for parts in readings(message):
        outcome = believed(
            text_ids,
            parts.user,
            parts.role,
            f"{parts.issued} {digest}",
            tenant=parts.tenant,
            claims=parts.claims,
        )
        if parts == own:
            assert outcome == (user, role)
        else:
            assert outcome in {INVALID_SIGNATURE, MISSING_IDENTITY}, parts


@given(
    signed=st.tuples(ODD, ODD | st.just(""), ODD | st.just("")),
    shown=st.tuples(ODD, ODD | st.just(""), ODD | st.just("")),
)
@example(signed=("u", "7", "{}"), shown=("u", "8", "{}"))
@example(signed=("u", "7", "{}"), shown=("u", "", "{}"))
@example(signed=("u", "7", ""), shown=("u", "", ""))
@example(signed=("u", "", ""), shown=("u", "7", ""))
@example(signed=("u", "7", ""), shown=("u", "", "7"))
def test_a_signature_serves_one_user_in_one_tenant_with_one_text_of_claims(
    signed: tuple[str, str, str], shown: tuple[str, str, str], text_ids: RawConnection
) -> None:
    """P3: forged, exchanged, dropped and added ones."""
    user, tenant, claims = signed
    own = signature(user, "user", tenant=tenant, claims=claims)
    user, tenant, claims = shown
    outcome = believed(text_ids, user, "user", own, tenant=tenant, claims=claims)
    assert outcome == ((user, "user") if shown == signed else INVALID_SIGNATURE)


ASKED = (
    "rls.tenant_id()",
    "rls.claim('location')",
    "rls.claim('nothing')",
    "rls.claim(NULL)",
)


@pytest.mark.parametrize("signs", [True, False], ids=["signed", "plain"])
def test_policies_learn_what_the_identity_says(
    signs: bool, database: Database, plain_database: Database
) -> None:
    """A claim that is missing is an error with its name; a tenant that is missing is none."""
    security = SIGNED if signs else replace(SIGNED, signing=None)
    claims = {"location": 'a "b"\\ü', "org": ""}
    told = Identity("x", Role.SERVICE, tenant_id="7 é", claims=claims)
    with connect((database if signs else plain_database).app_url) as connection:
        answers = []
        for identity in (told, Identity("x", Role.SERVICE), None):
            apply(connection, security.settings_for(identity))
            answers.append([asked(connection, call) for call in ASKED])
            connection.rollback()
    nobody = f"{MISSING_IDENTITY} row security: this transaction carries no identity"
    lacking = f"{MISSING_IDENTITY} row security: this identity has no claim "
    nothing = [f"{lacking}'nothing'", f"{lacking}NULL"]
    assert answers == [
        ["7 é", claims["location"], *nothing],
        [None, f"{lacking}'location'", *nothing],
        [nobody] * 4,
    ]


def asked(connection: RawConnection, call: str) -> object:
    """Return what a function of schema `rls` says, or its error."""
    try:
        with connection.transaction():
            row = connection.execute(f"SELECT {call}").fetchone()
            return row[0] if row else None
    except psycopg.Error as error:
        return f"{error.sqlstate} {error.diag.message_primary}"
