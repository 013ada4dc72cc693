"""Read the diagram from mapped classes; nothing is asked of a database."""

import re
from collections.abc import Iterable, Iterator

from sqlalchemy import Column as TableColumn
from sqlalchemy import ForeignKeyConstraint, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.exc import CompileError, NoReferencedTableError
from sqlalchemy.orm import Mapper, RelationshipProperty, class_mapper

from hedgerow.erd.model import Column, Diagram, Entity, Link, Protection
from hedgerow.erd.whose import whose
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.registry import mapped_class, scope_of
from hedgerow.policies.scope import Scope

_POSTGRESQL = dialect()  # type: ignore[no-untyped-call]

_TIME = re.compile(r"^(TIMESTAMP|TIME)(\(\d+\))? (WITH|WITHOUT) TIME ZONE$")

_Pairs = frozenset[tuple[TableColumn[object], TableColumn[object]]]


def read_diagram(metadata: MetaData) -> Diagram:
    """Return the diagram of all tables in `metadata`.

    Whatever maps classes to them must have been imported before. The trap: SQLAlchemy configures
    its mappers here, so a relationship that names a class that does not exist raises its
    InvalidRequestError.
    """
    tables = sorted(metadata.tables.values(), key=lambda table: table.fullname)
    followed = _relationships(tables)
    links = [link for table in tables for link in _links(table, followed)]
    return Diagram(
        tuple(_entity(table) for table in tables),
        tuple(sorted(links, key=lambda link: (link.parent, link.child, link.columns))),
    )


def _entity(table: Table) -> Entity:
    protection, why = _protection(table)
    mapped = mapped_class(table)
    return Entity(
        name=table.fullname,
        mapped_class=mapped.__name__ if mapped else None,
        protection=protection,
        why=why,
        columns=tuple(_column(column) for column in table.columns),
    )


def _protection(table: Table) -> tuple[Protection, str]:
    match scope_of(table):
        case Scope() as scope:
            return Protection.SCOPED, whose(table, scope)
        case Exempt(reason=reason):
            return Protection.EXEMPT, reason
        case None:
            return Protection.UNDECLARED, "does not say whose rows it holds"


def _column(column: TableColumn[object]) -> Column:
    return Column(
        name=column.name,
        type=_type_name(column),
        nullable=bool(column.nullable),
        primary_key=column.primary_key,
        unique=frozenset({column}) in _unique_sets(column.table) and not column.primary_key,
        refers_to=tuple(sorted(key.target_fullname for key in column.foreign_keys)),
    )


def _type_name(column: TableColumn[object]) -> str:
    """Return the type as PostgreSQL knows it; a type of another database's by its class."""
    try:
        name = column.type.compile(_POSTGRESQL)
    except CompileError:
        return type(column.type).__name__
    if found := _TIME.match(name):
        short, precision, zone = found.groups(default="")
        return f"{short}{'TZ' if zone == 'WITH' else ''}{precision}"
    return name


def _unique_sets(table: Table) -> set[frozenset[TableColumn[object]]]:
    """Return the sets of columns whose values no two rows share."""
    constraints = [frozenset(table.primary_key.columns)]
    constraints += [
        frozenset(constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    # A partial index says nothing of the other rows; an expression's values are no columns'.
    constraints += [
        frozenset(index.columns)
        for index in table.indexes
        if index.unique
        and index.dialect_kwargs.get("postgresql_where") is None
        and len(index.columns) == len(index.expressions)
    ]
    return {columns for columns in constraints if columns}


def _links(table: Table, followed: list[tuple[_Pairs, str]]) -> Iterator[Link]:
    for constraint in table.foreign_key_constraints:
        if (parent := _parent(constraint)) is None or parent.metadata is not table.metadata:
            continue
        columns = frozenset(constraint.columns)
        pairs = frozenset((key.column, key.parent) for key in constraint.elements)
        yield Link(
            parent=parent.fullname,
            child=table.fullname,
            columns=tuple(key.parent.name for key in constraint.elements),
            optional=any(column.nullable for column in columns),
            single=any(unique <= columns for unique in _unique_sets(table)),
            relationships=tuple(sorted({name for known, name in followed if pairs <= known})),
        )


def _parent(constraint: ForeignKeyConstraint) -> Table | None:
    """Return the table that a foreign key leads to, or None where that is declared elsewhere."""
    try:
        return constraint.referred_table
    except NoReferencedTableError:
        return None


def _relationships(tables: Iterable[Table]) -> list[tuple[_Pairs, str]]:
    """Return each relationship's pairs of columns, the parent's first, with its name."""
    return [
        (_pairs(relationship), f"{mapper.class_.__name__}.{relationship.key}")
        for mapper in _mappers(tables)
        for relationship in mapper.relationships
        if relationship.parent is mapper  # not once more at each subclass
    ]


def _mappers(tables: Iterable[Table]) -> list[Mapper[object]]:
    registries = {
        class_mapper(mapped).registry for table in tables if (mapped := mapped_class(table))
    }
    return [mapper for registry in registries for mapper in registry.mappers]


def _pairs(relationship: RelationshipProperty[object]) -> _Pairs:
    both = relationship.local_remote_pairs or ()
    return frozenset(
        (first, second)  # type: ignore[misc]
        for local, remote in both
        for first, second in ((local, remote), (remote, local))
    )
