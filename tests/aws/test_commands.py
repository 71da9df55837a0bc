"""Commands on nodes and in containers: by doubles of AWS's clients, and a plugin of the test that runs them here."""

from __future__ import annotations

import base64
import shlex
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infraspec.aws.commands import CommandOutcome, Commands, ContainerTarget, outcome_of
from infraspec.core.errors import HostError, RunnerPermissionError

CONTAINER = ContainerTarget("shop", "arn:aws:ecs:eu-west-1:111122223333:task/shop/0a1b", "app", "0a1b-265927825")
TOKEN = "token-that-opens-the-session"  # noqa: S105 - of a test


class InvalidInstanceId(ClientError):  # type: ignore[misc] # noqa: N818 - the name that boto3 gives it
    """What AWS says of a node that it does not know."""


def refused(code: str, kind: type[ClientError] = ClientError) -> ClientError:
    """Make the error of a code."""
    return kind({"Error": {"Code": code, "Message": code}}, "operation")


class Node:
    """An SSM that answers one thing after the other; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[dict[str, Any]] = []
        self.exceptions = SimpleNamespace(InvalidInstanceId=InvalidInstanceId, ClientError=ClientError)
        self.meta = SimpleNamespace(endpoint_url="https://ssm.eu-west-1.amazonaws.com")

    def send_command(self, **parameters: Any) -> dict[str, Any]:
        """Take a command."""
        self.sent.append(parameters)
        return {"Command": {"CommandId": "c-1"}}

    def get_command_invocation(self, **_: Any) -> Any:
        """Tell what became of it."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ClientError):
            raise answer
        return answer


def commands(**clients: Any) -> tuple[Commands, list[float]]:
    """Return what runs commands with doubles, and the list of its waits; each look at the clock is 10 s later."""
    waits: list[float] = []
    ticks = count(0.0, 10.0)
    double: Any = SimpleNamespace(client=lambda service: clients[service], region="eu-west-1")
    return Commands(double, clock=lambda: next(ticks), wait=waits.append), waits


def done(status: str, code: int, output: str = "") -> dict[str, Any]:
    """Return the answer of a command that has ended."""
    return {"Status": status, "ResponseCode": code, "StandardOutputContent": output, "StandardErrorContent": "e"}


def test_a_command_on_a_node_is_waited_for() -> None:
    """Right after it was sent AWS may not know it; an exit code that is not zero is an answer like any other."""
    node = Node(refused("InvocationDoesNotExist"), {"Status": "InProgress"}, done("Failed", 3, "1.9.5"))
    runs, waits = commands(ssm=node)
    assert CommandOutcome(3, "1.9.5", "e") == runs.on_node("i-0a1b", "terraform version")
    assert 2 == len(waits)
    (sent,) = node.sent
    assert (["i-0a1b"], "AWS-RunShellScript") == (sent["InstanceIds"], sent["DocumentName"])
    assert ["terraform version"] == sent["Parameters"]["commands"]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"Status": "InProgress"}, "is InProgress after 60 s"),
        ({"Status": "TimedOut", "StatusDetails": "DeliveryTimedOut", "ResponseCode": -1}, "DeliveryTimedOut"),
        ({"Status": "Cancelled", "ResponseCode": -1}, "Cancelled"),
        (done("Success", -1), "Success"),
    ],
)
def test_a_command_that_did_not_run_is_an_error(answer: dict[str, Any], found: str) -> None:
    """Nothing is said of the machine, and the wait ends."""
    runs, _ = commands(ssm=Node(answer))
    with pytest.raises(HostError, match="the command did not run") as error:
        runs.on_node("i-0a1b", "true")
    assert found in error.value.found


