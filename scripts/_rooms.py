"""Draws the rooms of the engine and lists them, from the imports and docstrings in the source."""

import ast
import tomllib
from itertools import chain
from pathlib import Path

import grimp

from scripts._generated import table

PROJECT = Path(__file__).resolve().parents[1]
ENGINE = PROJECT / "hedgerow"


def imports() -> dict[str, set[str]]:
    """Return by room which other rooms it imports from."""
    graph = grimp.build_graph(ENGINE.name, cache_dir=None)
    rooms = sorted(child.removeprefix("hedgerow.") for child in graph.find_children("hedgerow"))
    return {
        room: {
            other
            for other in rooms
            if other != room
            and graph.direct_import_exists(
                importer=f"hedgerow.{room}", imported=f"hedgerow.{other}", as_packages=True
            )
        }
        for room in rooms
    }


def picture() -> str:
    """Return a flowchart in Mermaid; an import that follows from others is left out."""
    found = imports()
    arrows = [
        f"    {room} --> {other}"
        for room, others in found.items()
        for other in sorted(others)
        if not any(other in reached(between, found) for between in others - {other})
    ]
    layers = [
        f"    subgraph layer{number}[ ]\n"
        + "".join(f"        {room}\n" for room in rooms)
        + "    end"
        for number, rooms in enumerate(_layers(), 1)
    ]
    return "\n".join(["```mermaid", "flowchart TD", *layers, *arrows, "```"])


def reached(room: str, found: dict[str, set[str]]) -> set[str]:
    """Return the rooms that a room imports from, or that these import from."""
    return found[room].union(*(reached(other, found) for other in found[room]))


def _layers() -> list[list[str]]:
    """Return the rooms of each layer of the contract, from the top."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    rooms = [[room.strip(" ()") for room in layer.split("|")] for layer in layers]
    return [[room for room in layer if _sources(room)] for layer in rooms]


def _sources(room: str) -> list[Path]:
    """Return the file whose docstring is the room's; none where there is no such room (yet)."""
    files = (ENGINE / room / "__init__.py", ENGINE / f"{room}.py")
    return [file for file in files if file.is_file()]


def listing() -> str:
    """Return a table of the rooms, in the order of the layers, each with its docstring."""
    rows = [("room", "what it holds")]
    for room in chain(*_layers()):
        for source in _sources(room):
            docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
            rows.append((f"`{room}`", docstring.partition("\n\n")[0]))
    return table(rows)
