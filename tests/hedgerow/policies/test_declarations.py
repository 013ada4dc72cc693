"""What follows from a declaration: privileges, and the keys that are checked."""

import pytest
from sqlalchemy import Column, ForeignKey, Table, Uuid

import hedgerow
from hedgerow import (
    Exempt,
    RowSecurity,
    Scope,
    exempt,
)
from hedgerow.policies.wanted import Protection, declared_protection
from tests.hedgerow.policies.shop import Shop

ROW_SECURITY = RowSecurity()


def test_a_table_that_says_nothing_is_closed() -> None:
    """P50: no privilege for any of the application's roles."""
    shop = Shop()
    assert declared_protection(shop.keyed("odd"), ROW_SECURITY) == Protection()


@pytest.mark.parametrize(
    ("declared", "granted"),
    [
        (exempt("countries"), {"SELECT"}),
        (exempt("a queue", commands={"INSERT", "DELETE"}), {"INSERT", "DELETE"}),
        (Scope("owner_id"), {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        (Scope("owner_id", commands={"SELECT", "INSERT"}), {"SELECT", "INSERT"}),
        (Scope(None, read="everyone"), {"SELECT"}),
        (Scope(None), set()),
    ],
)
def test_the_application_is_granted_what_is_declared(
    declared: Scope | Exempt, granted: set[str]
) -> None:
    items = Shop(declared).items
    grants = declared_protection(items, ROW_SECURITY).grants
    assert set(grants.get("rls_app_user", ())) == granted


def test_whoever_shares_for_writing_keeps_owner_and_key() -> None:
    """P30: a policy cannot compare the new row with the old, so a privilege says it."""
    shop = Shop(Scope("owner_id", shared_with="share"))
    shop.keyed("share", item_id="item.id", user_id="user.id").append_column(Column("can_write"))
    shop.items.append_column(Column("title", Uuid))
    grants = declared_protection(shop.items, ROW_SECURITY).grants
    assert grants["rls_app_user"] == ("SELECT", "INSERT", "DELETE", "UPDATE (title)")
    assert "UPDATE" in grants["rls_admin"]


def test_the_keys_that_are_checked() -> None:
    """P51: those to scoped tables, but for what the policies decide already."""
    shop = Shop()
    item = shop.items
    hedgerow.declare(
        Table(
            "note",
            shop.metadata,
            Column("owner_id", ForeignKey("user.id")),
            Column("item_id", ForeignKey(item.c.id)),
            Column("other_id", ForeignKey("item.id")),
            Column("loose_id", ForeignKey("item.id")),
        ),
        Scope("owner_id", unchecked={"loose_id": "anybody may point here"}),
    )
    hedgerow.declare(shop.keyed("child", item_id="item.id"), Scope.through("item_id"))
    checked = {
        name: sorted(declared_protection(shop.metadata.tables[name], ROW_SECURITY).references)
        for name in ("item", "note", "child")
    }
    assert checked == {
        "item": [],
        "note": ["Hedgerow_item_id_key", "Hedgerow_other_id_key"],
        "child": [],
    }


def test_a_row_is_shared_with_an_account_that_its_owner_cannot_see() -> None:
    shop = Shop(Scope("owner_id", shared_with="share"))
    hedgerow.declare(shop.users, Scope.itself())
    share = shop.keyed("share", item_id="item.id", user_id="user.id", other_id="user.id")
    hedgerow.declare(share, Scope.through("item_id"))
    assert list(declared_protection(share, ROW_SECURITY).references) == ["Hedgerow_other_id_key"]
