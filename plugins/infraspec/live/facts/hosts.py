"""Machines asked through testinfra: the one that the suite runs on, and those reached by ssh or by AWS."""

from __future__ import annotations

import re
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.aws.commands import Commands
from infraspec.contract.hosts import Host
from infraspec.errors import HostError
from infraspec.process.hosts import HostFacts

_VERSION = re.compile(r"\d+(?:\.\d+)+")
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
    import testinfra  # noqa: PLC0415 - a contract without hosts does not need it

    if not host.is_reached_by_aws:
        return testinfra.get_host(host.host)
    if calls is None or commands is None:
        raise HostError(
            "AWS runs no commands for this run",
            place=host.host,
            remedy="let its environment consent: run_commands = true",
        )
    from infraspec.live.facts.machines import machine_of  # noqa: PLC0415 - it imports testinfra

    return machine_of(host.host, calls, commands)


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
