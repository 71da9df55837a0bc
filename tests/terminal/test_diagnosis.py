"""A diagnosis on a terminal has all that its text has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from infraspec.cli.terminal import show
from infraspec.cli.terminal_view import view
from infraspec.reporting.diagnosis import diagnosis_document
from infraspec.reporting.document import as_text
from tests.live.fleet import Cluster
from tests.live.incident import ALLOWING, TERRAFORM, failing, healthy, repaired, rolled_back, unassumed
from tests.live.test_diagnosing import diagnosed
from tests.terminal.screen import on_terminal

CASES: dict[str, tuple[Callable[[], Cluster], str]] = {
    "healthy": (healthy, TERRAFORM),
    "failing": (failing, TERRAFORM),
    "rolled back": (rolled_back, TERRAFORM),
    "recovered": (repaired, ALLOWING),
    "allowed by now": (rolled_back, ALLOWING),
    "role that is gone": (partial(unassumed, None, as_event=True), TERRAFORM),
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("case", CASES)
def test_fits_and_says_all(case: str, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal but one to be pasted, and every word is there."""
    monkeypatch.chdir(tmp_path)
    make, text = CASES[case]
    found = diagnosis_document(diagnosed(tmp_path, make(), text))
    screen = on_terminal(lambda: show(*view(found)), width)

    lines = as_text(found).splitlines()
    assert [line for line in screen.too_wide() if line not in lines] == []
    assert screen.missing(as_text(found)) == []
