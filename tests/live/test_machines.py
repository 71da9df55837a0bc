"""Machines that AWS leads to: which container it is, and what testinfra asks of it."""

from __future__ import annotations

import logging
import subprocess
from typing import Any

import pytest

from infraspec.aws.commands import CommandOutcome, ContainerTarget
from infraspec.contract.live import Host
from infraspec.core.errors import HostError
from infraspec.live.facts.hosts import host_facts
from tests.live.answers import Answers

pytest.importorskip("testinfra")

from infraspec.live.facts.hosts import container_of

SPEC = "ecs://shop/web"
TASK = "arn:aws:ecs:eu-west-1:111122223333:task/shop/0a1b"


def container(name: str, agent: str | None = "RUNNING") -> dict[str, Any]:
    """Return a container as ECS describes it."""
    agents = [{"name": "ExecuteCommandAgent", "lastStatus": agent}] if agent else []
    return {"name": name, "runtimeId": f"0a1b-{name}", "managedAgents": agents}


def task(*containers: dict[str, Any], status: str = "RUNNING", enabled: bool = True) -> dict[str, Any]:
    """Return a task as ECS describes it."""
    return {
        "taskArn": TASK,
        "lastStatus": status,
        "enableExecuteCommand": enabled,
        "containers": list(containers),
    }


def calls(*tasks: dict[str, Any]) -> Answers:
    """Return answers about the tasks of a service."""
    return Answers(
        {("ecs", "list_tasks"): {"taskArns": [TASK] * len(tasks)}, ("ecs", "describe_tasks"): {"tasks": list(tasks)}}
    )


@pytest.mark.parametrize(
    ("spec", "tasks", "name"),
    [
        (SPEC, [task(container("app"))], "app"),
        (f"{SPEC}?container=proxy", [task(container("app"), container("proxy"))], "proxy"),
        (SPEC, [task(container("old"), enabled=False), task(container("app"))], "app"),
        (SPEC, [task(container("old"), status="STOPPING"), task(container("app"))], "app"),
    ],
)
def test_a_container_of_a_running_task(spec: str, tasks: list[dict[str, Any]], name: str) -> None:
    """The only one, or the one that is named; of a task that was started with ECS Exec."""
    assert ContainerTarget("shop", TASK, name, f"0a1b-{name}") == container_of(spec, calls(*tasks))


@pytest.mark.parametrize(
    ("spec", "tasks", "found"),
    [
        (SPEC, [], "the service has none"),
        (SPEC, [task(container("app"), status="PENDING")], "the service has none"),
        (SPEC, [task(container("app"), enabled=False)], "no running task was started with it"),
        (SPEC, [task(container("app"), container("proxy"))], "none named; it has app, proxy"),
        (f"{SPEC}?container=web", [task(container("app"))], "web; it has app"),
        (SPEC, [task(container("app", None))], "it is missing in app"),
        (SPEC, [task(container("app", "STOPPED"))], "STOPPED in app"),
    ],
)
def test_no_container_that_runs_commands(spec: str, tasks: list[dict[str, Any]], found: str) -> None:
    """Each reason has its remedy."""
    with pytest.raises(HostError, match="no container of the host runs commands") as error:
        container_of(spec, calls(*tasks))
    assert found in error.value.found
    assert error.value.remedy


def test_a_service_that_is_not_there() -> None:
    """It has no tasks."""
    with pytest.raises(HostError, match="no container"):
        container_of(SPEC, Answers({("ecs", "list_tasks"): None, ("ecs", "describe_tasks"): {"tasks": []}}))


class Here:
    """Runs commands on this machine, in the place of AWS."""

    def __init__(self) -> None:
        self.places: list[Any] = []

    def _run(self, place: Any, command: str) -> CommandOutcome:
        self.places.append(place)
        ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        return CommandOutcome(ended.returncode, ended.stdout, ended.stderr)

    on_node = in_container = _run


@pytest.mark.parametrize(
    ("spec", "place"), [("ssm://i-0a1b", "i-0a1b"), (SPEC, ContainerTarget("shop", TASK, "app", "0a1b-app"))]
)
def test_what_testinfra_asks_is_run_on_the_machine(spec: str, place: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Tools and connections, as on any other machine; nothing that it writes is logged."""
    host = Host(
        host=spec, environments=["staging"], run_commands=True, tools={"sh-of-nobody": ""}, reach=["127.0.0.1:1"]
    )
    here: Any = Here()
    caplog.set_level(logging.DEBUG)
    facts = host_facts("inside", host, calls(task(container("app"))), here)
    assert ({"sh-of-nobody": None}, {"127.0.0.1:1": False}) == (facts.tools, facts.reached)
    assert {place} == set(here.places)
    assert "RUN" not in caplog.text


def test_a_command_with_an_unexpected_code_is_an_error_without_its_output() -> None:
    """A container without nc and bash tells nothing about a port."""

    def without(_place: Any, command: str) -> CommandOutcome:
        return CommandOutcome(0 if command == "command -v command" else 127, "a secret")

    here: Any = Here()
    here.on_node = without
    host = Host(host="ssm://i-0a1b", environments=["staging"], run_commands=True, reach=["db:5432"])
    with pytest.raises(HostError, match="cannot be asked") as error:
        host_facts("inside", host, calls(), here)
    assert "exit code 127" in error.value.found
    assert "a secret" not in str(error.value)
