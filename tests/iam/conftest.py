"""Hold the tests of the folder to the whole text of decisions, faults and errors."""

from typing import Any

import pytest

from infraspec.iam.evaluation.decision import Decision, why
from tests.whole_results import Transcript, described, overhear


@pytest.fixture(autouse=True)
def whole_results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Compare all that a test is told with what is kept."""
    overhear(request, monkeypatch, transcript, "infraspec.iam", _told)


def _told(returned: Any) -> list[str]:
    if not isinstance(returned, Decision):
        return [described(one) for one in returned] if isinstance(returned, list | tuple) else [described(returned)]
    lines = [
        f"{returned.outcome.value}, allowed {returned.allowed.name}, blocked by {described(returned.blocked_by)}",
        f"  why: {why(returned)}",
        f"  deciding: {returned.deciding}",
        f"  nearest: {described(returned.nearest)}",
        *(f"  doubt: {described(doubt)}" for doubt in returned.doubts),
    ]
    return ["\n".join(lines)]
