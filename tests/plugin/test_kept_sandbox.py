"""A run with ENV=local is about the environment that the sandbox it asks was started with."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import fields

from infraspec.pytest_plugin.options import Setting, Settings
from infraspec.pytest_plugin.own_checks import Hooks
from infraspec.pytest_plugin.session import Session
from infraspec.sandbox.background_server import Kept
from tests.plugin.project import REFERENCE

ENDPOINT = "http://127.0.0.1:4999"


@pytest.mark.parametrize(
    ("endpoint", "started_with", "expected"),
    [
        (ENDPOINT, "prod", "prod"),
        (ENDPOINT, "of another contract", "dev"),
        ("http://127.0.0.1:5000", "prod", "dev"),
        ("", "prod", "dev"),
    ],
    ids=["this one", "of another contract", "another sandbox", "none"],
)
def test_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, started_with: str, expected: str
) -> None:
    """`infraspec sandbox up --env prod` and then ENV=local is about prod; any other sandbox about the contract's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    Kept(1, "token", ENDPOINT, str(REFERENCE), started_with, "123456789012", "aws", {}, {}).write()
    given = {"directory": str(REFERENCE), "environments": "local", "live": "yes"}
    settings = Settings(**{field.name: Setting(given.get(field.name, ""), "option") for field in fields(Settings)})

    assert Session(settings, cast("Hooks", None)).sandbox_environment == expected
