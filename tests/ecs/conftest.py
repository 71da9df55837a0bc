"""Hold the tests of the folder to the whole text of the errors."""

import pytest

from tests.whole_results import Transcript, overhear


@pytest.fixture(autouse=True)
def whole_results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Compare all that a test is told with what is kept."""
    overhear(request, monkeypatch, transcript)
