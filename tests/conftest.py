"""Settings of every test, and the sandbox that all of a session share."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infraspec import contract as contracts
from infraspec.sandbox.running import Running, start
from tests.whole_results import Transcript, held

# No examples are judged by the time they take, which depends on what else runs.
settings.register_profile("infraspec", deadline=None)
settings.load_profile("infraspec")

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "fixtures/daily-report-tool"


def pytest_collection_finish() -> None:
    """Take what was collected, twelve thousand tests, out of the collector's sight: it would look at it ever again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Running]:
    """Run a sandbox that holds the production of the reference infrastructure; a test leaves it as it found it."""
    with start(contracts.load(REFERENCE), "prod") as running:
        yield running


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture
def transcript(request: pytest.FixtureRequest) -> Iterator[Transcript]:
    """Keep what a test says to it, and compare it with what is kept."""
    yield from held(request)
