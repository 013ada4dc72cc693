"""The table of accounts, attacked: whoever takes it over has all other tables (P52).

Each attack is one statement of the attacker's choice inside a transaction of somebody's, or what
the application's login can do without any.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlmodel import Session

import hedgerow
from app.core.db import new_session
from app.core.security import create_password_reset_token
from app.models import User
from hedgerow import Identity, Role, RowSecurity
from tests.app.api.support import API, give_password, signed_in, stored
from tests.app.security.conftest import signed_only
from tests.app.security.test_injection import search
from tests.support.databases import Database
from tests.support.people import NO_PASSWORD, Person
from tests.support.raw import connect

INSERT = (
    'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)'
    " VALUES (gen_random_uuid(), '{email}', 'none', {active}, {superuser}, now())"
)
A_SUPERUSER = INSERT.format(email="mallory@example.com", active="true", superuser="true")

ONE_STATEMENT = (
    'UPDATE "user" SET is_superuser = true',
    """UPDATE "user" SET is_superuser = true WHERE id = '{alice}'""",
    'UPDATE "user" SET is_active = false',
    """UPDATE "user" SET is_active = false WHERE id = '{bob}'""",
    """UPDATE "user" SET hashed_password = 'mine' WHERE id = '{bob}'""",
    """UPDATE "user" SET email = 'mallory@example.com' WHERE email LIKE 'bob%'""",
    """UPDATE "user" SET id = gen_random_uuid() WHERE id = '{alice}'""",
    """UPDATE "user" SET id = '{bob}' WHERE id = '{alice}'""",
    """DELETE FROM "user" WHERE id = '{bob}'""",
    """DELETE FROM "user" WHERE id <> '{alice}'""",
    A_SUPERUSER,
    f"{A_SUPERUSER} ON CONFLICT (email) DO UPDATE SET is_superuser = true",
    'INSERT INTO "user" SELECT * FROM "user" ON CONFLICT (id) DO UPDATE SET is_superuser = true',
    """MERGE INTO "user" USING (SELECT 1) AS x ON true"""
    " WHEN MATCHED THEN UPDATE SET is_superuser = true",
    """WITH x AS (UPDATE "user" SET is_superuser = true RETURNING id) SELECT id FROM x""",
    """SELECT 1 FROM "user" WHERE id = '{bob}' FOR UPDATE""",
    'TRUNCATE "user" CASCADE',
    'ALTER TABLE "user" DISABLE ROW LEVEL SECURITY',
    'GRANT UPDATE ON "user" TO PUBLIC',
    """DO $$ BEGIN SET LOCAL ROLE rls_sign_in; """ + A_SUPERUSER + "; END $$",
    """DO $$ BEGIN SET LOCAL ROLE rls_service; """ + A_SUPERUSER + "; END $$",
    """DO $$ BEGIN SET LOCAL ROLE rls_admin; UPDATE "user" SET is_superuser = true; END $$""",
)
FORGED = (
    "DO $$ BEGIN SET LOCAL ROLE rls_{role}; SET LOCAL app.role = '{role}';"
    f" SET LOCAL app.user_id = '{{name}}'; {A_SUPERUSER}; END $$"
)


@contextmanager
def session_of(identity: Identity, row_security: RowSecurity) -> Iterator[Session]:
    with new_session() as session:
        hedgerow.bind(session, identity, row_security)
        yield session


def refused(session: Session, statement: str) -> str:
    """Return what PostgreSQL says of a statement that it refuses, or how many rows it touched."""
    try:
        count: int = session.connection().exec_driver_sql(statement).rowcount
    except SQLAlchemyError as error:
        session.rollback()
        return str(error)
    session.commit()
    return str(count)


@pytest.fixture
def people(
    engine: Engine, every_connection_returned: None, alice: Person, bob: Person, admin: Person
) -> dict[str, Person]:
    return {"alice": alice, "bob": bob, "admin": admin}


def test_no_one_statement_of_a_user_changes_what_an_account_is(
    people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    """P52: signed or plain."""
    before = stored(database)
    names = {name: person.id for name, person in people.items()}
    with session_of(Identity(people["alice"].id), row_security) as session:
        for attack in ONE_STATEMENT:
            refused(session, attack.format(**names))
            assert stored(database) == before, attack
        # Her own name she may change, with the same kind of statement.
        assert refused(session, """UPDATE "user" SET full_name = 'x'""") == "1"


NO_POLICIES = 'ALTER TABLE "user" DISABLE ROW LEVEL SECURITY'
ALL_PRIVILEGES = 'GRANT INSERT, UPDATE ON "user" TO rls_app_user'


@pytest.mark.parametrize(
    ("opened", "attacks"),
    [
        (
            (NO_POLICIES,),
            (
                """UPDATE "user" SET hashed_password = 'mine' WHERE id = '{bob}'""",
                """UPDATE "user" SET email = 'mallory@example.com' WHERE id = '{bob}'""",
                """DELETE FROM "user" WHERE id = '{bob}'""",
                """SELECT hashed_password FROM "user" WHERE id = '{bob}'""",
            ),
        ),
        (
            (ALL_PRIVILEGES,),
            (
                """UPDATE "user" SET is_superuser = true WHERE id = '{alice}'""",
                """UPDATE "user" SET is_active = false WHERE id = '{alice}'""",
            ),
        ),
        ((NO_POLICIES, ALL_PRIVILEGES), (A_SUPERUSER,)),
    ],
    ids=["policies", "privileges", "both"],
)
def test_without_the_guard_the_attack_succeeds(
    opened: tuple[str, ...],
    attacks: tuple[str, ...],
    people: dict[str, Person],
    database: Database,
    row_security: RowSecurity,
) -> None:
    """P52, the negative control: nothing but this guard stands against these statements."""
    names = {name: person.id for name, person in people.items()}
    with database.engine().connect() as owner:  # which rolls back
        for settings in row_security.settings_for(Identity(people["alice"].id)).items():
            owner.exec_driver_sql("SELECT set_config(%s, %s, true)", settings)

        def rows(attack: str) -> int | None:
            savepoint = owner.begin_nested()
            try:
                owner.exec_driver_sql("SET LOCAL ROLE rls_app_user")
                return owner.exec_driver_sql(attack.format(**names)).rowcount
            except ProgrammingError:
                return None
            finally:
                savepoint.rollback()

        assert {rows(attack) for attack in attacks} <= {0, None}
        for statement in opened:
            owner.exec_driver_sql(statement)
        assert [rows(attack) for attack in attacks] == [1] * len(attacks)


@signed_only
@pytest.mark.parametrize("role", ["admin", "service", "sign_in"])
def test_another_kind_of_identity_is_not_forged(
    role: str, people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    """P3, P4."""
    before = stored(database)
    name = "first-superuser" if role == "service" else people["admin"].id
    with session_of(Identity(people["alice"].id), row_security) as session:
        said = refused(session, FORGED.format(role=role, name=name))
    refusals = ("is not signed with a key of this database", "no committed record of its elevation")
    assert any(one in said for one in refusals)
    assert stored(database) == before


def test_one_injected_select_reads_ones_own_account(
    vulnerable: TestClient, people: dict[str, Person], database: Database
) -> None:
    """P52: neither addresses nor hashes, from the table or from its statistics."""
    with database.as_owner() as owner:
        owner.execute(text('ANALYZE "user"'))
    alice = people["alice"]
    for injected, read in (
        ("""SELECT email || ' ' || hashed_password FROM "user\"""", [f"{alice.email} none"]),
        ('SELECT count(*)::text FROM "user"', ["1"]),
        ("SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'user'", []),
    ):
        response = search(vulnerable, alice, f"' UNION ALL {injected} --")
        assert response.status_code == 200, injected
        assert people["bob"].email not in response.text
        assert response.json() == read


