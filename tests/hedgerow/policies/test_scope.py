"""Which classes become scoped tables: exactly those that are mapped to a table of their own."""

from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from hedgerow import ConfigurationError, Scope, scoped_tables
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.exempt import exempt
from hedgerow.policies.registry import scope_of


class Owned:
    """A mixin, as a project would write one."""

    __rls__ = Scope()
    owner_id: Mapped[UUID]


@pytest.fixture
def base() -> type[DeclarativeBase]:
    class Base(DeclarativeBase):
        metadata = MetaData()

    return Base


def test_a_class_that_is_defined_is_registered(base: type[DeclarativeBase]) -> None:
    class Note(Owned, base):  # type: ignore[valid-type,misc]
        __tablename__ = "note"
        id: Mapped[UUID] = mapped_column(primary_key=True)

    class Abstract(Owned, base):  # type: ignore[valid-type,misc]
        __abstract__ = True

    class Bill(Abstract):
        __tablename__ = "bill"
        id: Mapped[UUID] = mapped_column(primary_key=True)

    class Open(base):  # type: ignore[valid-type,misc]
        __tablename__ = "open"
        id: Mapped[UUID] = mapped_column(primary_key=True)

    found = [(table.name, scope) for table, scope in scoped_tables(base.metadata)]
    assert found == [("bill", Scope()), ("note", Scope())]
    assert scope_of(base.metadata.tables["open"]) is None


def test_another_owner_column(base: type[DeclarativeBase]) -> None:
    class Note(base):  # type: ignore[valid-type,misc]
        __tablename__ = "note"
        __rls__ = Scope("author")
        id: Mapped[UUID] = mapped_column(primary_key=True)
        author: Mapped[UUID]

    assert [scope.owner_column for _, scope in scoped_tables(base.metadata)] == ["author"]


def test_a_missing_owner_column_is_refused(base: type[DeclarativeBase]) -> None:
    with pytest.raises(ConfigurationError, match=r"'writer', which table 'note' does not have"):

        class Note(base):  # type: ignore[valid-type,misc]
            __tablename__ = "note"
            __rls__ = Scope("writer")
            id: Mapped[UUID] = mapped_column(primary_key=True)


def test_a_joined_table_needs_the_owner_too(base: type[DeclarativeBase]) -> None:
    """Its rows would be open to all users, whatever the parent's policies say."""

    class Note(Owned, base):  # type: ignore[valid-type,misc]
        __tablename__ = "note"
        id: Mapped[UUID] = mapped_column(primary_key=True)

    with pytest.raises(ConfigurationError, match="table 'memo' does not have"):

        class Memo(Note):
            __tablename__ = "memo"
            id: Mapped[UUID] = mapped_column(ForeignKey("note.id"), primary_key=True)


def test_classes_mapped_by_hand_are_registered() -> None:
    metadata = MetaData()
    table = Table("note", metadata, Column("id", Uuid, primary_key=True), Column("owner_id", Uuid))
    registry(metadata=metadata).map_imperatively(type("Note", (), {"__rls__": Scope()}), table)
    assert list(scoped_tables(metadata)) == [(table, Scope())]


def test_an_owner_without_scope_or_reason_is_refused() -> None:
    metadata = MetaData()
    Table("note", metadata, Column("id", Uuid, primary_key=True), Column("owner_id", Uuid))
    with pytest.raises(ConfigurationError, match="'note' does not say whose rows it holds"):
        check_declarations(metadata)


def test_an_exemption_needs_a_reason(base: type[DeclarativeBase]) -> None:
    class Note(base):  # type: ignore[valid-type,misc]
        __tablename__ = "note"
        __rls__ = exempt("A public board.")
        id: Mapped[UUID] = mapped_column(primary_key=True)
        owner_id: Mapped[UUID]

    check_declarations(base.metadata)
    assert list(scoped_tables(base.metadata)) == []
    with pytest.raises(ConfigurationError, match="say why"):
        exempt(" ")
