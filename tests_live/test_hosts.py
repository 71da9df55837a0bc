"""Machines that AWS leads to: the part of the rule that runs commands on them, where the contract consents."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.commands import Commands
from infraspec.checks.deployed.hosts import check_hosts
from infraspec.contract.models import Contract
from infraspec.core.rules import HOSTS
from infraspec.live.facts.hosts import host_facts
from infraspec.pytest_plugin.fixtures.static import AssertProven

pytestmark = pytest.mark.live


def test_hosts_by_aws(
    snapshot: Calls, commands: Commands | None, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """Managed nodes and containers have their tools, and reach what they have to."""
    hosts = [one for one in contract.hosts.items() if one[1].is_of(environment) and one[1].is_reached_by_aws]
    if not hosts:
        pytest.skip("the contract consents to no commands in the environment: it has no ssm:// or ecs:// in [hosts]")
    if commands is None:
        pytest.skip("the sandbox has no machines that run commands")
    facts = [(name, host, host_facts(name, host, snapshot, commands)) for name, host in hosts]
    assert_proven(HOSTS.id, check_hosts(facts))
