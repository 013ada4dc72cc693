"""Pages of which parts are generated, and the text around them is written by hand.

A part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`.
"""

import re
from collections.abc import Callable, Iterable, Mapping

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def with_parts(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return the text of a page with its generated parts as they should be."""
    return _PART.sub(lambda part: f"{part[1]}\n{parts[part[2]]()}\n\n{part[3]}", page)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown; the first row is its head."""
    head, *others = rows
    lines = (head, ("---",) * len(head), *others)
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
