"""The machines of the contract have their tools, and reach what they have to."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.commands import Commands
from infraspec.checks.hosts import check_host
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.hosts import host_facts

pytestmark = pytest.mark.live


def test_hosts(contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Programs are there in their versions, and connections can be opened: here, and where ssh leads to."""
    hosts = [one for one in contract.hosts.items() if one[1].is_of(environment) and not one[1].is_reached_by_aws]
    if not hosts:
        pytest.skip("the contract has no [hosts] for the environment that are reached without AWS")
    findings = [one for name, host in hosts for one in check_host(name, host, host_facts(name, host))]
    assert_proven("hosts", findings)


def test_hosts_by_aws(
    snapshot: Calls, commands: Commands | None, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """The same of managed nodes and containers, which AWS runs commands on where the contract consents."""
    hosts = [one for one in contract.hosts.items() if one[1].is_of(environment) and one[1].is_reached_by_aws]
    if not hosts:
        pytest.skip("the contract consents to no commands in the environment: it has no ssm:// or ecs:// in [hosts]")
    if commands is None:
        pytest.skip("the sandbox has no machines that run commands")
    facts = [(name, host, host_facts(name, host, snapshot, commands)) for name, host in hosts]
    assert_proven("hosts", [one for name, host, told in facts for one in check_host(name, host, told)])
