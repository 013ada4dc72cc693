"""What a member tries, with one statement as the application's role, to be more than that."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import URL

from hedgerow import Identity
from hedgerow.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_SIGNATURE,
    LAST_OWNER,
    MISSING_IDENTITY,
)
from tests.hedgerow.signing.support import PLAIN, SIGNED
from tests.hedgerow.tenants.firm import database_of, firm_for
from tests.hedgerow.tenants.stage import (
    ANN,
    BEN,
    ED,
    EVE,
    NEW,
    VIC,
    A,
    B,
    C,
    Outcome,
    Stage,
    run,
)
from tests.support.raw import connect

DOCUMENTS = "SELECT id FROM document ORDER BY id"


@pytest.fixture(scope="module")
def signed(server: URL) -> Iterator[Stage]:
    firm = firm_for(SIGNED)
    with database_of(server, firm, SIGNED) as database:
        yield Stage(database, firm, SIGNED)


@pytest.fixture(scope="module")
def plain(server: URL) -> Iterator[Stage]:
    """Yield the stage for negative controls: whoever may run SQL takes any identity there."""
    firm = firm_for(PLAIN)
    with database_of(server, firm, PLAIN) as database:
        yield Stage(database, firm, PLAIN)


IN_B = "set_config('app.tenant_id', '{B}', true)"
IN_NONE = "set_config('app.tenant_id', '', true)"
AS_ANN = "set_config('app.user_id', '{ann}', true)"
FORGERIES: list[tuple[str, list[int]]] = [
    # Ed is bound to team A. The second part is what he reads where identities are plain.
    (f"SELECT id FROM {IN_B} AS forged, document", [2]),
    (f"WITH f AS MATERIALIZED (SELECT {IN_B}) SELECT id FROM f, document", [2]),
    (f"SELECT id FROM document WHERE (SELECT {IN_B}) <> '' AND id > 0", [2]),
    (f"SELECT id FROM {IN_NONE} AS dropped, document ORDER BY id", [1, 2]),
    (f"SELECT d.id FROM tag, LATERAL (SELECT {IN_B} FROM (SELECT tag.id) x) f, document d", [2]),
    (f"SELECT id FROM {AS_ANN} AS forged, ledger", [1]),
    ("SELECT id FROM set_config('app.claims', '{\"org\":\"3\"}', true) AS forged, lead", [3]),
    ("SELECT id FROM set_config('app.claims', '', true) AS dropped, document", [1]),
]
IN_A = Identity(ED, tenant_id=A, claims={"org": "1"})


@pytest.mark.parametrize("forgery", [one for one, _ in FORGERIES])
def test_a_tenant_is_not_forged(signed: Stage, forgery: str) -> None:
    """P3: the signature covers the tenant and the claims, and is verified where they are read."""
    assert signed.perform(IN_A, forgery) == INVALID_SIGNATURE


@pytest.mark.parametrize(("forgery", "read"), FORGERIES)
def test_without_signing_it_is(plain: Stage, forgery: str, read: list[int]) -> None:
    """The negative control."""
    assert plain.perform(IN_A, forgery) == read


def test_a_signature_for_one_tenant_serves_no_other(signed: Stage) -> None:
    """Nor one for a tenant where none is named, nor the other way round."""
    settings = signed.row_security.settings_for
    for signed_for, claimed in ((A, B), (A, None), (None, A)):
        signature = settings(Identity(ED, tenant_id=signed_for))["app.signature"]
        wanted = {**settings(Identity(ED, tenant_id=claimed)), "app.signature": signature}
        with connect(signed.database.app_url) as connection:
            for name, value in wanted.items():
                connection.execute("SELECT set_config(%s, %s, true)", [name, value])
            assert run(connection, DOCUMENTS) == INVALID_SIGNATURE


def test_a_token_that_names_a_foreign_tenant_sees_nothing(signed: Stage) -> None:
    """The database decides who is a member, whatever the application has signed."""
    for tenant in (A, B, NEW):
        for table in ("team", "membership", "document", "note"):
            asked = f"SELECT 1 FROM {table}"
            assert signed.perform(Identity(EVE, tenant_id=tenant), asked) == []
            assert signed.perform(Identity(EVE, tenant_id=C), asked) == [1]


BY_WHOM: dict[str, UUID] = {"ann": ANN, "ben": BEN, "ed": ED, "vic": VIC, "eve": EVE}
REFUSED = INSUFFICIENT_PRIVILEGE
ATTACKS: list[tuple[str, str, Outcome]] = [
    # Nobody is made a member: not Eve, and not a victim whose profile she would see then.
    ("eve", "INSERT INTO membership VALUES ('{A}', '{eve}', 'viewer')", REFUSED),
    ("eve", "INSERT INTO membership VALUES ('{C}', '{ann}', 'viewer')", REFUSED),
    ("vic", "INSERT INTO membership VALUES ('{A}', '{vic}', 'owner')"
     " ON CONFLICT (team_id, user_id) DO UPDATE SET role = 'owner'", REFUSED),
    ("eve", "MERGE INTO membership m USING (VALUES ('{A}'::uuid)) AS a (id) ON m.team_id = a.id"
     " WHEN NOT MATCHED THEN INSERT VALUES (a.id, '{eve}', 'owner')", REFUSED),
    ("eve", "WITH new AS (INSERT INTO team (id) VALUES ('{new}') RETURNING id)"
     " INSERT INTO membership SELECT id, '{ann}', 'viewer' FROM new", REFUSED),
    ("eve", "COPY membership FROM STDIN", REFUSED),
    ("eve", "TRUNCATE membership", REFUSED),
    ("eve", "UPDATE membership SET user_id = '{ann}'", REFUSED),
    ("eve", "UPDATE membership SET team_id = '{A}'", REFUSED),
    # Nobody promotes himself; an admin makes no owner, and touches none.
    ("vic", "UPDATE membership SET role = 'owner' WHERE user_id = '{vic}'", 0),
    ("vic", "UPDATE membership SET role = 'owner'", 0),
    ("vic", "MERGE INTO membership m USING (VALUES ('{vic}'::uuid)) AS me (id) ON m.user_id = me.id"
     " WHEN MATCHED THEN UPDATE SET role = 'owner'", REFUSED),
    ("ed", "UPDATE membership SET role = 'owner' WHERE team_id = '{A}'", 0),
    ("ben", "UPDATE membership SET role = 'owner' WHERE user_id = '{ben}'", 0),
    ("ben", "UPDATE membership SET role = 'owner' WHERE user_id = '{vic}'", REFUSED),
    ("ben", "UPDATE membership SET role = 'viewer' WHERE user_id = '{ann}'", 0),
    ("ben", "DELETE FROM membership WHERE user_id = '{ann}'", 0),
    ("ann", "DELETE FROM membership WHERE user_id = '{ann}'", LAST_OWNER),
    ("ann", "UPDATE membership SET role = 'admin' WHERE user_id = '{ann}'", LAST_OWNER),
    ("ann", "DELETE FROM membership", LAST_OWNER),
    # A tenant is its owners' to delete; its key stays, and is nobody else's to take.
    ("ben", "DELETE FROM team", 0),
    ("eve", "DELETE FROM team WHERE id = '{A}'", 0),
    ("eve", "DELETE FROM team USING document WHERE team.id <> '{C}'", 0),
    ("ann", "UPDATE team SET id = '{new}'", REFUSED),
    ("eve", "INSERT INTO team (id) VALUES ('{A}')", REFUSED),
    ("eve", "INSERT INTO team (id) VALUES ('{A}') ON CONFLICT DO NOTHING RETURNING id", REFUSED),
    ("eve", "INSERT INTO team (id) VALUES ('{A}') ON CONFLICT (id) DO UPDATE SET title = 'x'",
     REFUSED),
    # A note of a founding shows no tenant that is there.
    ("eve", "SELECT title FROM set_config('app.founded', '{A}', true) AS f, team", ["title 3"]),
    # Nor does a forged role make one that nobody owns.
    ("eve", "INSERT INTO team (id) VALUES ('{new}') RETURNING set_config('app.role', 'x', true)",
     INVALID_SIGNATURE),
    ("eve", "INSERT INTO team (id) VALUES ('{new}') RETURNING set_config('app.role', '', true)",
     MISSING_IDENTITY),
    # A row stays in its tenant: who writes it there, and owns another, may not take it away.
    ("ed", "UPDATE document SET team_id = '{B}' WHERE id = 1", REFUSED),
    ("ed", "INSERT INTO document (id, team_id) VALUES (1, '{A}')"
     " ON CONFLICT (id) DO UPDATE SET team_id = '{B}'", REFUSED),
    ("ed", "MERGE INTO document d USING (VALUES (1)) AS one (id) ON d.id = one.id"
     " WHEN MATCHED THEN UPDATE SET team_id = '{B}'", REFUSED),
    ("ed", "DELETE FROM document WHERE id = 1", 0),
    ("eve", "INSERT INTO document (id, team_id) VALUES (1, '{C}')"
     " ON CONFLICT (id) DO UPDATE SET title = 'x'", REFUSED),
    ("eve", "INSERT INTO document (id, team_id) VALUES (1, '{C}') ON CONFLICT DO NOTHING", 0),
    ("eve", "UPDATE comment SET document_id = 1", REFUSED),
    ("eve", "INSERT INTO document_tag VALUES (3, 1)", REFUSED),
    ("vic", "INSERT INTO document (id, team_id) VALUES (9, '{A}')", REFUSED),
    ("vic", "COPY document FROM STDIN", "0A000"),
    ("vic", "UPDATE note SET title = 'x'", 0),
    ("ann", "UPDATE note SET author_id = '{vic}'", REFUSED),
    # Nobody locks what he does not write.
    ("vic", "SELECT id FROM document FOR UPDATE", []),
    ("vic", "SELECT id FROM document FOR KEY SHARE", []),
    ("vic", "SELECT id FROM team FOR SHARE", []),
    ("vic", "SELECT role FROM membership FOR UPDATE", []),
    ("ben", "SELECT user_id FROM membership WHERE role = 'owner' FOR UPDATE", []),
    # The functions tell a user of the user's own, whatever they are given.
    ("eve", "SELECT unnest(rls.tenants(NULL))", [C]),
    ("eve", "SELECT unnest(rls.tenants(ARRAY['owner', 'admin', 'editor', 'viewer', NULL]))", [C]),
    ("eve", "SELECT unnest(rls.tenants(ARRAY[['owner'], ['viewer']]))", [C]),
    ("eve", "SELECT unnest(rls.tenants('{}'))", []),
    ("eve", "SELECT unnest(rls.co_members())", [EVE]),
    ("eve", "SELECT rls.founded()", [None]),
    ("eve", "SELECT rls.claim(NULL)", MISSING_IDENTITY),
    ("eve", "SELECT rls.found_tenant()", REFUSED),
    ("eve", "SELECT rls.note_founding()", REFUSED),
    ("eve", "SELECT rls.keep_an_owner()", REFUSED),
    ("ann", "SELECT set_config('session_replication_role', 'replica', true)", REFUSED),
    # No condition of the reader's own is asked of rows that are hidden; nor does EXPLAIN run one.
    ("eve", "SELECT id FROM document WHERE 1 / (id - 1) > 0", []),
    ("eve", "SELECT id FROM team WHERE 1 / (right(title, 1)::int - 1) > 0", []),
    ("eve", "COPY (SELECT title FROM ledger) TO STDOUT", ["title 3\n"]),
    ("eve", "SELECT id FROM set_config('search_path', 'pg_temp', true) AS s, public.document", [3]),
    ("eve", "SELECT id FROM set_config('row_security', 'off', true) AS s, document", [3]),
]  # fmt: skip


@pytest.mark.parametrize(("who", "statement", "outcome"), ATTACKS)
def test_nobody_is_more_than_a_member(
    signed: Stage, who: str, statement: str, outcome: Outcome
) -> None:
    """P26, P27, P29, P30, P51: and nothing that is stored has changed."""
    assert signed.perform(Identity(BY_WHOM[who]), statement) == outcome
    signed.assert_unchanged()


@pytest.mark.parametrize(
    ("who", "statement", "hidden", "missing"),
    [
        # Eve is not of team A; Ed writes documents of it, and does not read its ledger.
        ("eve", "INSERT INTO document (id, team_id) VALUES (9, '%s')", A, NEW),
        ("eve", "INSERT INTO comment (id, document_id) VALUES (9, %s)", 1, 77),
        ("eve", "UPDATE comment SET document_id = %s", 1, 77),
        ("ed", "UPDATE document SET ledger_id = %s WHERE id = 1", 1, 77),
        ("ed", "INSERT INTO document (id, team_id, ledger_id) VALUES (9, '{A}', %s)", 3, 77),
    ],
)
def test_a_key_tells_nothing_of_another_tenant(
    signed: Stage, who: str, statement: str, hidden: object, missing: object
) -> None:
    """P31, P51: what is hidden is refused like what does not exist, to the last field."""
    refusals = [
        signed.refusal(Identity(BY_WHOM[who]), statement % key) for key in (hidden, missing)
    ]
    assert refusals[0] == refusals[1]
    signed.assert_unchanged()


def test_temporary_tables_take_nobodys_place(signed: Stage) -> None:
    """P7, P57: the functions name their tables, with the schema; DDL is refused besides."""
    forged = "CREATE TEMPORARY TABLE membership ON COMMIT DROP AS SELECT * FROM (VALUES"
    forged += " ('{A}'::uuid, '{eve}'::uuid, 'owner', NULL)) AS m (team_id, user_id, role, title)"
    shadow = "SELECT set_config('search_path', 'pg_temp, public', true)"
    assert signed.perform(Identity(EVE), forged, shadow, DOCUMENTS) == [3]
    away = "CREATE TEMPORARY TABLE team ON COMMIT DROP AS SELECT NULL::uuid AS id"
    gone = "DELETE FROM public.membership"
    assert signed.perform(Identity(EVE), away, shadow, gone) == LAST_OWNER
    signed.assert_unchanged()
