"""yamldecode where PyYAML is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infraspec.core.unknown import Unknown
from infraspec.terraform.language.functions import call
from infraspec.terraform.language.functions.filesystem import RootFiles


def test_without_pyyaml_the_result_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is no requirement: without it the result is unknown, and says what it would be read from."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    files = RootFiles(Path(__file__).parent, Path(__file__).parent)
    assert call("yamldecode", ["a: 1"], files) == Unknown('yamldecode("a: 1")')
