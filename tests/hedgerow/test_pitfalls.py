"""What PostgreSQL itself does, and a guard that is told elsewhere rests on: pitfalls shown.

docs/security/model.md lists each pitfall with its tests. These are the ones that no test of a
module shows by itself: the leak behind a check, or a behaviour that the pages warn of.
"""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import errors
from sqlalchemy import URL, text

from hedgerow import sql
from hedgerow.checks import CHECKS
from hedgerow.embedded import binary
from tests.hedgerow.checks.stage import Stage
from tests.support.databases import Database, clone_template, drop
from tests.support.ddl import allow_ddl
from tests.support.people import Person, add_person
from tests.support.processes import run_command
from tests.support.raw import RawConnection, become, connect

CHECK = {check.number: check for check in CHECKS}


@pytest.fixture
def two(fresh_database: Database) -> tuple[Person, Person]:
    """Return two users with items, in a database whose tables may be changed."""
    return add_person(fresh_database, "alice"), add_person(fresh_database, "bob")


def found(database: Database, number: str) -> set[str]:
    """Return what a check finds wrong."""
    (answer,) = Stage(database).answers(CHECK[number])
    return {finding.subject for finding in answer.findings}


def ids(connection: RawConnection, query: str) -> set[object]:
    return {row[0] for row in connection.execute(query).fetchall()}


@pytest.mark.parametrize(
    ("plant", "query", "check", "subject"),
    [
        pytest.param(
            "CREATE VIEW listing AS SELECT * FROM item",
            "SELECT id FROM listing",
            "H110",
            "listing",
            id="P5 a view with its owner's rights",
        ),
        pytest.param(
            "CREATE MATERIALIZED VIEW listing AS SELECT * FROM item",
            "SELECT id FROM listing",
            "H111",
            "listing",
            id="P6 a materialized view",
        ),
        pytest.param(
            "CREATE FUNCTION listing() RETURNS SETOF item LANGUAGE sql SECURITY DEFINER"
            " SET search_path = public, pg_temp AS 'SELECT * FROM item'",
            "SELECT id FROM listing()",
            "H112",
            "listing()",
            id="P7 a function with its owner's rights",
        ),
        pytest.param(
            "CREATE TABLE listing () INHERITS (item); INSERT INTO listing SELECT * FROM item",
            "SELECT id FROM listing",
            "H114",
            "listing",
            id="P8 a partition that is named directly",
        ),
    ],
)
def test_a_way_round_the_policies_shows_everything_and_is_found(
    plant: str,
    query: str,
    check: str,
    subject: str,
    fresh_database: Database,
    two: tuple[Person, Person],
) -> None:
    """P5, P6, P7, P8: the policies of `item` are untouched, and nobody asks them."""
    alice, bob = two
    with fresh_database.as_owner() as owner:
        owner.execute(text(plant))
        owner.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO rls_app_user"))
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        assert ids(connection, query) == {*alice.items, *bob.items}
    assert subject in found(fresh_database, check)


def test_set_to_null_is_no_statement(connection: RawConnection, alice: Person) -> None:
    """P15: so nobody is spelled as an empty string, which every policy refuses."""
    become(connection, alice)
    connection.commit()
    with pytest.raises(errors.SyntaxError):
        connection.execute("SET app.user_id = NULL")
    connection.rollback()
    assert ids(connection, "SELECT id FROM item") == set(alice.items)
    connection.execute("SET app.user_id = ''")
    with pytest.raises(errors.DatabaseError, match="carries no identity"):
        connection.execute("SELECT id FROM item")


