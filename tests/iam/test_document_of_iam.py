"""What docs/iam.md says of the cases; tests/docs runs its examples."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_number_of_cases() -> None:
    """The document says how many cases there are."""
    cases = (ROOT / "fixtures/iam/cases.jsonl").read_text(encoding="utf-8")
    assert f"{len(cases.splitlines()):,} requests" in (ROOT / "docs/iam.md").read_text(encoding="utf-8")
