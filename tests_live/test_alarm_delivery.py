"""An alert reaches people: topics, their policies and keys, the rules that send to them, and subscriptions."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.alarm_delivery import alert_topics, check_alarm_delivery
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
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
    assert_proven("alarm-delivery", findings)
