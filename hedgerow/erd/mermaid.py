"""Write a diagram as Mermaid, which GitHub, editors and the documentation site draw.

Of names, only what every version of Mermaid reads in the same way stands as it is: its grammar
takes a column `pk` for a mark, a table `one` for a cardinality, and `direction TB` inside a quoted
text for a command.
"""

import re
from collections.abc import Iterable, Iterator

from hedgerow.erd.model import Column, Diagram, Entity, Link, Protection

_MARKS = {"pk", "fk", "uk"}
_DIRECTION = re.compile(r"(?i)(?<=direction) ")


def mermaid(diagram: Diagram) -> str:
    """Return the diagram as Mermaid's `erDiagram`, without an end of line at its end."""
    keys = dict(zip((entity.name for entity in diagram.entities), _keys(diagram), strict=True))
    lines = ["erDiagram"]
    for entity in diagram.entities:
        lines += _entity(entity, keys[entity.name])
    lines += [_link(link, keys) for link in diagram.links]
    undeclared = [
        keys[entity.name]
        for entity in diagram.entities
        if entity.protection is Protection.UNDECLARED
    ]
    if undeclared:
        lines.append("    classDef undeclared stroke:#c62828,stroke-width:3px")
        lines += [f"    class {key} undeclared" for key in undeclared]
    return "\n".join(lines)


def word(text: str) -> str:
    """Return `text` as a name that Mermaid takes for nothing else; two may become the same."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return f"_{safe}" if not re.match(r"[A-Za-z_]", safe) or safe.lower() in _MARKS else safe


def quoted(text: str) -> str:
    """Return `text` as the inside of a quoted text, its punctuation as entity codes."""
    coded = "".join(c if c.isalnum() or c in "_.(), -" else f"#{ord(c)};" for c in text)
    return _DIRECTION.sub("#32;", coded)


def _keys(diagram: Diagram) -> Iterator[str]:
    """Yield a key for each table: the picture shows its name, so the key only must be its own."""
    taken: set[str] = set()
    for entity in diagram.entities:
        # The letter keeps it from being a word of Mermaid's grammar, such as `one` or `class`.
        key = first = f"t_{word(entity.name)}"
        number = 2
        while key in taken:
            key, number = f"{first}_{number}", number + 1
        taken.add(key)
        yield key


def _entity(entity: Entity, key: str) -> Iterable[str]:
    yield f'    {key}["{quoted(entity.name)} ({entity.protection})"] {{'
    yield from (f"        {_column(column)}" for column in entity.columns)
    yield "    }"


def _column(column: Column) -> str:
    name = word(column.name)
    remarks = [quoted(column.name)] if name != column.name else []
    remarks += ["null"] if column.nullable else []
    parts = [_type(column.type), name]
    parts += [", ".join(column.keys)] if column.keys else []
    parts += [f'"{", ".join(remarks)}"'] if remarks else []
    return " ".join(parts)


def _type(name: str) -> str:
    """Return a type with its length, as in `VARCHAR(255)`; the page's table is more exact."""
    plain = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)(\([0-9]+\))?((?:\[\])*)", name)
    return f"{word(plain[1])}{plain[2] or ''}{plain[3]}" if plain else word(name.partition("(")[0])


def _link(link: Link, keys: dict[str, str]) -> str:
    parent, child = ("|o" if link.optional else "||"), ("o|" if link.single else "o{")
    label = quoted(", ".join(link.columns))
    if link.relationships:
        label += f" ({quoted(', '.join(link.relationships))})"
    return f'    {keys[link.parent]} {parent}--{child} {keys[link.child]} : "{label}"'
