"""The phrases of the glossary: none that is not used stands in the package or on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TABLE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Phrases that are not used")[2]
PHRASES = [
    phrase
    for row in re.findall(r"^\| (?!not )([^|-][^|]+) \| [^|]+ \|$", _TABLE, re.MULTILINE)
    for phrase in row.split(", ")
]
_TEXTS = sorted(
    path
    for folder, kinds in (("plugins", "py json toml html"), ("docs", "md"), ("tools", "py"), ("tests_static", "py"))
    for kind in kinds.split()
    for path in (ROOT / folder).rglob(f"*.{kind}")
    if path.name != "glossary.md" and "texts" not in path.parts
)
PAGES = [*_TEXTS, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "RELEASING.md", "Makefile"))]


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_not_used(phrase: str) -> None:
    """What the glossary replaces is replaced."""
    spaced = r"\s+".join(map(re.escape, phrase.split()))
    words = re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)

    assert [] == [str(page.relative_to(ROOT)) for page in PAGES if words.search(page.read_text(encoding="utf-8"))]


def test_there_are_phrases() -> None:
    """The table is read."""
    assert {"mended", "as AWS asks in"} < set(PHRASES)
