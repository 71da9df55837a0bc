"""Machines asked through testinfra: the one that the suite runs on, and those reached by ssh or by AWS.

Source: testinfra, "Connection backends". Its table of backends takes classes by name for the whole process; these need
clients of the run, so a host is made of the backend itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host as Machine

from infraspec.aws.calls import Calls
from infraspec.aws.commands import CommandOutcome, Commands, ContainerTarget
from infraspec.checks.deployed.hosts import HostFacts
from infraspec.contract.live import Host
from infraspec.core.errors import HostError
from infraspec.live.facts.services import running_tasks

_ABSENT = ("ClusterNotFoundException", "ServiceNotFoundException")
_AGENT = "ExecuteCommandAgent"


class AwsBackend(BaseBackend):  # type: ignore[misc] # testinfra is not typed for us
    """Runs commands by a function; unlike the backends of testinfra it does not log what they write."""

    NAME = "aws"

    def __init__(self, spec: str, execute: Callable[[str], CommandOutcome]) -> None:
        super().__init__(spec)
        self._execute = execute

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command whose placeholders are filled with the arguments, quoted."""
        text = self.get_command(command, *args)
        outcome = self._execute(text)
        return CommandResult(self, outcome.code, text.encode(), outcome.output, outcome.errors)


def container_of(spec: str, calls: Calls) -> ContainerTarget:
    """Return a container of a running task of `ecs://CLUSTER/SERVICE?container=NAME`. Raises HostError."""
    parts = urlsplit(spec)
    cluster, service = parts.netloc, parts.path.strip("/")
    named = parse_qs(parts.query).get("container", [""])[0]
    running = running_tasks(calls, cluster, absent=_ABSENT, serviceName=service)
    if not running:
        raise _no_container(spec, "a running task", "the service has none", "start the service, or correct the host")
    open_tasks = [task for task in running if task.get("enableExecuteCommand")]
    if not open_tasks:
        found = "no running task was started with it"
        remedy = "enable_execute_command = true in the aws_ecs_service, and a deployment after it"
        raise _no_container(spec, "a task with ECS Exec", found, remedy)
    return _chosen(spec, cluster, open_tasks[0], named)


def _chosen(spec: str, cluster: str, task: Mapping[str, Any], named: str) -> ContainerTarget:
    containers = {str(one.get("name")): one for one in task.get("containers", ())}
    name = named or (next(iter(containers)) if len(containers) == 1 else "")
    if name not in containers:
        names = ", ".join(sorted(containers))
        remedy = f'host = "ecs://CLUSTER/SERVICE?container={min(containers, default="NAME")}"'
        raise _no_container(
            spec, "a container of the task by its name", f"{named or 'none named'}; it has {names}", remedy
        )
    chosen = containers[name]
    agents = {agent.get("name"): agent.get("lastStatus") for agent in chosen.get("managedAgents", ())}
    if agents.get(_AGENT) != "RUNNING":
        found = f"it is {agents.get(_AGENT) or 'missing'} in {name}"
        remedy = "let the task role do the four ssmmessages actions, and the task reach the endpoint of ssmmessages"
        raise _no_container(spec, f"a running {_AGENT}", found, remedy)
    return ContainerTarget(cluster, str(task["taskArn"]), name, str(chosen.get("runtimeId", "")))


def _no_container(spec: str, expected: str, found: str, remedy: str) -> HostError:
    return HostError(
        "no container of the host runs commands", place=spec, expected=expected, found=found, remedy=remedy
    )


_VERSION = re.compile(r"(?<!\d)\d++(?:\.\d++)+")
_ASKED = {"terraform": "version", "kubectl": "version --client", "go": "version"}
"""What a tool is asked for its version with, where that is not --version."""


_CODE = re.compile(r"Unexpected exit code \d+")


def host_facts(name: str, host: Host, calls: Calls | None = None, commands: Commands | None = None) -> HostFacts:
    """Ask a machine for its tools and what it reaches. Raises HostError if it cannot be asked.

    A machine that AWS leads to is found by `calls` and asked by `commands`.
    """
    try:
        machine = _machine(host, calls, commands)
        return HostFacts(
            {tool: _version(machine, tool) for tool in host.tools},
            {endpoint: _reaches(machine, endpoint) for endpoint in host.reach},
        )
    except (OSError, RuntimeError, AssertionError) as error:
        raise HostError(
            f"the host {name} cannot be asked",
            place=f"hosts.{name}",
            expected=f"{host.host} that runs commands for this user",
            found=_told(error),
            remedy="try it by hand with ssh, with the same user and agent; a port needs nc, or bash and timeout",
        ) from None


def _machine(host: Host, calls: Calls | None, commands: Commands | None) -> Any:
    """Return the machine that a host of the contract names. Raises HostError if there is none that runs commands."""
    import testinfra  # noqa: PLC0415 - a contract without hosts does not need it

    if not host.is_reached_by_aws:
        return testinfra.get_host(host.host)
    if calls is None or commands is None:
        raise HostError(
            "AWS runs no commands for this run",
            place=host.host,
            remedy="let its environment consent: run_commands = true",
        )
    kind, _, name = host.host.partition("://")
    execute = (
        partial(commands.on_node, name)
        if kind == "ssm"
        else partial(commands.in_container, container_of(host.host, calls))
    )
    backend = AwsBackend(host.host, execute)
    machine = Machine(backend)
    backend.set_host(machine)
    return machine


def _told(error: Exception) -> str:
    """Return what an error says; that of testinfra about an exit code holds what the command wrote."""
    code = _CODE.match(str(error))
    return code[0].lower() if code else f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _version(machine: Any, tool: str) -> str | None:
    if not machine.exists(tool):
        return None
    result = machine.run(f"%s {_ASKED.get(tool, '--version')}", tool)
    found = _VERSION.search(f"{result.stdout}\n{result.stderr}")
    return found[0] if result.rc == 0 and found else None


def _reaches(machine: Any, endpoint: str) -> bool:
    address, _, port = endpoint.rpartition(":")
    return bool(machine.addr(address).port(int(port)).is_reachable)
