"""Find what prepares a page."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.docs.support.pages import Page
from tests.docs.support.project import ProjectCopy

PREPARATIONS = Path(__file__).resolve().parents[1] / "preparations"


@dataclass(frozen=True)
class Preparation:
    """What is done to the project before a page is followed, and what is looked at after it."""

    prepare: Callable[[ProjectCopy], None]
    finish: Callable[[ProjectCopy], None]


def preparation_of(page: Page) -> Preparation:
    """Return what prepares a page: the functions of its module, if it has one."""
    path = PREPARATIONS / _module_path(page)
    if not path.is_file():
        return Preparation(_nothing, _nothing)
    parts = path.with_suffix("").relative_to(PREPARATIONS).parts
    module = importlib.import_module(".".join(("tests", "docs", "preparations", *parts)))
    found = {name: getattr(module, name, None) for name in ("prepare", "finish")}
    assert any(found.values()), f"{path.name} defines neither prepare nor finish"
    return Preparation(found["prepare"] or _nothing, found["finish"] or _nothing)


def _nothing(project: ProjectCopy) -> None:
    pass


def _module_path(page: Page) -> str:
    name = page.name.removeprefix("docs/").removesuffix(".md").replace("-", "_").lower()
    return f"{name}.py"


def left_over(pages: list[Page]) -> list[Path]:
    """Return the preparations that belong to no page."""
    known = {PREPARATIONS / _module_path(page) for page in pages}
    return sorted(set(PREPARATIONS.rglob("*.py")) - known)
