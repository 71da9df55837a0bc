"""What the machines of the contract told of their tools, and of what they reach."""

from __future__ import annotations

import pytest

from infraspec.checks.deployed.hosts import HostFacts, check_hosts
from infraspec.contract.live import Host
from infraspec.core.finding import Verdict

PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("1.9", "1.9.5", PROVEN),
        ("1.9.5", "1.9.5", PROVEN),
        ("", "0.1", PROVEN),
        ("1.9", "1.90.0", VIOLATED),
        ("1", "2.0", VIOLATED),
        ("", None, VIOLATED),
    ],
)
def test_a_version_begins_as_the_contract_says(wanted: str, found: str | None, verdict: Verdict) -> None:
    """By whole numbers."""
    (finding,) = check_hosts([("runner", Host(tools={"terraform": wanted}), HostFacts({"terraform": found}))])
    assert (verdict, "hosts.runner", "terraform") == (finding.verdict, finding.address, finding.subject)


def test_what_is_not_reached_is_a_finding() -> None:
    """A connection that was opened is the proof."""
    host = Host(reach=["db:5432", "cache:6379"])
    found = check_hosts([("runner", host, HostFacts(reached={"db:5432": True, "cache:6379": False}))])
    assert [("db:5432", PROVEN), ("cache:6379", VIOLATED)] == [(one.subject, one.verdict) for one in found]
