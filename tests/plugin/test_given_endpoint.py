"""A sandbox that somebody else started is asked where it is, in the region that the caller exported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import pytest

from infraspec.pytest_plugin.live_access import SandboxHandle

if TYPE_CHECKING:
    from infraspec.contract.models import Contract


def test_the_exported_region_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is asked the region and the address stay, a profile does not; afterwards all is as before."""
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4999", "AWS_REGION": "eu-central-1", "AWS_PROFILE": "work"}
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    handle = SandboxHandle()
    handle.start(cast("Contract", None), "prod")
    inside = {name: os.environ.get(name) for name in given}
    handle.stop()

    assert {**given, "AWS_PROFILE": None} == inside
    assert given == {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
