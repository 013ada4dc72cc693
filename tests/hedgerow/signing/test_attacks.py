"""What SQL can do that an attacker injects into user A's signed transaction: see A's rows, at most.

Each attack that signing defeats is run on a database of plain identities as well, where it works:
that is the proof that it is an attack.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hedgerow import Identity, Role
from hedgerow.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_SIGNATURE,
    MISSING_IDENTITY,
    UNRECORDED_ELEVATION,
)
from tests.hedgerow.signing.support import PLAIN, SIGNED, run_injected, session_with, signed_session
from tests.support.databases import Database
from tests.support.people import Person, add_person, remove_all_users
from tests.support.sessions import one_connection, visible

BECOME_BOB = "set_config('app.user_id', '{bob}', true)"
ADMIN = "set_config('app.role', 'admin', true)"
ITEMS = "SELECT id FROM item"
RECORDED = (
    "SELECT set_config('app.user_id', '{{bob}}', false), set_config('app.role', '{role}', false),"
    " set_config('app.elevation',"
    " rls.record_elevation('a lie', NULL, NULL, NULL, NULL)::text, false); COMMIT; "
)
"""Without its record nobody is an admin, so whoever forges one records it; Bob gets the blame."""

ADMINS = {
    f"SELECT set_config('role', 'rls_admin', true), {ADMIN}; {ITEMS}": Role.ADMIN,
    f"SET ROLE rls_admin; SELECT {ADMIN}; {ITEMS}": Role.ADMIN,
    f"SET LOCAL ROLE rls_admin; SET LOCAL app.role = 'admin'; {ITEMS}": Role.ADMIN,
    "SET LOCAL ROLE rls_read_only_admin; SET LOCAL app.role = 'read_only_admin'; "
    + ITEMS: Role.READ_ONLY_ADMIN,
}
"""Each forges an admin, of whom no elevation is recorded."""

FORGERIES = (
    # Several statements in one string.
    f"SELECT {BECOME_BOB}; {ITEMS}",
    f"SELECT set_config('app.user_id', '{{bob}}', false); {ITEMS}",
    f"SET app.user_id = '{{bob}}'; {ITEMS}",
    f"SET LOCAL app.user_id = '{{bob}}'; {ITEMS}",
    *(
        # Set LOCAL alone would do nothing between the statements that a COMMIT leaves behind.
        RECORDED.format(role=role) + "BEGIN; " + attack
        for attack, role in ADMINS.items()
    ),
    f"DO $$ BEGIN PERFORM {BECOME_BOB}; END $$; {ITEMS}",
    f"PREPARE prepared AS {ITEMS}; EXECUTE prepared; SELECT {BECOME_BOB}; EXECUTE prepared",
    f"DECLARE rows CURSOR FOR {ITEMS}; SET LOCAL app.user_id = '{{bob}}'; FETCH ALL FROM rows",
    f"SAVEPOINT s; SELECT {BECOME_BOB}; RELEASE SAVEPOINT s; {ITEMS}",
    f"SAVEPOINT s; SELECT {BECOME_BOB}; {ITEMS}",
    f"COMMIT; SET app.user_id = '{{bob}}'; SET app.role = 'user'; {ITEMS}",
    f"UPDATE item SET title = 'x'; SELECT {BECOME_BOB};"
    " UPDATE item SET title = 'seen' RETURNING id",
    f"SELECT {BECOME_BOB}; DELETE FROM item RETURNING id",
    # One statement, in which the setting is made before the identity is asked for.
    f"WITH forged AS (SELECT {BECOME_BOB}) SELECT item.id FROM forged, item",
    f"WITH forged AS MATERIALIZED (SELECT {BECOME_BOB} AS x)"
    " SELECT item.id FROM forged, item WHERE x <> ''",
    f"WITH forged AS MATERIALIZED (SELECT {BECOME_BOB} AS x)"
    " SELECT id FROM item WHERE (SELECT x FROM forged) <> ''",
    f"SELECT item.id FROM (SELECT {BECOME_BOB} AS x OFFSET 0) forged"
    " CROSS JOIN LATERAL (SELECT id FROM item WHERE forged.x <> '') item",
    f"SELECT item.id FROM (SELECT {BECOME_BOB} OFFSET 0) forged LEFT JOIN item ON true",
    f"{ITEMS} UNION ALL SELECT {BECOME_BOB}::uuid UNION ALL {ITEMS}",
    f"SELECT CASE WHEN {BECOME_BOB} <> '' THEN (SELECT max(id::text) FROM item)::uuid END",
    f"SELECT other.id FROM item, LATERAL (SELECT {BECOME_BOB} AS x) forged,"
    " LATERAL (SELECT id FROM item WHERE forged.x <> '' OFFSET 0) other",
)
"""Each makes a plain database hand out Bob's items."""

