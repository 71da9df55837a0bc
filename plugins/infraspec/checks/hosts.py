"""Rule `hosts`: the machines of the contract have their tools, and reach what they have to."""

from __future__ import annotations

from infraspec.contract.hosts import Host
from infraspec.finding import Finding, Verdict
from infraspec.process.hosts import HostFacts

RULE = "hosts"


def check_host(name: str, host: Host, facts: HostFacts) -> list[Finding]:
    """Judge each tool and each endpoint of a machine by what it told."""
    tools = [_tool(name, tool, wanted, facts.tools.get(tool)) for tool, wanted in host.tools.items()]
    return [*tools, *(_reach(name, endpoint, reached=facts.reached.get(endpoint, False)) for endpoint in host.reach)]


def _tool(name: str, tool: str, wanted: str, found: str | None) -> Finding:
    address, fits = f"hosts.{name}", found is not None and f"{found}.".startswith(f"{wanted}.".lstrip("."))
    if fits:
        return Finding(RULE, Verdict.PROVEN, address, tool, reason=f"version {found}")
    return Finding(
        RULE,
        Verdict.VIOLATED,
        address,
        tool,
        expected=f"{tool} {wanted}".rstrip(),
        found=f"version {found}" if found else "not there, or it does not say its version",
        reason="what is tested with one version is run with another" if found else "what needs it fails",
        remedy=f"install {tool} {wanted}".rstrip(),
    )


def _reach(name: str, endpoint: str, *, reached: bool) -> Finding:
    address = f"hosts.{name}"
    if reached:
        return Finding(RULE, Verdict.PROVEN, address, endpoint, reason="a TCP connection was opened")
    return Finding(
        RULE,
        Verdict.VIOLATED,
        address,
        endpoint,
        expected=f"a TCP connection to {endpoint}",
        found="none could be opened",
        reason="a security group, a route or a name keeps it out, or nobody listens",
        remedy="look at the rule databases for the path, and at the security group of the machine",
    )
