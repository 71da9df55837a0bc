"""The machines of the contract have their tools, and reach what they have to."""

import pytest

from infraspec.checks.hosts import check_host
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.hosts import host_facts

pytestmark = pytest.mark.live


def test_hosts(contract: Contract, environment: str, assert_proven: AssertProven) -> None:
    """Programs are there in their versions, and connections can be opened."""
    hosts = {name: one for name, one in contract.hosts.items() if environment in (one.environments or [environment])}
    if not hosts:
        pytest.skip("the contract has no [hosts] for the environment")
    findings = [one for name, host in hosts.items() for one in check_host(name, host, host_facts(name, host))]
    assert_proven("hosts", findings)
