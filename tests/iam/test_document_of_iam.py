"""The examples of docs/iam.md run and print what stands there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from infraspec.iam.case import decided

TEXT = (Path(__file__).parents[2] / "docs/iam.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the first code block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_in_python() -> None:
    """The example prints the outcome and the reason that the document shows."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block("python"), {})  # noqa: S102 - our own document
    assert block("text") == printed.getvalue()


def test_the_example_of_simulate() -> None:
    """The case of the document gives the line that the document shows."""
    (line,) = decided(block("json").encode().splitlines(), "cases.jsonl")
    assert f"    {line}\n" in TEXT


def test_the_number_of_cases() -> None:
    """The document says how many cases there are."""
    cases = (Path(__file__).parents[2] / "fixtures/iam/cases.jsonl").read_text(encoding="utf-8")
    assert f"{len(cases.splitlines()):,} requests" in TEXT
