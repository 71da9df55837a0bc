"""The access table and its documentation say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.ecs.access_table import EXECUTION, TABLE, TASK, Access

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
HEAD = ["| feature | role | permission | on | AWS document |", "|---|---|---|---|---|"]


def rendered() -> list[str]:
    """Return the table as the documentation shows it."""
    return HEAD + [_line(row) for row in TABLE]


def _line(row: Access) -> str:
    actions = ", ".join(f"`{action}`" for action in row.actions)
    resource = f"{row.resource} ({row.note})" if row.note else row.resource
    return f"| {row.feature} | {row.role} | {actions} | {resource} | [{row.source}]({row.source.url}) |"


def test_the_documentation_shows_the_table() -> None:
    """Each row stands in docs/access.md as it is, and nothing else does."""
    written = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert "\n".join(written) == "\n".join(rendered())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.feature} {row.actions[0]}")
def test_a_row_is_whole(row: Access) -> None:
    """A row names a role, actions of one service, and a document of AWS."""
    assert row.role in {EXECUTION, TASK}
    assert len({action.partition(":")[0] for action in row.actions}) == 1
    assert row.source.url.startswith("https://docs.aws.amazon.com/")
    assert row.certain or row.note
