"""Machines asked through testinfra: the one that the suite runs on, and those reached by ssh."""

from __future__ import annotations

import re
from typing import Any

from infraspec.contract.hosts import Host
from infraspec.errors import HostError
from infraspec.process.hosts import HostFacts

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_ASKED = {"terraform": "version", "kubectl": "version --client", "go": "version"}
"""What a tool is asked for its version with, where that is not --version."""


def host_facts(name: str, host: Host) -> HostFacts:
    """Ask a machine for its tools and what it reaches. Raises HostError if it cannot be asked."""
    import testinfra  # noqa: PLC0415 - a contract without hosts does not need it

    try:
        machine = testinfra.get_host(host.host)
        return HostFacts(
            {tool: _version(machine, tool) for tool in host.tools},
            {endpoint: _reaches(machine, endpoint) for endpoint in host.reach},
        )
    except (OSError, RuntimeError, AssertionError) as error:
        raise HostError(
            f"the host {name} cannot be asked",
            place=f"hosts.{name}",
            expected=f"{host.host} that runs commands for this user",
            found=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            remedy="try it by hand with ssh, with the same user and agent",
        ) from None


def _version(machine: Any, tool: str) -> str | None:
    if not machine.exists(tool):
        return None
    result = machine.run(f"%s {_ASKED.get(tool, '--version')}", tool)
    found = _VERSION.search(f"{result.stdout}\n{result.stderr}")
    return found[0] if result.rc == 0 and found else None


def _reaches(machine: Any, endpoint: str) -> bool:
    address, _, port = endpoint.rpartition(":")
    return bool(machine.addr(address).port(int(port)).is_reachable)