POINTLESS = (
    "RESET ROLE; " + ITEMS,
    f"SAVEPOINT s; SELECT {BECOME_BOB}; ROLLBACK TO SAVEPOINT s; {ITEMS}",
    f"SAVEPOINT s; {ITEMS}; SELECT {BECOME_BOB}; ROLLBACK TO SAVEPOINT s; {ITEMS}",
    f"{ITEMS} WHERE {BECOME_BOB} <> ''",
    f"{ITEMS} ORDER BY {BECOME_BOB}",
    f"{ITEMS} WHERE id = ANY (SELECT id FROM item WHERE {BECOME_BOB} <> '')",
    f"{ITEMS} FOR UPDATE",
    "UPDATE item SET title = 'x' RETURNING id",
    "WITH changed AS (UPDATE item SET title = 'x' RETURNING id) SELECT id FROM changed",
)
"""Each returns A's items, and those alone."""

EMPTY_HANDED = (
    "SET ROLE rls_admin; " + ITEMS,
    "SET LOCAL ROLE rls_admin; " + ITEMS,
    "SET LOCAL ROLE rls_read_only_admin; " + ITEMS,
    f"SELECT set_config('role', 'rls_admin', true); {ITEMS}",
    f"SELECT set_config('role', 'rls_admin', false); {ITEMS}",
)
"""Each takes an admin's database role, whose policies ask for an admin's signed identity."""

REFUSED = {
    "SET LOCAL ROLE rls_admin; UPDATE item SET title = 'x' RETURNING id": UNRECORDED_ELEVATION,
    "SET LOCAL ROLE rls_admin; DELETE FROM item RETURNING id": UNRECORDED_ELEVATION,
    "SET SESSION AUTHORIZATION postgres": INSUFFICIENT_PRIVILEGE,
    "SET SESSION AUTHORIZATION rls_admin": INSUFFICIENT_PRIVILEGE,
    "SET SESSION AUTHORIZATION rls_maintenance_admin": INSUFFICIENT_PRIVILEGE,
    "SET ROLE rls_maintenance_admin": INSUFFICIENT_PRIVILEGE,
    "SET ROLE postgres": INSUFFICIENT_PRIVILEGE,
    "SELECT set_config('role', 'postgres', true)": INSUFFICIENT_PRIVILEGE,
    "GRANT rls_admin TO rls_app_user": INSUFFICIENT_PRIVILEGE,
    f"SET row_security = off; {ITEMS}": INSUFFICIENT_PRIVILEGE,
    "DROP POLICY item_owner_select ON item": INSUFFICIENT_PRIVILEGE,
    "CREATE POLICY all_users ON item USING (true)": INSUFFICIENT_PRIVILEGE,
    "ALTER TABLE item DISABLE ROW LEVEL SECURITY": INSUFFICIENT_PRIVILEGE,
    "ALTER TABLE item OWNER TO rls_app_user": INSUFFICIENT_PRIVILEGE,
    "TRUNCATE item": INSUFFICIENT_PRIVILEGE,
    "COPY item TO '/dev/null'": INSUFFICIENT_PRIVILEGE,
    "COPY item TO PROGRAM 'true'": INSUFFICIENT_PRIVILEGE,
    "CREATE FUNCTION rls.sign() RETURNS text LANGUAGE sql AS 'SELECT 1'": INSUFFICIENT_PRIVILEGE,
    "CREATE TABLE rls.key (id int)": INSUFFICIENT_PRIVILEGE,
    "ALTER FUNCTION rls.verify_identity() SECURITY INVOKER": INSUFFICIENT_PRIVILEGE,
    "DROP FUNCTION rls.verify_identity() CASCADE": INSUFFICIENT_PRIVILEGE,
    "ALTER DATABASE postgres SET app.role = 'admin'": INSUFFICIENT_PRIVILEGE,
    "DISCARD ALL": "25001",  # not inside a transaction
    f"RESET ALL; {ITEMS}": MISSING_IDENTITY,
    f"RESET app.user_id; {ITEMS}": MISSING_IDENTITY,
    f"RESET app.role; {ITEMS}": MISSING_IDENTITY,
    f"RESET app.signature; {ITEMS}": INVALID_SIGNATURE,
    f"COMMIT; {ITEMS}": MISSING_IDENTITY,
    f"ROLLBACK; {ITEMS}": MISSING_IDENTITY,
}


