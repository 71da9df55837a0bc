"""The access table and its documentation say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.ecs.access_table import ROWS, Access

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
HEAD = ["| feature | role | permission | on | AWS document |", "|---|---|---|---|---|"]


def rendered() -> list[str]:
    """Return the table as the documentation shows it."""
    return HEAD + [_line(row) for row in ROWS.values()]


def _line(row: Access) -> str:
    actions = ", ".join(f"`{action}`" for action in row.actions)
    resource = f"{row.resource} ({row.note})" if row.note else row.resource
    return f"| {row.feature} | {row.role} | {actions} | {resource} | [{row.source}]({row.source.url}) |"


def test_the_documentation_shows_the_table() -> None:
    """Each row stands in docs/access.md as it is, and nothing else does."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n## The table\n")[2].partition("\n## ")[0]
    written = [line for line in section.splitlines() if line.startswith("|")]
    assert "\n".join(written) == "\n".join(rendered())


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: f"{row.feature} {row.actions[0]}")
def test_a_row_is_whole(row: Access) -> None:
    """A row names a role that a row of trust has, actions of one service on a resource, and a document of AWS."""
    assert row.role in {one.role for one in ROWS.values() if one.principal}
    assert row.target == "*" or len({action.partition(":")[0] for action in row.actions}) == 1
    assert row.source.url.startswith("https://docs.aws.amazon.com/")
    assert row.certain or row.note
