"""Tables that are not shaped as the application's, and an owner whom policies filter too."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import hedgerow
from hedgerow.bench import Request, measure
from hedgerow.bench.report import TableReport
from tests.hedgerow.bench.support import LIMITS, project_of
from tests.support.databases import Database

ALICE = UUID(int=1)


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "Order"  # a reserved word in mixed case
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope(owner_column="user")

    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[UUID]


class Shared(Base):
    __tablename__ = "shared"
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope(owner_column=None)

    id: Mapped[int] = mapped_column(primary_key=True)


@pytest.fixture
def tables(fresh_database: Database) -> Database:
    with fresh_database.as_owner() as owner:
        for statement in (
            'CREATE TABLE "Order" (id int, "user" uuid NOT NULL, PRIMARY KEY ("user", id))'
            ' PARTITION BY HASH ("user")',
            'CREATE TABLE part_0 PARTITION OF "Order" FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
            'CREATE TABLE part_1 PARTITION OF "Order" FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
            "INSERT INTO \"Order\" SELECT n, lpad(to_hex(n % 99 + 1), 32, '0')::uuid"
            " FROM generate_series(1, 4000) n",
            "CREATE TABLE shared (id int PRIMARY KEY)",
            "INSERT INTO shared VALUES (1)",
            'ALTER TABLE "Order" ENABLE ROW LEVEL SECURITY',
            "ALTER TABLE shared ENABLE ROW LEVEL SECURITY",
            'CREATE POLICY own ON "Order" TO rls_app_user USING ("user" = (SELECT rls.user_id()))',
            "CREATE POLICY all_users ON shared TO rls_app_user"
            " USING ((SELECT rls.user_id()) IS NOT NULL)",
            'GRANT SELECT ON "Order", shared TO rls_app_user',
            "SELECT pg_stat_force_next_flush()",
        ):
            owner.execute(text(statement))
    with fresh_database.as_owner() as owner:
        owner.execute(text('ANALYZE "Order", shared'))
    return fresh_database


def reports(database: Database, user: str | None = None) -> dict[str, TableReport]:
    project = replace(project_of(database, metadata=Base.metadata), find_user=lambda _, name: ALICE)
    found = measure(project, Request(user, LIMITS), lambda _, __: None)
    return {report.table: report for report in found.tables}


def test_a_partitioned_table_with_names_that_need_quotes(tables: Database) -> None:
    """P41; its estimate is the sum of its partitions'."""
    report = reports(tables)["Order"]
    assert report.skipped is None
    assert report.rows == 4_000
    assert report.notes == ()
    for each in report.operations:
        assert each.policy.problem is None
        assert each.plan is not None
        assert each.plan.access == "owner index"


def test_a_table_without_an_owner_needs_a_user_to_be_named(tables: Database) -> None:
    assert "--user" in str(reports(tables)["shared"].skipped)
    report = reports(tables, "alice")["shared"]
    assert report.notes == ("No column names an owner, so there is no WHERE to compare with.",)
    for each in report.operations:
        assert (each.by_hand, each.ratio) == (None, None)
        assert each.policy.median_ms is not None


@pytest.fixture
def filtered_owner(tables: Database) -> Iterator[Database]:
    """Yield the database as a login that owns the table under FORCE, and is not a superuser."""
    name = f"owner_{uuid4().hex[:10]}"
    with tables.as_owner() as superuser:
        superuser.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'changethis'"))
        for table in ('"Order"', "part_0", "part_1"):
            superuser.execute(text(f"ALTER TABLE {table} OWNER TO {name}"))
        superuser.execute(text('ALTER TABLE "Order" FORCE ROW LEVEL SECURITY'))
    yield Database(tables.owner_url.set(username=name, password="changethis"))
    with tables.as_owner() as superuser:
        superuser.execute(text(f"DROP OWNED BY {name} CASCADE"))
        superuser.execute(text(f"DROP ROLE {name}"))


def test_an_owner_whom_policies_filter_has_nothing_to_compare_with(
    filtered_owner: Database,
) -> None:
    assert "RLS_FORCE" in str(reports(filtered_owner)["Order"].skipped)
    report = reports(filtered_owner, "alice")["Order"]
    assert [each.operation for each in report.operations] == ["count", "first page", "get by id"]
    for each in report.operations:
        assert each.policy.median_ms is not None
        assert each.by_hand is not None
        assert "row-level security" in str(each.by_hand.problem)
