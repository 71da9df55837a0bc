"""Hold the tests of the folder to the whole text of the findings and of the errors."""

from typing import Any

import pytest

from infraspec.core.finding import Finding
from tests.whole_results import Transcript, overhear


@pytest.fixture(autouse=True)
def whole_results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Compare all that a test is told with what is kept."""
    overhear(request, monkeypatch, transcript, "infraspec.checks", _findings)


def _findings(returned: Any) -> list[str]:
    found = returned if isinstance(returned, list | tuple) else [returned]
    return [str(one) for one in found if isinstance(one, Finding)]
