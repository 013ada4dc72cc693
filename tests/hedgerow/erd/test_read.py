"""What the diagram says of mapped classes."""

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import NullType

from hedgerow.erd import read_diagram
from hedgerow.erd.model import Diagram, Entity, Link, Protection
from tests.hedgerow.erd.shop import Base
from tests.hedgerow.tenants.teams import teams
from tests.support import declared


@pytest.fixture(scope="module")
def diagram() -> Diagram:
    return read_diagram(Base.metadata)


def entity(diagram: Diagram, name: str) -> Entity:
    (found,) = (entity for entity in diagram.entities if entity.name == name)
    return found


def link(diagram: Diagram, child: str, *columns: str) -> Link:
    (found,) = (link for link in diagram.links if (link.child, link.columns) == (child, columns))
    return found


def test_tables_stand_by_name_and_links_by_both_ends(diagram: Diagram) -> None:
    names = [entity.name for entity in diagram.entities]
    assert names == ["account", "label", "order", "order_label", "profile"]
    assert [(link.parent, link.child) for link in diagram.links] == [
        ("account", "order"),
        ("account", "order"),
        ("account", "profile"),
        ("label", "label"),
        ("label", "order_label"),
        ("order", "order_label"),
    ]


@pytest.mark.parametrize(
    ("table", "protection", "why"),
    [
        ("account", Protection.EXEMPT, "Signing in | must *find* it."),
        ("label", Protection.UNDECLARED, "does not say whose rows it holds"),
        ("order", Protection.SCOPED, "by buyer"),
        ("order_label", Protection.UNDECLARED, "does not say whose rows it holds"),
        ("profile", Protection.SCOPED, "by account_id, profile_public"),
    ],
)
def test_what_keeps_rows_apart_is_told_with_its_reason(
    diagram: Diagram, table: str, protection: Protection, why: str
) -> None:
    assert (entity(diagram, table).protection, entity(diagram, table).why) == (protection, why)


def test_how_each_declaration_keeps_its_rows_is_told() -> None:
    entities = read_diagram(declared.METADATA).entities
    assert {entity.name: entity.why for entity in entities} == {
        "account": "the user itself, by id, signs in by name, services sign-up",
        "comment": "through page_id, public",
        "country": "countries are no secret",
        "event": "by owner_id, users only SELECT and INSERT",
        "label": "by owner_id",
        "notice": "only admins write, everyone reads",
        "page": "by owner_id, public where is_published, services index",
        "path": "through project_id",
        "profile": "the user itself, by user_id",
        "project": "by owner_id, shared with project_share",
        "project_share": "through project_id",
        "remark": "through task_id",
        "step": "by owner_id",
        "tag": "by owner_id, everyone reads",
        "task": "through project_id",
        "task_label": "through task_id and label_id",
        "task_tag": "through task_id and tag_id",
        "ticket": "by owner_id",
    }


def test_whose_tenants_rows_they_are_is_told() -> None:
    entities = read_diagram(teams()).entities
    assert {entity.name: entity.why for entity in entities} == {
        "comment": "through document_id",
        "document": "by tenant team_id, write as editor or owner, delete as owner",
        "draft": "by tenant team_id, and by author_id",
        "lead": "where org_id is the claim org",
        "membership": "members of tenant team_id, by user_id, changed as admin or owner by role,"
        " co-members read, users only SELECT and UPDATE and DELETE",
        "note": "by tenant team_id, only author_id writes",
        "person": "the user itself, by id, co-members read",
        "team": "the tenant itself, by id, write as admin or owner, delete as owner",
        "visit": "by tenant team_id, where location_id is the claim location",
    }


def test_a_key_that_must_be_given_and_one_that_need_not(diagram: Diagram) -> None:
    assert not link(diagram, "order", "buyer").optional
    assert link(diagram, "order", "gift_to").optional


def test_a_parent_has_one_child_where_the_key_is_unique(diagram: Diagram) -> None:
    """Also as the primary key; not where an index or a constraint covers more, or fewer rows."""
    assert link(diagram, "profile", "account_id").single
    assert link(diagram, "label", "parent_id").single
    assert not link(diagram, "order", "buyer").single
    assert not link(diagram, "order", "gift_to").single
    assert not link(diagram, "order_label", "region", "number").single


def test_a_link_names_the_relationships_that_follow_it(diagram: Diagram) -> None:
    both = ("Account.profile", "Profile.account")
    assert link(diagram, "profile", "account_id").relationships == both
    assert link(diagram, "order", "buyer").relationships == ("Order.buyer_account",)
    assert link(diagram, "order", "gift_to").relationships == ()
    through = ("Label.orders", "Order.labels")
    assert link(diagram, "order_label", "region", "number").relationships == through
    assert link(diagram, "order_label", "label_id").relationships == through


def test_a_table_that_is_declared_elsewhere_is_named_and_not_drawn(diagram: Diagram) -> None:
    columns = {column.name: column for column in entity(diagram, "label").columns}
    assert columns["elsewhere_id"].refers_to == ("elsewhere.thing.id",)
    assert columns["elsewhere_id"].keys == ("FK",)


def test_columns_have_the_types_and_keys_of_postgresql(diagram: Diagram) -> None:
    order = {column.name: column for column in entity(diagram, "order").columns}
    assert order["total"].type == "NUMERIC(10, 2)"
    assert order["placed"].type == "TIMESTAMPTZ"
    assert order["region"].keys == ("PK",)
    assert order["gift_to"].nullable
    account = {column.name: column for column in entity(diagram, "account").columns}
    assert account["email"].keys == ("UK",)


def test_a_type_that_postgresql_lacks_has_its_class_name() -> None:
    metadata = MetaData()
    Table("odd", metadata, Column("anything", NullType()))
    ((column,),) = (entity.columns for entity in read_diagram(metadata).entities)
    assert column.type == "NullType"
