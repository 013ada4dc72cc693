"""What is on a page: its fenced blocks, its links and the anchors that others may link to."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.databases import PROJECT

_DIRECTIVE = re.compile(r"<!-- test: (.+?) -->")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` counts from 1, `directive` is what the comment above says."""

    language: str
    text: str
    line: int
    title: str | None
    directive: str | None


@dataclass(frozen=True)
class Page:
    """One Markdown file of the project."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PROJECT).as_posix()

    def blocks(self) -> list[Block]:
        return list(_blocks(self._tokens()))

    def links(self) -> list[str]:
        """Return where its links and images lead, as it is written."""
        inline = [child for token in self._tokens() for child in token.children or ()]
        found = [child.attrGet("href") or child.attrGet("src") for child in inline]
        return [str(target) for target in found if target]

    def anchors(self) -> set[str]:
        """Return the anchors of its headings, as the site and as GitHub name them."""
        tokens = self._tokens()
        following = itertools.pairwise(tokens)
        texts = [
            "".join(child.content for child in inline.children or ())
            for opening, inline in following
            if opening.type == "heading_open"
        ]
        return {slug for text in texts for slug in (_site_slug(text), _github_slug(text))}

    def _tokens(self) -> list[Token]:
        text = self.path.read_text(encoding="utf-8")
        return MarkdownIt("commonmark").enable("table").parse(text)


def all_pages() -> list[Page]:
    """Return the README and every page of the site, in a stable order."""
    return [Page(PROJECT / "README.md"), *map(Page, sorted((PROJECT / "docs").rglob("*.md")))]


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    directive = None
    for token in tokens:
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            title = _TITLE.search(rest)
            line = token.map[0] + 1 if token.map else 0
            yield Block(language, token.content, line, title[1] if title else None, directive)
        if token.type == "html_block":
            comment = _DIRECTIVE.search(token.content)
            directive = comment[1] if comment else None
        else:
            directive = None


def _site_slug(text: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", text.encode("ascii", "ignore").decode()).strip().lower()
    return re.sub(r"[-\s]+", "-", kept)


def _github_slug(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
