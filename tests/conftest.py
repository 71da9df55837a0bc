"""Settings of every test, and the sandbox that all of a session share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infraspec import contract as contracts
from infraspec.sandbox.running import Running, start

# No examples are judged by the time they take, which depends on what else runs.
settings.register_profile("infraspec", deadline=None)
settings.load_profile("infraspec")

REFERENCE = Path(__file__).resolve().parents[1] / "fixtures/daily-report-tool"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Running]:
    """Run a sandbox that holds the production of the reference infrastructure; a test leaves it as it found it."""
    with start(contracts.load(REFERENCE), "prod") as running:
        yield running
