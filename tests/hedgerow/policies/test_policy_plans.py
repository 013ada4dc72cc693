"""How PostgreSQL reads a scoped table: through the owner's index, asking for the identity once."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.databases import Database, clone_template, drop
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, become, connect

Node = dict[str, Any]


@pytest.fixture(scope="module")
def crowd(server: Any) -> Iterator[tuple[Database, Person]]:
    """Yield a database in which one user's ten items are among some thousands."""
    database = clone_template(server)
    person = add_person(database, "alice", items=10)
    with database.as_owner() as owner:
        owner.execute(
            text(
                'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser,'
                " created_at) SELECT gen_random_uuid(), n || '@example.com', 'none', true, false,"
                " now() FROM generate_series(1, 400) n"
            )
        )
        owner.execute(
            text(
                "INSERT INTO item (id, owner_id, title, created_at)"
                " SELECT gen_random_uuid(), \"user\".id, 'x', now() - n * interval '1 minute'"
                ' FROM "user", generate_series(1, 20) n'
            )
        )
        owner.execute(text("ANALYZE item"))
    yield database, person
    drop(database)


def nodes(connection: RawConnection, query: str) -> list[Node]:
    """Return every node of the plan, outermost first."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()
    assert row is not None

    def walk(node: Node) -> Iterator[Node]:
        yield node
        for child in node.get("Plans", []):
            yield from walk(child)

    plan: Any = row[0]
    return list(walk(plan[0]["Plan"]))


def assert_reads_through_owner_index(plan: list[Node]) -> None:
    """Assert one evaluation of the identity, as the condition of an index that leads with it."""
    assert [node for node in plan if node.get("Parent Relationship") == "InitPlan"]
    conditions = [node["Index Cond"] for node in plan if "Index Cond" in node]
    assert conditions
    assert all("owner_id = " in condition for condition in conditions)
    assert not [node for node in plan if "Filter" in node]
    assert not [node for node in plan if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM item",
        "SELECT count(*) FROM item",
        "UPDATE item SET title = 'y'",
        "DELETE FROM item",
    ],
)
def test_the_owner_is_an_index_condition(query: str, crowd: tuple[Database, Person]) -> None:
    """P45, P46."""
    database, person = crowd
    with connect(database.app_url) as connection:
        become(connection, person)
        assert_reads_through_owner_index(nodes(connection, query))


def test_the_newest_items_need_no_sort(crowd: tuple[Database, Person]) -> None:
    """P49."""
    database, person = crowd
    with connect(database.app_url) as connection:
        become(connection, person)
        plan = nodes(connection, "SELECT * FROM item ORDER BY created_at DESC, id DESC LIMIT 5")
    assert_reads_through_owner_index(plan)
    assert "Sort" not in {node["Node Type"] for node in plan}


def test_an_admin_is_asked_once_a_statement(crowd: tuple[Database, Person]) -> None:
    """P46: what is compared on each row is the InitPlan's result, not the function."""
    database, person = crowd
    with connect(database.app_url) as connection:
        become(connection, person, "admin")
        connection.execute("SET ROLE rls_admin")
        plan = nodes(connection, "SELECT * FROM item")
    assert [node for node in plan if node.get("Parent Relationship") == "InitPlan"]
    filters = [node["Filter"] for node in plan if "Filter" in node]
    assert not [condition for condition in filters if "current_setting" in condition]


@pytest.mark.parametrize(
    "using",
    [
        "owner_id = (SELECT rls.user_id()) OR (SELECT rls.role()) = 'admin'",
        "CASE WHEN (SELECT rls.role()) = 'admin' THEN true"
        " ELSE owner_id = (SELECT rls.user_id()) END",
        "coalesce(owner_id = (SELECT rls.user_id()), false)",
    ],
)
def test_anything_around_the_comparison_would_lose_the_index(
    using: str, crowd: tuple[Database, Person]
) -> None:
    """P45, the negative control: the policy is changed in a transaction that is rolled back."""
    database, person = crowd
    with connect(database.owner_url) as connection:
        connection.execute(f"ALTER POLICY item_owner_select ON item USING ({using})")
        connection.execute("SET LOCAL ROLE rls_app_user")
        become(connection, person)
        with pytest.raises(AssertionError):
            assert_reads_through_owner_index(nodes(connection, "SELECT * FROM item"))
