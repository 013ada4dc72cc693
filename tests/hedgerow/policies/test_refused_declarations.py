"""What a model may not declare, and what the message says."""

from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import Boolean, Column, ForeignKey, MetaData, Table, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import hedgerow
from hedgerow import (
    ConfigurationError,
    Policy,
    RowSecurity,
    Scope,
    Shares,
    exempt,
)
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.registry import scope_of
from hedgerow.policies.wanted import declared_protection
from tests.hedgerow.policies.shop import Shop

ROW_SECURITY = RowSecurity()


@pytest.mark.parametrize("said", ["owner_id", True, Scope], ids=repr)
def test_what_is_no_declaration_is_refused(said: object) -> None:
    """It would be taken for a table that says nothing, and its author would not see why."""

    class Base(DeclarativeBase):
        pass

    with pytest.raises(ConfigurationError, match=r"Odd.__rls__ is .*, which declares nothing"):
        type(
            "Odd",
            (Base,),
            {"__tablename__": "odd", "id": mapped_column(Uuid, primary_key=True), "__rls__": said},
        )


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        (lambda: Scope(read="all"), 'use read="everyone"'),  # type: ignore[arg-type]
        (lambda: Scope(read="everyone", commands={"INSERT"}), "needs SELECT"),
        (lambda: Scope(commands=set()), "got none"),
        (lambda: Scope(commands={"TRUNCATE"}), "got TRUNCATE"),  # type: ignore[arg-type]
        (lambda: Scope(commands="SELECT"), "are a set, as in .* got 'SELECT'"),  # type: ignore[arg-type]
        (lambda: Scope(None, shared_with="share"), "needs an owner"),
        (lambda: Scope(unchecked={"item_id": " "}), "needs a reason"),
        (lambda: Scope.through(), "needs the column"),
        (lambda: exempt("why", commands={"ALL"}), "got ALL"),  # type: ignore[arg-type]
        (lambda: Scope.through("item_id", public="is_public"), "public with their parents"),
        (lambda: Scope(public=True, commands={"INSERT"}), "public needs SELECT"),
        (lambda: Scope(public={"is_public"}), "is True or a boolean column, as in"),  # type: ignore[arg-type]
        (
            lambda: exempt("why", public=True, commands={"INSERT"}),
            "needs SELECT among its commands",
        ),
        (lambda: exempt("why", public="is_public"), r"Declare Scope\(None, public='is_public'"),  # type: ignore[arg-type]
        (lambda: Scope(services={"job": "SELECT"}), "a set, as in .* got 'SELECT'"),  # type: ignore[dict-item]
        (lambda: Scope(services={"job"}), "map a name to commands"),  # type: ignore[arg-type]
        (lambda: Scope(services={"job": {"ALL"}}), "DELETE, got ALL"),  # type: ignore[arg-type]
        (lambda: Scope(services={" ": {"SELECT"}}), "A service needs a name"),
        (lambda: Scope(services={"job": {"INSERT", "DELETE"}}), "'job' needs SELECT too"),
        (lambda: exempt("why", services={"job": {"UPDATE"}}), "or its UPDATE and DELETE"),
        (lambda: Scope(admin_only={"is_admin"}), "maps a column to the value"),  # type: ignore[arg-type]
        (lambda: Scope(secret="hash"), "is a set of columns"),  # type: ignore[arg-type]
        (lambda: Scope(secret={"hash"}, public="is_public"), "rows that only their user reads"),
        (lambda: Scope(secret={"hash"}, read="everyone"), "only their user reads: privileges"),
        (lambda: Scope(None, secret={"hash"}), "of columns hold for all rows alike"),
        (
            lambda: Scope(secret={"hash"}, policies=(Policy("p", "SELECT", using="true"),)),
            "Put the secret columns into a table",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(declaration: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        declaration()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope("buyer"), "names the owner column 'buyer', which table 'item' does not have"),
        (
            Scope.through("title"),
            "through names 'title', which is no foreign key of table 'item': it has owner_id.",
        ),
        (Scope("owner_id", unchecked={"title": "why"}), "unchecked names 'title'"),
        (Scope("owner_id", public="shown"), "public names 'shown', which table 'item' does not"),
        (Scope("owner_id", public="owner_id"), "public names 'owner_id', which is no boolean"),
        (Scope("owner_id", admin_only={"rank": 0}), "admin_only names 'rank', which table 'item'"),
        (Scope("owner_id", admin_only={"owner_id": 0}), "admin_only names 'owner_id', by which"),
        (Scope("owner_id", secret={"id"}), "secret names 'id', by which rows of table 'item' are"),
        (Scope.itself(sign_in="email"), "sign_in names 'email', which table 'item' does not have"),
        (Scope.through("owner_id"), "its parent 'user' is not scoped, so it decides nothing"),
        (Scope("owner_id", shared_with="nowhere"), "shared_with='nowhere', which is not defined"),
        (Scope("owner_id", shared_with="user"), "which has 0 foreign keys to it"),
        (
            Scope("owner_id", shared_with=Shares("share", user="reader")),
            "which has no column 'reader'",
        ),
    ],
)
def test_a_declaration_that_names_what_does_not_exist(scope: Scope, said: str) -> None:
    def declare() -> None:
        shop = Shop(scope)
        hedgerow.declare(shop.keyed("share", item_id="item.id"), Scope.through("item_id"))
        check_declarations(shop.metadata)

    with pytest.raises(ConfigurationError, match=said):
        declare()


