"""The page that `hedgerow erd` writes: the picture, and what a picture cannot say exactly."""

import re
from collections.abc import Iterable, Iterator, Sequence

from hedgerow.erd.mermaid import mermaid
from hedgerow.erd.model import Column, Diagram, Entity

_PROTECTION = """\
* **scoped**: PostgreSQL gives each user the rows that the last column tells of, and what the
  policies named there add.
* **exempt**: declared so that every request may read every row, or do what is granted.
* **undeclared**: it does not say whose rows it holds, so requests reach none; outlined in red."""


# An underscore within a word is none.
_MARKUP = re.compile(r"[\\`*<|\[\]]|\b_|_\b|(?<!\w)_")


def page(diagram: Diagram) -> str:
    """Return the page as Markdown; the same diagram gives the same text."""
    parts = [
        "<!-- Written by `hedgerow erd` from the mapped classes: change those, run it again. -->",
        "# Entity diagram",
        f"```mermaid\n{mermaid(diagram)}\n```",
        "A line is a foreign key, with the relationships that follow it in brackets.",
        "## Whose rows",
        _PROTECTION,
        _table(("table", "class", "rows", "why"), map(_protection, diagram.entities)),
        "## Columns",
        _table(
            ("table", "column", "type", "null", "key", "refers to"),
            [row for entity in diagram.entities for row in _columns(entity)],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _protection(entity: Entity) -> Sequence[str]:
    return code(entity.name), code(entity.mapped_class or ""), entity.protection, text(entity.why)


def _columns(entity: Entity) -> Iterator[Sequence[str]]:
    return ((code(entity.name), *_column(column)) for column in entity.columns)


def _column(column: Column) -> Sequence[str]:
    return (
        code(column.name),
        code(column.type),
        "yes" if column.nullable else "",
        ", ".join(column.keys),
        ", ".join(code(target) for target in column.refers_to),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(name: str) -> str:
    """Return `name` as code in a cell of a table; an empty one stays empty."""
    if not name:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", name)), default=0) + 1)
    space = " " if "`" in name else ""
    inside = _one_line(name).replace("|", "\\|")
    return f"{fence}{space}{inside}{space}{fence}"


def text(sentence: str) -> str:
    """Return a sentence in a cell of a table, where nothing in it is markup."""
    return _MARKUP.sub(r"\\\g<0>", _one_line(sentence))


def _one_line(value: str) -> str:
    return " ".join(value.split())
