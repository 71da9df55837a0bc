"""The documentation is of one piece: pages that come from the code, links, languages of code blocks."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from infraspec.cli import main
from infraspec.hcl.files import parse_file
from tools.reference import PAGES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FILES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "README.ja.md", ROOT / "CONTRIBUTING.md"])
BLOCK = re.compile(r"^```(toml|json|terraform|hcl|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
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


BLOCKS = [
    pytest.param(language, text, id=f"{path.name}-{number}")
    for path in FILES
    for number, (language, text) in enumerate(
        re.findall(
            r"^```(toml|json|terraform|hcl|console)\n(.*?)^```",
            path.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
    )
]


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_code_blocks_are_what_they_say(language: str, text: str, tmp_path: Path) -> None:
    """TOML, JSON and Terraform parse; a command of infraspec in a console block exists, with its options."""
    if language == "toml":
        tomllib.loads(text.replace("…", "0"))
    elif language == "json" and "…" not in text:
        json.loads(text)
    elif language in ("terraform", "hcl") and "…" not in text:
        (tmp_path / "main.tf").write_text(text, encoding="utf-8")
        parse_file(tmp_path / "main.tf", "main.tf")
    elif language == "console":
        for line in re.sub(r"\\\n\s*", " ", text).splitlines():
            if found := re.match(r"\$ infraspec ((?:[a-z-]+ ?)+)(.*)", line):
                _command(found[1].split(), re.findall(r"(?<!\S)(--[a-z-]+)", found[1] + found[2]))


def _command(words: list[str], options: list[str]) -> None:
    command = main
    for word in words:
        inner = getattr(command, "commands", None)
        if inner is None:
            break
        assert word in inner, f"infraspec {' '.join(words)}"
        command = inner[word]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
    assert set(options) <= known
