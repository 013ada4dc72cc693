"""An attacker who may create objects: nothing of theirs takes the place of what verifies.

By default the application role may create nothing. Here DDL is not refused to it, it may create in
`public` too, and puts its own schema first in the path.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import text

from hedgerow.errors import INVALID_SIGNATURE
from tests.hedgerow.signing.support import claim, sign_in, signature
from tests.support.databases import Database
from tests.support.ddl import allow_ddl
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, connect, visible_items

OWN_SECRET = "the attacker's own secret"

SHADOWS = (
    "CREATE FUNCTION {s}.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT 'same'::bytea $$",
    "CREATE FUNCTION {s}.convert_to(text, name) RETURNS bytea LANGUAGE sql"
    " AS $$ SELECT 'same'::bytea $$",
    "CREATE FUNCTION {s}.encode(bytea, text) RETURNS text LANGUAGE sql AS $$ SELECT 'same' $$",
    "CREATE FUNCTION {s}.split_part(text, text, integer) RETURNS text LANGUAGE sql"
    " AS $$ SELECT 'same' $$",
    "CREATE FUNCTION {s}.always(bytea, bytea) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;"
    "CREATE OPERATOR {s}.= (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = {s}.always)",
    "CREATE FUNCTION {s}.equal(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;"
    "CREATE OPERATOR {s}.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = {s}.equal)",
    "CREATE FUNCTION {s}.alike(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;"
    "CREATE OPERATOR {s}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = {s}.alike)",
    "CREATE FUNCTION {s}.join(bytea, bytea) RETURNS bytea LANGUAGE sql"
    " AS $$ SELECT 'same'::bytea $$;"
    "CREATE OPERATOR {s}.|| (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = {s}.join)",
    "CREATE FUNCTION {s}.current_setting(text, boolean) RETURNS text LANGUAGE sql"
    " AS $$ SELECT '{bob}' $$",
    "CREATE FUNCTION {s}.transaction_timestamp() RETURNS timestamptz LANGUAGE sql"
    " AS $$ SELECT 'epoch'::timestamptz $$",
    "CREATE FUNCTION {s}.to_timestamp(double precision) RETURNS timestamptz LANGUAGE sql"
    " AS $$ SELECT now() $$",
    "CREATE TABLE {s}.signing_key (inner_pad bytea, outer_pad bytea, max_age interval,"
    " retires_at timestamptz);"
    "INSERT INTO {s}.signing_key VALUES ('', '', '100 years')",
    "CREATE DOMAIN {s}.text AS pg_catalog.text DEFAULT '{bob}'",
    "CREATE DOMAIN {s}.bytea AS pg_catalog.bytea",
    "CREATE DOMAIN {s}.uuid AS pg_catalog.uuid DEFAULT '{bob}'",
    "CREATE FUNCTION {s}.user_id() RETURNS uuid LANGUAGE sql AS $$ SELECT '{bob}'::uuid $$",
    "CREATE FUNCTION {s}.verify_identity() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
)
PLACES = {
    "public": "SET search_path = public, pg_catalog, pg_temp",
    "pg_temp": "SET search_path = pg_temp, public, pg_catalog",
}


@dataclass(frozen=True)
class Crowd:
    database: Database
    alice: Person
    bob: Person


@pytest.fixture
def crowd(fresh_signed_database: Database) -> Crowd:
    """Return two people in a database where the application role may create in `public`."""
    with fresh_signed_database.as_owner() as owner:
        owner.execute(text("GRANT CREATE ON SCHEMA public TO rls_app_user"))
    allow_ddl(fresh_signed_database)
    return Crowd(
        fresh_signed_database,
        add_person(fresh_signed_database, "alice"),
        add_person(fresh_signed_database, "bob"),
    )


@pytest.fixture
def attacker(crowd: Crowd) -> Iterator[RawConnection]:
    with connect(crowd.database.app_url) as connection:
        yield connection


@pytest.mark.parametrize("place", PLACES)
def test_nothing_shadows_what_verifies(place: str, attacker: RawConnection, crowd: Crowd) -> None:
    """P7: every shadow there is, one by one; each is undone before the next."""
    for shadow in SHADOWS:
        with attacker.transaction(force_rollback=True):
            sign_in(attacker, crowd.alice)
            attacker.execute(PLACES[place])
            attacker.execute(shadow.format(s=place, bob=crowd.bob.id))
            assert visible_items(attacker) == set(crowd.alice.items), shadow
        for forged in ("same", "same same", signature(crowd.bob.id, "user", secret=OWN_SECRET)):
            attacker.execute(shadow.format(s=place, bob=crowd.bob.id))
            claim(attacker, crowd.bob.id, "user", forged)
            attacker.execute(PLACES[place])
            with pytest.raises(psycopg.Error) as caught:
                visible_items(attacker)
            attacker.rollback()
            assert caught.value.sqlstate == INVALID_SIGNATURE, shadow


def test_a_path_of_the_callers_would_let_a_shadow_verify(
    attacker: RawConnection, crowd: Crowd
) -> None:
    """P7, the negative control: without a search_path of its own the check believes anything."""
    with crowd.database.as_owner() as owner:
        owner.execute(text("ALTER FUNCTION rls.user_id() RESET search_path"))
    attacker.execute(SHADOWS[4].format(s="public"))
    attacker.execute(PLACES["public"])
    # The shadow's check of time comes next: a time is all that a forger needs.
    claim(attacker, crowd.bob.id, "user", signature(crowd.bob.id, "user", secret=OWN_SECRET))
    assert visible_items(attacker) == set(crowd.bob.items)


def test_a_security_definer_function_of_ones_own_sees_ones_own(
    attacker: RawConnection, crowd: Crowd
) -> None:
    """P7: it runs as the application role, whose policies hold inside it as well."""
    sign_in(attacker, crowd.alice)
    attacker.execute(
        "CREATE FUNCTION public.peek() RETURNS SETOF uuid LANGUAGE sql SECURITY DEFINER"
        " AS $$ SELECT id FROM item $$"
    )
    seen = {item for (item,) in attacker.execute("SELECT public.peek()")}
    assert seen == set(crowd.alice.items)
    attacker.execute("SET LOCAL ROLE rls_admin")
    seen = {item for (item,) in attacker.execute("SELECT public.peek()")}
    assert seen == set(crowd.alice.items)


def test_a_view_of_ones_own_sees_ones_own(attacker: RawConnection, crowd: Crowd) -> None:
    """P5."""
    sign_in(attacker, crowd.alice)
    attacker.execute("CREATE VIEW public.peek AS SELECT id FROM item")
    assert {item for (item,) in attacker.execute("SELECT id FROM peek")} == set(crowd.alice.items)


def test_a_function_that_tells_is_shown_no_hidden_row(
    attacker: RawConnection, crowd: Crowd
) -> None:
    """A function that costs nothing is still called after the policy: it is not leakproof."""
    told: list[str] = []
    attacker.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    sign_in(attacker, crowd.alice)
    attacker.execute(
        "CREATE FUNCTION public.tell(title text) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE '%', title; RETURN true; END $$"
    )
    attacker.execute("SELECT count(*) FROM item WHERE public.tell(title)")
    assert sorted(told) == ["alice's item 0", "alice's item 1"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        attacker.execute("ALTER FUNCTION public.tell(text) LEAKPROOF")