def test_a_composite_key_needs_to_say_which_column_is_the_users() -> None:
    table = Table("seat", MetaData(), Column("a", primary_key=True), Column("b", primary_key=True))
    with pytest.raises(ConfigurationError, match="is not one column: name the user's"):
        hedgerow.declare(table, Scope.itself())
    hedgerow.declare(table, Scope.itself("a"))


def test_tables_through_each_other_belong_to_nobody() -> None:
    """P53: PostgreSQL would recurse without end."""
    shop = Shop()
    first = shop.keyed("first", second_id="second.id")
    second = shop.keyed("second", first_id="first.id")
    hedgerow.declare(first, Scope.through("second_id"))
    hedgerow.declare(second, Scope.through("first_id"))
    assert "declared through each other, so nobody owns their rows: first → second → first" in (
        shop.refusal()
    )
    own = shop.keyed("own", parent_id="own.id")
    hedgerow.declare(own, Scope.through("parent_id"))
    hedgerow.declare(first, Scope("id"))
    assert "own → own" in shop.refusal()


def test_an_inherited_table_is_a_child_through_its_parent() -> None:
    """Joined-table inheritance: the message names the declaration that fits."""

    class Base(DeclarativeBase):
        pass

    class Vehicle(Base):
        __tablename__ = "vehicle"
        __rls__: ClassVar[Scope] = Scope("owner_id")
        id: Mapped[UUID] = mapped_column(primary_key=True)
        owner_id: Mapped[UUID]
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}  # noqa: RUF012  (SQLAlchemy forbids ClassVar here)

    class Bicycle(Vehicle):
        __mapper_args__ = {"polymorphic_identity": "bicycle"}  # noqa: RUF012  (SQLAlchemy forbids ClassVar here)

    assert scope_of(Vehicle.metadata.tables["vehicle"]) == Scope("owner_id")
    with pytest.raises(ConfigurationError, match=r'Scope\.through\("id"\)'):

        class Car(Vehicle):
            __tablename__ = "car"
            id: Mapped[UUID] = mapped_column(ForeignKey("vehicle.id"), primary_key=True)
            __mapper_args__ = {"polymorphic_identity": "car"}  # noqa: RUF012  (SQLAlchemy forbids ClassVar here)


