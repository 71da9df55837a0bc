"""The README in two languages; tests/docs runs its code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_documents_that_are_linked_exist() -> None:
    """Every relative link of the README leads somewhere."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("name", ["README.ja.md", "docs/getting-started.ja.md"])
def test_japanese_has_no_stray_spaces(name: str) -> None:
    """No line ends with a space, and none stands between two full-width letters."""
    text = (ROOT / name).read_text(encoding="utf-8")

    assert [] == re.findall(r"[ \t]+$", text, re.MULTILINE)
    assert [] == re.findall(r"[\u3040-\u30ff\u4e00-\u9fff、。] +[\u3040-\u30ff\u4e00-\u9fff]", text)


JAPANESE = (ROOT / "README.ja.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^#+(?= )",  # headings by level
        r"^```[\s\S]*?^```",  # blocks of code, word for word
        r"^\|(?= ?`[^|]*\|)",  # rows of tables that begin with code
        r"`--infraspec-[a-z]+",
        r"\]\((docs/[^)#]+|C[A-Z]+\.md|bench/[^)]+|fixtures/[^)]+)\)",
    ],
)
def test_japanese_is_in_step(pattern: str) -> None:
    """README.ja.md has the headings, code, tables and links of README.md, in the same order but for links."""
    translated = JAPANESE.replace(".ja.md", ".md")  # a page that there is in Japanese is linked in Japanese
    english, japanese = (re.findall(pattern, text, re.MULTILINE) for text in (README, translated))

    assert english
    assert sorted(english) == sorted(japanese)
    assert english == japanese or pattern.startswith(r"\]")