@pytest.fixture
def session(pool: Engine, alice: Person, bob: Person) -> Iterator[Session]:
    """Yield Alice's signed session; its connection is thrown away after the attack."""
    with signed_session(pool, alice) as session:
        yield session
        session.invalidate()


@pytest.fixture
def plain_pool(plain_database: Database) -> Iterator[Engine]:
    engine = one_connection(plain_database)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("attack", FORGERIES)
def test_a_forged_identity_is_refused(
    attack: str, session: Session, alice: Person, bob: Person
) -> None:
    """P3, P4."""
    seen, sqlstate = run_injected(session, attack.format(bob=bob.id))
    assert sqlstate == INVALID_SIGNATURE
    # What came before the forgery in the same string may have shown Alice's own.
    assert seen <= {*alice.items, bob.id}


@pytest.mark.parametrize("attack", FORGERIES)
def test_without_signatures_the_forgery_works(
    attack: str, plain_pool: Engine, plain_database: Database
) -> None:
    """P3, P4: the negative control."""
    remove_all_users(plain_database)
    alice, bob = add_person(plain_database, "alice"), add_person(plain_database, "bob")
    with session_with(plain_pool, alice, PLAIN) as session:
        seen, sqlstate = run_injected(session, attack.format(bob=bob.id))
        session.invalidate()
    assert sqlstate is None
    assert seen & set(bob.items)


@pytest.mark.parametrize("attack", ADMINS)
def test_an_admin_who_is_forged_and_not_recorded_is_refused(
    attack: str, session: Session, plain_pool: Engine, alice: Person
) -> None:
    """P4: by its signature, and where nobody signs by its missing record."""
    assert run_injected(session, attack) == (set(), INVALID_SIGNATURE)
    with session_with(plain_pool, alice, PLAIN) as plain:
        seen, sqlstate = run_injected(plain, attack)
        plain.invalidate()
    assert (seen, sqlstate) == (set(), UNRECORDED_ELEVATION)


@pytest.mark.parametrize("attack", POINTLESS)
def test_an_attack_shows_no_more_than_the_victims_rows(
    attack: str, session: Session, alice: Person, bob: Person
) -> None:
    """P14."""
    assert run_injected(session, attack.format(bob=bob.id)) == (set(alice.items), None)


@pytest.mark.parametrize("attack", EMPTY_HANDED)
def test_an_admins_database_role_alone_shows_nothing(attack: str, session: Session) -> None:
    """P2, P4."""
    assert run_injected(session, attack) == (set(), None)


@pytest.mark.parametrize("attack", REFUSED)
@pytest.mark.usefixtures("may_run_ddl")
def test_an_attack_is_refused(attack: str, session: Session) -> None:
    seen, sqlstate = run_injected(session, attack)
    assert sqlstate == REFUSED[attack]
    assert seen == set()


def test_discard_all_leaves_nobody(pool: Engine, alice: Person) -> None:
    with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name, value in SIGNED.settings_for(Identity(alice.id)).items():
            connection.execute(select(func.set_config(name, value, False)))
        assert connection.scalar(text("SELECT count(*) FROM item")) == len(alice.items)
        connection.execute(text("DISCARD ALL"))
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text(ITEMS))
    assert getattr(caught.value.orig, "sqlstate", None) == MISSING_IDENTITY


def test_what_an_attack_committed_ends_with_the_next_identity(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """P11: settings that injected SQL makes for the connection do not reach the next request."""
    with signed_session(pool, alice) as session:
        run_injected(
            session,
            "SELECT set_config(name, current_setting(name), false) FROM unnest("
            "ARRAY['app.user_id', 'app.role', 'app.signature']) name;"
            " SET ROLE rls_admin; COMMIT",
        )
    with signed_session(pool, bob) as session:
        assert visible(session) == set(bob.items)
        assert session.scalar(text("SELECT current_user")) == "rls_app_user"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.READ_ONLY_ADMIN])
def test_a_signed_admin_still_sees_everything(
    role: Role, pool: Engine, alice: Person, bob: Person
) -> None:
    """Guards the tests above against a database that shows nobody anything."""
    with signed_session(pool, alice, role) as session:
        assert visible(session) == {*alice.items, *bob.items}
