"""Tenants' rows come by the index on their column, and memberships are read once a role set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from hedgerow import Identity
from hedgerow.checks.plans import walk
from tests.hedgerow.policies.playground import Playground, playground
from tests.hedgerow.tenants.teams import fill, teams
from tests.support.databases import Database

ANN = UUID(int=1)

_USE = text("""
    SELECT seq_scan, idx_scan, (SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions
                                WHERE funcname = 'tenants') AS calls
    FROM pg_stat_xact_user_tables WHERE relname = 'membership'
""")


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        ground.protect(teams())
        fill(ground.owner)
        ground.owner.execute(text("SET LOCAL track_functions = 'all'"))
        yield ground


def plan(connection: Connection, statement: str) -> list[Any]:
    explained = connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"))
    assert explained is not None
    return list(walk(explained[0]["Plan"]))


@pytest.mark.parametrize(
    ("statement", "places"),
    [
        ("SELECT FROM document", 1),
        ("SELECT FROM comment", 1),
        ("SELECT FROM team", 1),
        ("INSERT INTO document VALUES (20001, 2, 'new'), (20002, 3, 'new')", 1),
        # Of the row and of the new one: whether it may be written, and seen, which others may.
        ("UPDATE document SET title = 'new' WHERE id < 9000", 4),
        ("DELETE FROM visit WHERE id < 9000", 1),
    ],
)
def test_memberships_are_read_once_for_each_place_that_asks(
    ground: Playground, statement: str, places: int
) -> None:
    """P46: however many rows; and by the index on the user, among those of all."""
    with acting(ground) as connection:
        before = connection.execute(_USE).one()
        asked = [node for node in plan(connection, statement) if node["Node Type"] == "Result"]
        used = connection.execute(_USE).one()
    assert {node["Parent Relationship"] for node in asked if "Subplan Name" in node} == {"InitPlan"}
    assert all(node["Actual Loops"] <= 1 for node in asked)
    assert used.calls - before.calls == places
    assert (used.seq_scan, used.idx_scan - before.idx_scan) == (before.seq_scan, places)


_TEAM = "(team_id = ANY ("


@pytest.mark.parametrize(
    ("statement", "table", "conditions"),
    [
        ("SELECT FROM document", "document", {_TEAM}),
        ("UPDATE document SET title = 'new'", "document", {_TEAM}),
        ("DELETE FROM visit", "visit", {_TEAM}),
        ("SELECT FROM visit", "visit", {_TEAM}),
        ("SELECT FROM lead", "lead", {"(org_id = "}),
        ("SELECT FROM comment", "comment", {"(document_id = ANY ("}),
        ("SELECT FROM team", "team", {"(id = ANY (", "(id = rls.founded())"}),
        ("SELECT FROM person", "person", {"(id = ", "(id = ANY ("}),
        ("SELECT FROM membership", "membership", {"(user_id = ", _TEAM}),
        ("DELETE FROM membership WHERE role = 'none'", "membership", {"(user_id = ", _TEAM}),
    ],
)
def test_what_keeps_tenants_apart_are_conditions_of_indexes(
    ground: Playground, statement: str, table: str, conditions: set[str]
) -> None:
    """P45, P48: several of them by a BitmapOr, as where co-members read."""
    with acting(ground) as connection:
        nodes = plan(connection, statement)
    kinds = {node["Node Type"] for node in nodes if node.get("Relation Name") == table}
    assert kinds <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan", "ModifyTable"}
    found = [node["Index Cond"] for node in nodes if "Index Cond" in node]
    assert {part for part in conditions if any(part in one for one in found)} == conditions
    assert ("BitmapOr" in {node["Node Type"] for node in nodes}) is (len(conditions) > 1)


@contextmanager
def acting(ground: Playground) -> Iterator[Connection]:
    with ground.acting_as(Identity(ANN, claims={"location": "1", "org": "1"})) as connection:
        yield connection
