"""Rule `hosts`: the machines of the contract have their tools, and reach what they have to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from infraspec.contract.live import Host
from infraspec.core.finding import Finding
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES

RULE = RULES["hosts"]


class HostFacts(Struct, frozen=True):
    """The versions of tools, None for one that is not there or does not say it, and what was reached, by endpoint."""

    tools: Mapping[str, str | None] = field(default_factory=dict)
    reached: Mapping[str, bool] = field(default_factory=dict)


def check_hosts(hosts: Iterable[tuple[str, Host, HostFacts]]) -> list[Finding]:
    """Judge each tool and each endpoint of each machine by what it told."""
    return [finding for name, host, facts in hosts for finding in _of_host(f"hosts.{name}", host, facts)]


def _of_host(address: str, host: Host, facts: HostFacts) -> Iterator[Finding]:
    for tool, wanted in host.tools.items():
        yield _tool(RULE.about(address, tool), wanted, facts.tools.get(tool))
    for endpoint in host.reach:
        yield _reach(RULE.about(address, endpoint), reached=facts.reached.get(endpoint, False))


def _tool(tool: Subject, wanted: str, found: str | None) -> Finding:
    if found is not None and f"{found}.".startswith(f"{wanted}.".lstrip(".")):
        return tool.proven(f"version {found}")
    named = f"{tool.name} {wanted}".rstrip()
    return tool.say("other-version" if found else "no-tool", tool=named, found=found)


def _reach(endpoint: Subject, *, reached: bool) -> Finding:
    if reached:
        return endpoint.proven("a TCP connection was opened")
    return endpoint.say("not-reached", name=endpoint.name)
