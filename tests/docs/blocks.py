"""The code blocks of the documentation: every one, with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "bench").glob("*.md"),
        ROOT / "fixtures" / "README.md",
    ]
)


@dataclass(frozen=True)
class Block:
    """A block: its page, line and heading, its language ("" if it says none), the rest of its info line, its text."""

    page: str
    line: int
    heading: str
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_in(page: str, text: str) -> Iterator[Block]:
    """Yield the blocks of a page, those in lists, by indentation and in HTML too."""
    heading = ""
    tokens = MarkdownIt().parse(text)
    for before, token in pairwise([tokens[0], *tokens]):
        if before.type == "heading_open":
            heading = token.content
        is_html = token.type == "html_block" and "<pre" in token.content.lower()
        if is_html or token.type in {"fence", "code_block"}:
            language, _, mark = token.info.strip().partition(" ")
            yield Block(page, (token.map or [0])[0] + 1, heading, language, mark, token.content)


BLOCKS = [
    block for path in PAGES for block in blocks_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
]


def blocks(*languages: str, page: str = "") -> list[Block]:
    """Return the blocks of some languages, of one page or of all."""
    return [block for block in BLOCKS if block.language in languages and page in ("", block.page)]