def test_the_login_itself_reaches_no_account(
    people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    """In whatever role it takes, without an identity that the application gave it."""
    before = stored(database)
    reads = ('SELECT email, is_superuser FROM "user"', 'SELECT hashed_password FROM "user"')
    writes = (
        'UPDATE "user" SET full_name = NULL',
        'UPDATE "user" SET is_superuser = true',
        'DELETE FROM "user"',
        A_SUPERUSER,
    )
    with connect(database.app_url) as connection:
        for role in ("none", *row_security.roles.taken):
            for statement in (*reads, *writes):
                connection.execute(f"SET LOCAL ROLE {role}")
                with suppress(psycopg.Error):
                    assert connection.execute(statement).rowcount == 0
                connection.rollback()
    assert stored(database) == before


def test_who_signs_in_sees_one_account_and_inserts_one_that_is_no_superuser(
    people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    bob = people["bob"]
    before = stored(database)
    with session_of(Identity.sign_in(bob.email), row_security) as session:
        seen = session.execute(text('SELECT id, hashed_password FROM "user"')).all()
        assert [tuple(row) for row in seen] == [(bob.id, "none")]
        session.commit()
        for attack in (
            'UPDATE "user" SET full_name = NULL',
            'DELETE FROM "user"',
            INSERT.format(email="another@example.com", active="true", superuser="false"),
        ):
            assert "permission denied" in (said := refused(session, attack)) or "violates" in said
    mine = "mallory@example.com"
    with session_of(Identity.sign_in(mine), row_security) as session:
        for active, superuser in (("true", "true"), ("false", "false")):
            attack = INSERT.format(email=mine, active=active, superuser=superuser)
            assert "violates row-level security policy" in refused(session, attack)
        assert stored(database) == before
        own = INSERT.format(email=mine, active="true", superuser="false")
        assert refused(session, own) == "1"


def test_who_signs_in_sees_nothing_else_in_the_database(
    people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    """Nor in the role that logged in, which SQL can always take back, nor in any other."""
    with database.as_owner() as owner:
        tables = owner.scalars(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
        ).all()
    assert {"public.item", 'public."user"', "rls.audit", "rls.signing_key"} <= set(tables)
    roles = row_security.roles
    with session_of(Identity.sign_in(people["bob"].email), row_security) as session:
        for role in (None, "none", *roles.taken, roles.app):
            for table in tables:
                if (role, table) in ((None, 'public."user"'), (roles.sign_in, 'public."user"')):
                    continue
                with suppress(SQLAlchemyError):
                    if role is not None:
                        session.execute(text(f"SET LOCAL ROLE {role}"))
                    assert session.execute(text(f"SELECT 1 FROM {table}")).all() == []
                session.rollback()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.READ_ONLY_ADMIN])
def test_no_admin_reads_a_hash(
    role: Role, people: dict[str, Person], row_security: RowSecurity
) -> None:
    with session_of(Identity(people["admin"].id, role), row_security) as session:
        user = session.get(User, people["bob"].id)
        assert user is not None
        with pytest.raises(ProgrammingError, match="permission denied"):
            _ = user.hashed_password
        session.rollback()
        for statement in (
            'SELECT * FROM "user"',
            """SELECT id FROM "user" WHERE hashed_password > '$'""",
            """SELECT u::text FROM "user" AS u""",
        ):
            assert "permission denied" in refused(session, statement)
        change = 'UPDATE "user" SET full_name = NULL RETURNING hashed_password'
        why = "permission denied" if role is Role.ADMIN else "read-only transaction"
        assert why in refused(session, change)


def test_what_an_admin_changes_of_an_account_is_recorded(
    people: dict[str, Person], database: Database, row_security: RowSecurity
) -> None:
    with session_of(Identity(people["admin"].id, Role.ADMIN), row_security) as session:
        change = "UPDATE \"user\" SET is_superuser = true, hashed_password = 'x' WHERE id = '{}'"
        assert refused(session, change.format(people["bob"].id)) == "1"
    with database.as_owner() as owner:
        recorded = owner.execute(
            text("SELECT user_id, owner, columns, changes FROM rls.audit WHERE event = 'change'")
        ).one()
    assert recorded.user_id == str(people["admin"].id)
    assert recorded.owner == str(people["bob"].id)
    assert recorded.columns == ["hashed_password", "is_superuser"]
    assert recorded.changes["is_superuser"] == [False, True]
    assert "hashed_password" not in recorded.changes


@signed_only
def test_each_route_of_accounts_has_the_least_identity(
    client: TestClient,
    people: dict[str, Person],
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log names who each transaction was."""
    alice, admin = people["alice"], people["admin"]
    give_password(database, alice, password := "a quiet hedge")
    own = f"user {admin.id}"

    def identities(method: str, path: str, who: Person | None = None, **options: Any) -> set[str]:
        headers = signed_in(who) if who else {}
        caplog.clear()
        response = client.request(method, f"{API}{path}", headers=headers, **options)
        assert response.status_code == 200, response.text
        said = [record.getMessage() for record in caplog.records if record.name == "app.core.rls"]
        return {one.removeprefix("transaction runs as ") for one in said}

    caplog.set_level(logging.DEBUG, "app.core.rls")
    login = {"username": alice.email, "password": password}
    assert identities("POST", "/login/access-token", data=login) == {"sign_in"}
    account = {"email": "carol@example.com", "password": password}
    assert identities("POST", "/users/signup", json=account) == {"sign_in"}
    assert identities("POST", f"/password-recovery/{admin.email}") == {"sign_in"}
    assert identities("GET", "/users/me", admin) == {own}
    assert identities("PATCH", "/users/me", admin, json={"full_name": "A"}) == {own}
    listed = identities("GET", "/users/", admin)
    assert listed == {own, f"read_only_admin {admin.id}"}
    changed = identities("PATCH", f"/users/{alice.id}", admin, json={"full_name": "B"})
    assert changed == {own, f"admin {admin.id}"}
    viewed = identities("GET", f"/admin/users/{alice.id}/items/", admin)
    assert viewed == {own, f"user {alice.id}, viewed by read_only_admin {admin.id}"}
    link = create_password_reset_token(admin.id, NO_PASSWORD, admin.email)
    new = {"token": link, "new_password": "a quieter hedge"}
    assert identities("POST", "/reset-password/", json=new) == {own}
