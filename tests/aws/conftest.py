"""One moto server for the tests of a worker, emptied before each test that asks for it."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator

import pytest

from tests.aws.moto_server import moto_server, variables


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def moto(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty moto, to which the environment variables of the process lead."""
    urllib.request.urlopen(urllib.request.Request(f"{_server}/moto-api/reset", method="POST"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in variables(_server).items():
        monkeypatch.setenv(name, value)
    return _server