def test_a_select_policy_that_hides_deleted_rows_refuses_the_deletion(
    fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P24: so the condition belongs into queries; an UPDATE must leave a row that one may see."""
    alice, _ = two
    with fresh_database.as_owner() as owner:
        owner.execute(text("ALTER TABLE item ADD deleted_at timestamptz"))
        owner.execute(
            text(
                "CREATE POLICY item_kept ON item AS RESTRICTIVE FOR SELECT"
                " USING (deleted_at IS NULL)"
            )
        )
    delete = "UPDATE item SET deleted_at = now() WHERE title LIKE '%0'"
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        connection.commit()
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security policy"):
            connection.execute(delete)
    with fresh_database.as_owner() as owner:
        owner.execute(text("DROP POLICY item_kept ON item"))
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        assert connection.execute(delete).rowcount == 1
        assert ids(connection, "SELECT id FROM item WHERE deleted_at IS NULL") == {alice.items[1]}


def test_a_policy_that_reads_its_own_table_is_an_error_and_no_leak(
    fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P28: PostgreSQL refuses the query, and the checks do not call that a pass."""
    alice, _ = two
    with fresh_database.as_owner() as owner:
        owner.execute(
            text(
                "CREATE POLICY item_beside ON item FOR SELECT USING (EXISTS"
                " (SELECT FROM item AS mine WHERE mine.owner_id = (SELECT rls.user_id())))"
            )
        )
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        with pytest.raises(errors.InvalidObjectDefinition, match="infinite recursion"):
            connection.execute("SELECT id FROM item")
    (answer,) = Stage(fresh_database).answers(CHECK["H117"])
    assert "infinite recursion" in (answer.undetermined or "")


@pytest.mark.parametrize(
    ("child", "parent_key"),
    [
        ("item_id uuid REFERENCES item", False),
        ("item_id uuid, FOREIGN KEY (item_id, owner_id) REFERENCES item (id, owner_id)", True),
    ],
)
def test_a_foreign_key_tells_of_a_hidden_parent_unless_the_owner_is_part_of_it(
    child: str, parent_key: bool, fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P31: with the owner in the key, another user's parent is refused like one that is missing."""
    alice, bob = two
    with fresh_database.as_owner() as owner:
        if parent_key:
            owner.execute(text("ALTER TABLE item ADD UNIQUE (id, owner_id)"))
        owner.execute(
            text(
                "CREATE TABLE note (owner_id uuid NOT NULL, " + child + ");"
                " GRANT INSERT ON note TO rls_app_user"
            )
        )
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        connection.commit()
        insert = "INSERT INTO note (owner_id, item_id) VALUES (%s, %s)"
        assert connection.execute(insert, [alice.id, alice.items[0]]).rowcount == 1
        if parent_key:
            with pytest.raises(errors.ForeignKeyViolation):
                connection.execute(insert, [alice.id, bob.items[0]])
        else:
            assert connection.execute(insert, [alice.id, bob.items[0]]).rowcount == 1


@pytest.mark.parametrize(
    ("unique", "told"), [("(title)", True), ("(owner_id, title)", False)], ids=["all", "owner"]
)
def test_a_unique_constraint_tells_of_a_hidden_value_unless_it_leads_with_the_owner(
    unique: str, told: bool, fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P32."""
    alice, _ = two
    with fresh_database.as_owner() as owner:
        owner.execute(text("ALTER TABLE item ADD UNIQUE " + unique))
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        insert = "UPDATE item SET title = 'bob''s item 0' WHERE id = %s"
        if told:
            with pytest.raises(errors.UniqueViolation):
                connection.execute(insert, [alice.items[0]])
        else:
            assert connection.execute(insert, [alice.items[0]]).rowcount == 1


def test_the_number_of_all_rows_is_no_secret(
    fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P34, accepted: PostgreSQL tells it to everybody who can log in."""
    alice, bob = two
    with fresh_database.as_owner() as owner:
        owner.execute(text("ANALYZE item"))
    with connect(fresh_database.app_url) as connection:
        become(connection, alice)
        counts = ids(connection, "SELECT reltuples FROM pg_class WHERE oid = 'item'::regclass")
    assert counts == {float(len(alice.items) + len(bob.items))}


def dump(url: URL) -> subprocess.CompletedProcess[str]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return run_command(
        [binary("pg_dump"), "--data-only", "--table=item", address],
    )


def test_a_dump_is_whole_or_fails(fresh_database: Database, two: tuple[Person, Person]) -> None:
    """P42: pg_dump switches row security off, which whoever is subject to it may not do."""
    for url in (fresh_database.owner_url, fresh_database.maintenance_url):
        whole = dump(url)
        assert whole.returncode == 0, whole.stderr
        assert all(str(item) in whole.stdout for person in two for item in person.items)
    refused = dump(fresh_database.app_url)
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr
    assert not any(str(item) in refused.stdout for person in two for item in person.items)


@pytest.fixture(scope="module")
def crowd(server: URL) -> Iterator[tuple[Database, Person]]:
    """Yield a database in which one user's items are few among many, with indexes on them."""
    database = clone_template(server)
    person = add_person(database, "alice")
    with database.as_owner() as owner:
        owner.execute(
            text(
                'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser,'
                " created_at) SELECT gen_random_uuid(), n || '@example.com', 'none', true, false,"
                " now() FROM generate_series(1, 100) n"
            )
        )
        owner.execute(
            text(
                "INSERT INTO item (id, owner_id, title, created_at)"
                " SELECT gen_random_uuid(), \"user\".id, 'title ' || n, now()"
                ' FROM "user", generate_series(1, 20) n'
            )
        )
        owner.execute(text("CREATE INDEX words ON item USING gin (to_tsvector('english', title))"))
        owner.execute(text("ANALYZE item"))
    yield database, person
    drop(database)


def plan(connection: RawConnection, query: str) -> str:
    connection.execute("SET LOCAL enable_seqscan = off")
    return "\n".join(str(row[0]) for row in connection.execute(f"EXPLAIN {query}").fetchall())


def test_a_search_index_serves_nobody_to_whom_policies_apply(
    crowd: tuple[Database, Person],
) -> None:
    """P47: `@@` could leak what it compares, so rows are found by their owner first."""
    database, person = crowd
    query = "SELECT id FROM item WHERE to_tsvector('english', title) @@ to_tsquery('title')"
    with connect(database.owner_url) as owner:
        assert "Index Scan on words" in plan(owner, query)
    with connect(database.app_url) as connection:
        become(connection, person)
        as_user = plan(connection, query)
    assert "words" not in as_user
    assert "Index Cond: (owner_id = " in as_user
    assert "words" in found(database, "H123")


@pytest.mark.parametrize(
    ("condition", "is_indexed"),
    [
        ("owner_id IN (SELECT friend FROM friends)", False),
        ("owner_id = ANY (ARRAY(SELECT friend FROM friends))", True),
    ],
)
def test_a_set_of_owners_is_an_index_condition_as_an_array_only(
    condition: str, is_indexed: bool, crowd: tuple[Database, Person]
) -> None:
    """P48."""
    database, person = crowd
    with connect(database.owner_url) as owner:
        owner.execute("CREATE TABLE friends (friend uuid); GRANT SELECT ON friends TO rls_app_user")
        owner.execute(f"ALTER POLICY item_owner_select ON item USING ({condition})")
        owner.execute("SET LOCAL ROLE rls_app_user")
        become(owner, person)
        shown: Any = plan(owner, "SELECT id FROM item")
    assert ("Index Cond: (owner_id = ANY" in shown) is is_indexed


def test_a_temporary_table_takes_a_tables_place_where_ddl_is_not_refused(
    fresh_database: Database, two: tuple[Person, Person]
) -> None:
    """P3, P57: one injected statement leaves it on the connection; and the second-best guard."""
    alice, _ = two
    plant = "SELECT gen_random_uuid() AS id INTO TEMP item"
    allow_ddl(fresh_database)
    with connect(fresh_database.app_url) as connection:
        connection.execute(plant)
        become(connection, alice)
        assert not ids(connection, "SELECT id FROM item") & set(alice.items)
    with connect(fresh_database.owner_url) as owner:
        name = sql.name(fresh_database.name)
        owner.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
        owner.commit()
    with (
        connect(fresh_database.app_url) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="temporary"),
    ):
        connection.execute(plant)
