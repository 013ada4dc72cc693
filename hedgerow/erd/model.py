"""What an entity diagram tells: tables, columns and links, in the order in which it tells them."""

from dataclasses import dataclass
from enum import StrEnum


class Protection(StrEnum):
    """Whether row security protects a table, as it declares."""

    SCOPED = "scoped"
    EXEMPT = "exempt"
    UNDECLARED = "undeclared"


@dataclass(frozen=True)
class Column:
    """One column; `refers_to` names what its foreign keys lead to, as `table.column`."""

    name: str
    type: str
    nullable: bool
    primary_key: bool
    unique: bool
    refers_to: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the marks of Mermaid's that fit: `PK`, `FK`, `UK`."""
        marks = {"PK": self.primary_key, "FK": bool(self.refers_to), "UK": self.unique}
        return tuple(mark for mark, fits in marks.items() if fits)


@dataclass(frozen=True)
class Entity:
    """One table, by its name with the schema's where it has one; `why` is one sentence, or part."""

    name: str
    mapped_class: str | None
    protection: Protection
    why: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Link:
    """One foreign key between two tables of the diagram.

    `optional` says that a child need not have a parent, `single` that a parent has one child at
    most. `relationships` are the attributes that follow the key, as `Class.attribute`.
    """

    parent: str
    child: str
    columns: tuple[str, ...]
    optional: bool
    single: bool
    relationships: tuple[str, ...]


@dataclass(frozen=True)
class Diagram:
    """All tables, ordered by name, and all links, ordered by parent, child and columns."""

    entities: tuple[Entity, ...]
    links: tuple[Link, ...]
