"""What is said of a table that declares nothing: what it could declare."""

import pytest
from sqlalchemy import Column, ForeignKey, Uuid

import hedgerow
from hedgerow import (
    Scope,
)
from hedgerow.policies.likely import likely_declarations
from tests.hedgerow.policies.shop import Shop


@pytest.mark.parametrize(
    ("keys", "likely"),
    [
        ({"item_id": "item.id"}, ['Scope.through("item_id")']),
        ({"item_id": "item.id", "tag_id": "tag.id"}, ['Scope.through("item_id", "tag_id")']),
        ({"author_id": "user.id"}, ['Scope("author_id")']),
        ({"author_id": "user.id", "item_id": "item.id"}, ['Scope.through("item_id")']),
        ({}, []),
    ],
)
def test_a_table_that_says_nothing_is_told_what_is_likely(
    keys: dict[str, str], likely: list[str]
) -> None:
    """P50: the message is one sentence with the fix, and ends with the exemption."""
    shop = Shop()
    hedgerow.declare(shop.keyed("tag", owner_id="user.id"), Scope("owner_id"))
    odd = shop.keyed("odd", **keys)
    said = shop.refusal()
    assert said.startswith("Table 'odd' does not say whose rows it holds, so requests get no")
    found = likely_declarations(odd)
    assert found[-1] == '__rls__ = hedgerow.exempt("why every user may read it")'
    assert found[: len(likely)] == [f"__rls__ = hedgerow.{one}" for one in likely]
    assert 1 <= len(found) <= 3
    assert all(one in said for one in found)


def test_a_parent_that_all_read_is_the_least_likely() -> None:
    """P50: through it alone, everybody would read which label stands on which ticket."""
    shop = Shop()
    hedgerow.declare(shop.keyed("a_label", owner_id="user.id"), Scope(read="everyone"))
    link = shop.keyed("link", label_id="a_label.id", item_id="item.id")
    assert likely_declarations(link)[:2] == [
        '__rls__ = hedgerow.Scope.through("item_id", "label_id")',
        '__rls__ = hedgerow.Scope.through("item_id")',
    ]


def test_a_column_that_elsewhere_names_the_owner_is_likely_to_here() -> None:
    """An identity column of another name is known where another table uses it."""
    shop = Shop()
    hedgerow.declare(shop.table("bill", Column("buyer", Uuid)), Scope("buyer"))
    odd = shop.table("refund", Column("id", Uuid, primary_key=True), Column("buyer", Uuid))
    assert likely_declarations(odd)[0] == '__rls__ = hedgerow.Scope("buyer")'


def test_each_table_that_says_nothing_is_named() -> None:
    shop = Shop()
    shop.keyed("one")
    shop.keyed("two")
    assert shop.refusal().count("does not say whose rows it holds") == 2


def test_a_profile_whose_key_is_the_users_is_likely_to_be_the_user() -> None:
    shop = Shop()
    profile = shop.table("profile", Column("user_id", ForeignKey("user.id"), primary_key=True))
    assert likely_declarations(profile)[0] == "__rls__ = hedgerow.Scope.itself()"
