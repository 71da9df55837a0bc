"""A message reaches people: the part of the rule that publishes one, where the contract consents."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.commands import Courier
from infraspec.checks.alarms.alarm_delivery import check_canary
from infraspec.contract.models import Contract
from infraspec.core.rules import ALARM_DELIVERY
from infraspec.live.facts.alarms import canary_facts
from infraspec.pytest_plugin.fixtures.static import AssertProven

pytestmark = pytest.mark.live


def test_canary_message(
    snapshot: Calls, courier: Courier | None, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """A message that is marked as a test arrives, where the contract consents to publish it."""
    canary = contract.environments[environment].live.canary
    if courier is None or canary is None:
        pytest.skip("the contract does not consent to publish: it has no [environments.NAME.live.canary]")
    findings = [check_canary(canary, facts) for facts in canary_facts(snapshot, courier, canary)]
    assert_proven(ALARM_DELIVERY.id, findings)
