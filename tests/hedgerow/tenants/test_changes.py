"""A declaration about tenants that changes goes into the database, and back."""

from collections.abc import Iterator, Mapping
from typing import cast

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, Uuid, text

import hedgerow
from hedgerow import Scope
from hedgerow.migrations.operation import RowSecurityOp
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


OWNED = Scope("owner")
TENANT = Scope.tenant("shop_id")
SHOPS = Scope.tenant()
CLERKS = Scope.members(tenant="shop_id", user="person")


def tables(
    pages: Scope = TENANT, shops: Scope | None = SHOPS, clerks: Scope | None = CLERKS
) -> MetaData:
    """Return shops, who works there, and pages, all in a schema of their own."""
    metadata = MetaData(schema="books")
    shop = Table("shop", metadata, Column("id", Integer, primary_key=True), Column("name", Text))
    hedgerow.declare(shop, shops or hedgerow.exempt("shops are known"))
    clerk = Table(
        "clerk",
        metadata,
        Column("shop_id", ForeignKey("books.shop.id", ondelete="CASCADE"), primary_key=True),
        Column("person", Uuid, primary_key=True),
        Column("role", Text, server_default="clerk"),
    )
    hedgerow.declare(clerk, clerks or Scope("person"))
    page = Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("shop_id", ForeignKey("books.shop.id"), index=True),
        Column("owner", Uuid),
        Column("place", Text),
    )
    hedgerow.declare(page, pages)
    return metadata


CHANGES: Mapping[str, tuple[MetaData, MetaData, set[str]]] = {
    "tenants at all": (
        tables(OWNED, None, None),
        tables(),
        {"shop", "clerk", "page", "functions"},
    ),
    "roles that write": (tables(), tables(Scope.tenant("shop_id", write={"chief"})), {"page"}),
    "roles that delete": (tables(), tables(Scope.tenant("shop_id", delete={"chief"})), {"page"}),
    "and_owner": (tables(), tables(TENANT.and_owner("owner")), {"page"}),
    "and_claim": (tables(), tables(TENANT.and_claim("place")), {"page"}),
    "co_members": (
        tables(),
        tables(Scope("owner", read="co_members")),
        {"shop", "clerk", "page", "functions"},
    ),
    "founding": (
        tables(),
        tables(shops=Scope.tenant(commands={"SELECT", "UPDATE"})),
        {"shop", "clerk", "page", "functions"},
    ),
    "another owner": (
        tables(),
        tables(clerks=Scope.members(tenant="shop_id", user="person", owner="chief")),
        {"shop", "clerk", "page", "functions"},
    ),
    "admins": (
        tables(),
        tables(clerks=Scope.members(tenant="shop_id", user="person", admins={"chief"})),
        {"clerk"},
    ),
    "no roles": (
        tables(),
        tables(clerks=Scope.members(tenant="shop_id", user="person", role=None)),
        {"shop", "clerk", "page", "functions"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_goes_there_and_back(change: str, ground: Playground) -> None:
    before, after, subjects = CHANGES[change]
    savepoint = ground.owner.begin_nested()
    try:
        ground.owner.execute(text("CREATE SCHEMA books"))
        ground.protect(before)
        operations = ground.differences(after)
        ground.run(operations)
        assert ground.differences(after) == []
        named = {getattr(one, "table_name", "functions") for one in operations}
        assert named == subjects
        back = [cast(RowSecurityOp, one.reverse()) for one in reversed(operations)]
        ground.run(back)
        assert ground.differences(before) == []
    finally:
        savepoint.rollback()


def test_functions_of_a_table_that_is_renamed_by_hand_are_made_anew(ground: Playground) -> None:
    savepoint = ground.owner.begin_nested()
    try:
        ground.owner.execute(text("CREATE SCHEMA books"))
        ground.protect(tables())
        ground.owner.execute(text("ALTER TABLE books.clerk RENAME TO helper"))
        renamed = MetaData(schema="books")
        for table in tables().sorted_tables:
            name = "helper" if table.name == "clerk" else table.name
            copy = table.to_metadata(renamed, name=name)
            scope = {"shop": SHOPS, "helper": CLERKS, "page": TENANT}[name]
            hedgerow.declare(copy, scope)
        ground.run(ground.differences(renamed))
        assert ground.differences(renamed) == []
        made = "SELECT pg_get_functiondef('rls.found_tenant'::regproc)"
        assert "INSERT INTO books.helper" in str(ground.owner.scalar(text(made)))
    finally:
        savepoint.rollback()
