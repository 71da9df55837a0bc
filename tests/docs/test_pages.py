"""The documentation is of one piece: pages that come from the code, links, the site."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.mkdocs_links import on_page_markdown
from tools.reference import PAGES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FILES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_pages_from_the_code(name: str) -> None:
    """The pages, or parts of them, that come from the code are what `make reference` writes."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]().rstrip() + "\n"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
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
    named = re.findall(r": ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("live.md", "../bench/README.md#live-tests", "https://x.example/repo/blob/main/bench/README.md#live-tests"),
        ("adr/index.md", "../../fixtures", "https://x.example/repo/tree/main/fixtures"),
        ("adr/index.md", "../verdicts.md", "../verdicts.md"),
    ],
)
def test_links_of_the_site(page: str, link: str, expected: str) -> None:
    """A link that leads out of docs/ leads to the repository on the site; others stay as they are."""
    config = SimpleNamespace(repo_url="https://x.example/repo")
    made = on_page_markdown(f"[a]({link})", page=SimpleNamespace(file=SimpleNamespace(src_uri=page)), config=config)

    assert f"[a]({expected})" == made


def test_the_words_of_the_glossary() -> None:
    """A term stands once, and its Japanese is that of README.ja.md."""
    page = (DOCS / "glossary.md").read_text(encoding="utf-8").partition("## Words that are not used")[0]
    rows = re.findall(r"^\| (?!term )([^|]+) \| ([^|]*)\| [^|]+ \|$", page, re.MULTILINE)
    text = "".join((ROOT / "README.ja.md").read_text(encoding="utf-8").split())

    assert sorted({term for term, _ in rows}) == sorted(term for term, _ in rows)
    assert [] == [word for _, word in rows if word.strip() not in text]
    assert any(word.strip() for _, word in rows)