def test_two_keys_of_the_same_columns_cannot_both_be_checked() -> None:
    shop = Shop()
    hedgerow.declare(shop.keyed("other", owner_id="user.id"), Scope("owner_id"))
    note = shop.table(
        "note",
        Column("owner_id", Uuid),
        Column("of_id", ForeignKey("item.id"), ForeignKey("other.id")),
    )
    hedgerow.declare(note, Scope("owner_id"))
    with pytest.raises(ConfigurationError, match="of_id of table 'note' refer to two scoped"):
        declared_protection(note, ROW_SECURITY)
    hedgerow.declare(note, Scope("owner_id", unchecked={"of_id": "either"}))
    assert not declared_protection(note, ROW_SECURITY).references


def test_a_policy_of_ones_own_does_not_take_the_place_of_another() -> None:
    own = Policy("item_owner_select", "SELECT", using="true")
    items = Shop(Scope("owner_id", policies=(own,))).items
    with pytest.raises(ConfigurationError, match="has two policies named 'item_owner_select'"):
        declared_protection(items, ROW_SECURITY)


@pytest.mark.parametrize("hidden", [Scope(None), Scope("owner_id", commands={"INSERT"})])
def test_a_parent_that_no_user_reads_is_refused(hidden: Scope) -> None:
    """Each read of a child, and each write of a key, would fail with a missing privilege."""
    shop = Shop(hidden)
    child = hedgerow.declare(shop.keyed("child", item_id="item.id"), Scope.through("item_id"))
    assert "refers by item_id to 'item', which no user may read: let its" in shop.refusal()
    hedgerow.declare(child, Scope("id"))
    assert "or name the key in Scope(unchecked=…)" in shop.refusal()
    hedgerow.declare(child, Scope("id", unchecked={"item_id": "written by users, read by admins"}))
    check_declarations(shop.metadata)


def test_a_secret_column_is_not_the_one_to_sign_in_with() -> None:
    account = Table("account", MetaData(), Column("id", Uuid, primary_key=True), Column("email"))
    with pytest.raises(ConfigurationError, match="secret names 'email', by which rows"):
        hedgerow.declare(account, Scope.itself(sign_in="email", secret={"email"}))


def test_children_are_public_with_their_parents_alone() -> None:
    """Nobody would get an error for a missing privilege, however many parents lie between."""
    shop = Shop(Scope("owner_id"))
    child = shop.keyed("child", item_id="item.id")
    hedgerow.declare(child, Scope.through("item_id", public=True))
    assert shop.refusal() == (
        "Table 'child' is declared public through item_id, and its parent 'item' is not: declare"
        " public there too, or not here."
    )
    hedgerow.declare(shop.items, Scope("owner_id", public=True))
    check_declarations(shop.metadata)


def test_who_writes_a_key_that_is_checked_can_read_what_it_refers_to() -> None:
    """P51: the check asks as the writer, also where that is a service, or somebody who signs up."""
    shop = Shop()
    note = shop.keyed("note", owner_id="user.id", item_id="item.id")
    hedgerow.declare(note, Scope("owner_id", services={"import": {"INSERT"}}))
    assert shop.refusal() == (
        "Table 'note' lets service 'import' write item_id, which refers to 'item': give the"
        " service SELECT there, or name the key in Scope(unchecked=…)."
    )
    hedgerow.declare(shop.items, Scope("owner_id", services={"import": {"SELECT"}}))
    check_declarations(shop.metadata)
    key: Column[UUID] = Column("item_id", ForeignKey("item.id"), nullable=False)
    account = shop.table("account", Column("id", Uuid, primary_key=True), key, Column("email"))
    hedgerow.declare(account, Scope.itself(sign_in="email"))
    assert "refers by item_id to 'item', which nobody sees who signs up" in shop.refusal()
    hedgerow.declare(account, Scope.itself(sign_in="email", commands={"SELECT"}))
    check_declarations(shop.metadata)


def test_a_value_that_the_column_does_not_hold() -> None:
    columns = (Column("id", Uuid, primary_key=True), Column("owner_id", Uuid))
    badge = Table("badge", MetaData(), *columns, Column("gold", Boolean))
    hedgerow.declare(badge, Scope(admin_only={"gold": "perhaps"}))
    with pytest.raises(ConfigurationError, match="gives 'gold' the value 'perhaps'"):
        declared_protection(badge, ROW_SECURITY)
