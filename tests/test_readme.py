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
    english, japanese = (re.findall(pattern, text, re.MULTILINE) for text in (README, JAPANESE))

    assert english
    assert sorted(english) == sorted(japanese)
    assert english == japanese or pattern.startswith(r"\]")
