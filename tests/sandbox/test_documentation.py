"""docs/sandbox.md shows what runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infraspec.sandbox import running as module
from infraspec.sandbox.running import Running

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/sandbox.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_first_example_runs(
    sandbox: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the endpoint; the sandbox it starts is here the one of the session."""

    @contextmanager
    def start(_contract: Any, environment: str) -> Iterator[Running]:
        assert environment == "prod"
        yield sandbox

    monkeypatch.setattr(module, "start", start)
    monkeypatch.chdir(ROOT)
    exec(BLOCKS[0], {})  # noqa: S102 - our own documentation
    assert capsys.readouterr().out == f"{sandbox.endpoint}\n"


def test_the_replay_is_the_one_that_is_tested() -> None:
    """The second example compiles; tests/sandbox/test_incident.py runs its steps."""
    compile(BLOCKS[1], "docs/sandbox.md", "exec")
    assert "ROLLBACK_SUCCESSFUL" in BLOCKS[1]
