"""A run with ENV=local is about the environment that the sandbox it asks was started with."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import fields

from infraspec.core.errors import SandboxError
from infraspec.pytest_plugin.options import Setting, Settings
from infraspec.pytest_plugin.own_checks import Hooks
from infraspec.pytest_plugin.session import Session
from infraspec.sandbox.background_server import Kept
from tests.plugin.project import REFERENCE

ENDPOINT = "http://127.0.0.1:4999"
OPERATOR = {"AWS_ACCESS_KEY_ID": "key", "AWS_REGION": "eu-west-1"}


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
    Kept(1, "token", ENDPOINT, str(REFERENCE), started_with, "123456789012", "aws", {}, OPERATOR).write()
    given = {"directory": str(REFERENCE), "environments": "local", "live": "yes"}
    settings = Settings(**{field.name: Setting(given.get(field.name, ""), "option") for field in fields(Settings)})

    assert Session(settings, cast("Hooks", None)).sandbox_environment == expected


def test_file_without_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a sandbox that lacks the keys of its operator is an error that names it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    Kept(1, "token", ENDPOINT, str(REFERENCE), "prod", "123456789012", "aws", {}, OPERATOR).write()
    path = tmp_path / "infraspec" / "sandbox.json"
    path.write_text(path.read_text(encoding="utf-8").replace("AWS_ACCESS_KEY_ID", "KEY"), encoding="utf-8")

    with pytest.raises(SandboxError) as caught:
        Kept.read()

    assert (str(path), "ValueError: operator lacks AWS_ACCESS_KEY_ID") == (caught.value.place, caught.value.found)
