"""Hold the tests of the folder to the whole text of reports and errors."""

from typing import Any

import pytest

from tests.aws.conftest import _server, moto  # noqa: F401 - fixtures
from tests.whole_results import Transcript, described, overhear


@pytest.fixture(autouse=True)
def whole_results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Compare all that a test is told with what is kept."""
    overhear(request, monkeypatch, transcript, "infraspec.reporting", _told)


def _told(returned: Any) -> list[str]:
    return [described(one) for one in returned] if isinstance(returned, list | tuple) else [described(returned)]
