"""The documentation is of one piece: pages that come from the code, links, the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.reference import PAGES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FILES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "README.ja.md", ROOT / "CONTRIBUTING.md"])
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_pages_from_the_code(name: str) -> None:
    """docs/rules.md and docs/fixtures.md are what `make reference` writes."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]().rstrip() + "\n"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_links(path: Path) -> None:
    """Every relative link leads to a file, and its anchor to a heading."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        file = path.parent / target if target else path
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{target}#{anchor}"


def test_every_page_is_in_the_site() -> None:
    """mkdocs.yml has every page once, and nothing else."""
    named = re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(path.name for path in DOCS.glob("*.md"))
