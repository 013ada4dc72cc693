"""Children come by the index on their key, and an identity is evaluated once (P45, P46, P48)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    text,
)

import hedgerow
from hedgerow import Identity, Scope
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

ALICE = UUID(int=1)


def keyed(metadata: MetaData, name: str, scope: Scope, *columns: Column[Any]) -> Table:
    table = Table(name, metadata, Column("id", Integer, primary_key=True), *columns)
    return hedgerow.declare(table, scope)


def owner() -> Column[Any]:
    return Column("owner_id", Uuid, nullable=False, index=True)


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    """Yield 200 owners with 10 projects each, and 10 tasks in each project."""
    metadata = MetaData()
    scope = Scope("owner_id", shared_with="project_share")
    keyed(metadata, "project", scope, owner())
    share = Table(
        "project_share",
        metadata,
        Column("project_id", ForeignKey("project.id"), primary_key=True),
        Column("user_id", Uuid, primary_key=True),
        Column("can_write", Boolean, nullable=False),
        Index("ix_share_user", "user_id"),
    )
    hedgerow.declare(share, Scope.through("project_id"))
    project_id: Column[Any] = Column("project_id", ForeignKey("project.id"), index=True)
    keyed(metadata, "task", Scope.through("project_id"), project_id)
    task_id: Column[Any] = Column("task_id", ForeignKey("task.id"), index=True)
    keyed(metadata, "remark", Scope.through("task_id"), task_id)
    keyed(metadata, "page", Scope("owner_id", read="everyone"), owner())
    shown: Column[Any] = Column("is_shown", Boolean, nullable=False)
    keyed(metadata, "post", Scope("owner_id", public="is_shown"), owner(), shown)
    post_id: Column[Any] = Column("post_id", ForeignKey("post.id"), index=True)
    keyed(metadata, "comment", Scope.through("post_id", public=True), post_id)
    email: Column[Any] = Column("email", String(255), unique=True)
    itself = Scope.itself("owner_id", sign_in="email")
    keyed(metadata, "account", itself, owner(), email)
    with playground(database) as ground:
        ground.protect(metadata)
        for fill in (
            "INSERT INTO project SELECT i, lpad((1 + i % 200)::text, 32, '0')::uuid"
            " FROM generate_series(1, 2000) i",
            "INSERT INTO task SELECT i, 1 + i % 2000 FROM generate_series(1, 20000) i",
            "INSERT INTO remark SELECT i, i FROM generate_series(1, 20000) i",
            "INSERT INTO post SELECT i, lpad((1 + i % 200)::text, 32, '0')::uuid, i % 20 = 0"
            " FROM generate_series(1, 2000) i",
            "INSERT INTO comment SELECT i, 1 + i % 2000 FROM generate_series(1, 20000) i",
            "INSERT INTO account SELECT i, gen_random_uuid(), i || '@example.com'"
            " FROM generate_series(1, 20000) i",
            "ANALYZE",
        ):
            ground.owner.execute(text(fill))
        yield ground


def plan(connection: Connection, statement: str) -> dict[str, Any]:
    explained = connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"))
    return dict(explained[0]["Plan"])


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize(("table", "key"), [("task", "project_id"), ("remark", "task_id")])
def test_children_come_by_the_index_on_their_key(ground: Playground, table: str, key: str) -> None:
    """P48: never by a scan of the children, however deep they are."""
    with ground.acting_as(ALICE) as connection:
        tree = plan(connection, f"SELECT * FROM {table}")
    scans = [node for node in nodes(tree) if node.get("Relation Name") == table]
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}
    conditions = " ".join(str(node.get("Index Cond")) for node in nodes(tree))
    assert f"({key} = ANY (" in conditions


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM task",
        "SELECT * FROM remark",
        "SELECT * FROM project",
        "SELECT * FROM page",
        "UPDATE task SET id = id WHERE id < 100",
        "DELETE FROM remark WHERE id < 100",
    ],
)
def test_an_identity_is_evaluated_once_for_each_place_that_asks(
    ground: Playground, statement: str
) -> None:
    """P46: as an InitPlan, whose loops do not grow with the rows."""
    with ground.acting_as(ALICE) as connection:
        tree = plan(connection, statement)
    asking = [node for node in nodes(tree) if node["Node Type"] == "Result"]
    assert asking
    assert {node["Parent Relationship"] for node in asking if "Subplan Name" in node} == {
        "InitPlan"
    }
    assert all(node["Actual Loops"] <= 1 for node in asking)
    filters = " ".join(str(node.get("Filter", "")) for node in nodes(tree))
    assert "rls.user_id" not in filters


def test_a_row_that_is_written_costs_one_look_at_its_parent(ground: Playground) -> None:
    """However many parents a user has: an array of them is built for reading alone."""
    with ground.acting_as(ALICE) as connection:
        tree = plan(connection, "INSERT INTO task VALUES (900001, 200), (900002, 200)")
    (look,) = (node for node in nodes(tree) if node.get("Relation Name") == "project")
    assert (look["Index Name"], look["Actual Loops"]) == ("project_pkey", 2)


def test_shared_rows_come_by_two_indexes(ground: Playground) -> None:
    with ground.acting_as(ALICE) as connection:
        tree = plan(connection, "SELECT * FROM project")
    used = {node.get("Index Name") for node in nodes(tree)}
    assert {"ix_project_owner_id", "project_pkey"} <= used


def test_who_signs_in_is_found_by_the_index_on_the_address(ground: Playground) -> None:
    """P45, P47: by the policy alone, and by the query's own WHERE."""
    with ground.acting_as(Identity.sign_in("7@example.com")) as connection:
        for where in ("", " WHERE email = '7@example.com'"):
            tree = plan(connection, f"SELECT id FROM account{where}")
            [scan] = [node for node in nodes(tree) if node.get("Relation Name") == "account"]
            assert scan["Node Type"] == "Index Scan"
            assert scan["Actual Rows"] == 1
            assert "email" in scan["Index Cond"]


def test_children_of_public_rows_come_by_the_index_on_their_key(ground: Playground) -> None:
    """P48: for nobody, as for users."""
    with ground.acting_as(Identity.anonymous()) as connection:
        tree = plan(connection, "SELECT * FROM comment WHERE post_id = 20")
        scans = [node for node in nodes(tree) if node.get("Relation Name") == "comment"]
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}
