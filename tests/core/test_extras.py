"""Without what an extra brings, a command that needs it says so, and how to install it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main
from infraspec.contract import load
from infraspec.core import runtime
from infraspec.core.errors import MissingExtraError
from infraspec.core.runtime import installation
from infraspec.pytest_plugin.live_access import SandboxHandle
from infraspec.reporting.notify.notices import Message, send_by_topic

MINIMAL = str(Path(__file__).parents[2] / "fixtures" / "minimal")


@pytest.fixture(autouse=True)
def _nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "find_spec", lambda _name: None)


@pytest.mark.parametrize(
    ("arguments", "message", "extra"),
    [
        (["diagnose", "--env", "dev"], "infraspec diagnose needs boto3", "live"),
        (["sandbox", "up"], "infraspec sandbox needs moto", "sandbox"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_command(arguments: list[str], message: str, extra: str) -> None:
    """The command ends as with any other wrong input, and names the extra."""
    done = CliRunner().invoke(main, [*arguments, "--infra", MINIMAL])

    assert done.exit_code == 2
    assert f"MissingExtraError: {message}, which is not installed" in done.stderr
    assert installation(extra) in done.stderr


def test_the_sandbox_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """ENV=local without the sandbox's extra ends before anything is started."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    sandbox = SandboxHandle()
    with pytest.raises(MissingExtraError, match=r"the sandbox of ENV=local needs moto"):
        sandbox.start(contract=load(Path(MINIMAL)), environment="dev")
    sandbox.stop()


def test_a_topic() -> None:
    """A digest that goes to a topic is not sent without boto3."""
    message = Message("critical", "one thing", "body", "key")
    with pytest.raises(MissingExtraError, match=r"publishing to a topic needs boto3"):
        send_by_topic("arn:aws:sns:eu-west-1:111122223333:alerts", None, message)
