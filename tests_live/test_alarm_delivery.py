"""An alert reaches people: topics, their policies and keys, the rules that send to them, and subscriptions."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.canary import Courier
from infraspec.checks.alarm_delivery import alert_topics, check_alarm_delivery
from infraspec.checks.canary import check_canary
from infraspec.checks.whereabouts import nothing_judged
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.canary import canary_facts
from infraspec.live.subscriptions import live_subscriptions
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_alarm_delivery(  # noqa: PLR0917 - fixtures
    plan: Plan, live_plan: Plan, snapshot: Calls, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """What CloudWatch and EventBridge publish passes policy and key, and somebody confirmed a subscription."""
    if not plan.managed("aws_sns_topic"):
        pytest.skip("the source has no topic")
    subscriptions = live_subscriptions(snapshot, alert_topics(plan, live_plan))
    findings = check_alarm_delivery(plan, live_plan, subscriptions, contract, environment)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("alarm-delivery", findings)


def test_canary_message(
    snapshot: Calls, courier: Courier | None, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """A message that is marked as a test arrives, where the contract consents to publish it."""
    canary = contract.environments[environment].live.canary
    if courier is None or canary is None:
        pytest.skip("the contract does not consent to publish: it has no [environments.NAME.live.canary]")
    findings = [check_canary(canary, facts) for facts in canary_facts(snapshot, courier, canary)]
    assert_proven("alarm-delivery", findings)