def test_a_node_that_aws_does_not_know_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that the runner may not send commands to: with the statement."""
    node = Node(done("Success", 0))
    runs, _ = commands(ssm=node)

    def refuse(error: ClientError) -> None:
        def send(**_: Any) -> None:
            raise error

        monkeypatch.setattr(node, "send_command", send)

    refuse(refused("InvalidInstanceId", InvalidInstanceId))
    with pytest.raises(HostError) as unknown:
        runs.on_node("i-0a1b", "true")
    assert "no such managed node" in unknown.value.found
    refuse(refused("AccessDeniedException"))
    with pytest.raises(RunnerPermissionError, match="ssm:"):
        runs.on_node("i-0a1b", "true")


def test_output_is_bounded() -> None:
    """A machine that writes without end is none of the run's; what it wrote is in no text of the outcome."""
    runs, _ = commands(ssm=Node(done("Success", 0, "x" * 30_000)))
    outcome = runs.on_node("i-0a1b", "yes")
    assert 24_000 == len(outcome.output)
    assert "x" not in repr(outcome).replace("exit", "")
    encoded = base64.b64encode(b"y" * 30_000).decode()
    assert 24_000 == len(outcome_of(f"m:0:{encoded}:m", "m", "here").output)


class Cluster:
    """An ECS whose sessions are those of the plugin of the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked: list[dict[str, Any]] = []

    def execute_command(self, **parameters: Any) -> dict[str, Any]:
        """Put the command where the plugin finds it."""
        self.asked.append(parameters)
        (self.directory / "command").write_text(parameters["command"], encoding="utf-8")
        return {"session": {"sessionId": "s-1", "streamUrl": "wss://stream", "tokenValue": TOKEN}}


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a plugin on the path that runs the command here, as a terminal would show it; exit codes are lost."""
    program = tmp_path / "session-manager-plugin"
    place = shlex.quote(str(tmp_path))
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >{place}/arguments; printf %s "$AWS_SSM_START_SESSION_RESPONSE" >{place}/session\n'
        'printf "Starting session with SessionId: s-1\\r\\n"\n'
        f'eval "$(cat {place}/command)" | sed "s/$/\\r/"\n'
        'printf "\\r\\nExiting session with sessionId: s-1.\\r\\n"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("echo 'one two'; echo three >&2; exit 7", CommandOutcome(7, "one two\nthree")),
        ("printf 'ü %s' \"$((1+1))\"", CommandOutcome(0, "ü 2")),
        ("absent-of-infraspec 2>/dev/null", CommandOutcome(127)),
        ("cat", CommandOutcome(0)),
        ("seq 200 | tr '\\n' ' '", CommandOutcome(0, " ".join(str(number) for number in range(1, 201)) + " ")),
    ],
)
def test_a_command_in_a_container_tells_its_code_and_output(
    plugin: Path, command: str, outcome: CommandOutcome
) -> None:
    """Though ECS Exec does not: among what the plugin and the terminal write."""
    cluster = Cluster(plugin)
    runs, _ = commands(ecs=cluster, ssm=Node())
    assert outcome == runs.in_container(CONTAINER, command)
    (asked,) = cluster.asked
    assert ("shop", CONTAINER.task, "app", True) == tuple(
        asked[name] for name in ("cluster", "task", "container", "interactive")
    )


def test_the_token_of_a_session_is_in_no_argument(plugin: Path) -> None:
    """Whoever lists processes sees arguments; the plugin gets the session in its environment."""
    runs, _ = commands(ecs=Cluster(plugin), ssm=Node())
    runs.in_container(CONTAINER, "true")
    arguments = (plugin / "arguments").read_text(encoding="utf-8")
    assert TOKEN not in arguments
    assert "ecs:shop_0a1b_0a1b-265927825" in arguments
    assert TOKEN in (plugin / "session").read_text(encoding="utf-8")


def test_without_the_plugin_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with the page that installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    cluster = Cluster(tmp_path)
    runs, _ = commands(ecs=cluster)
    with pytest.raises(HostError, match="session-manager-plugin is not installed") as error:
        runs.in_container(CONTAINER, "true")
    assert "install-plugin" in error.value.remedy
    assert [] == cluster.asked


@pytest.mark.parametrize("stream", ["", "Cannot perform start session: EOF", "m:0", "m:0:eA==:n", "m::eA==:m"])
def test_a_session_without_a_result_is_an_error(stream: str) -> None:
    """Nothing that a session wrote is part of it."""
    with pytest.raises(HostError) as error:
        outcome_of(f"a secret {stream}", "m", "here")
    assert "without a result" in error.value.found
    assert "a secret" not in str(error.value)
