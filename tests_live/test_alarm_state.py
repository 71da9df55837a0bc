"""The alarms of the source are in AWS, as it says, evaluated and quiet."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.alarm_state import alarm_names, check_alarm_state
from infraspec.checks.whereabouts import nothing_judged
from infraspec.contract.alarms import Alarms
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.alarm_status import alarm_states
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_alarm_state(
    plan: Plan, live_plan: Plan, snapshot: Calls, contract: Contract, assert_proven: AssertProven
) -> None:
    """Every alarm of the source exists as it says, is evaluated, looks at what exists, and does not flap."""
    names = alarm_names(plan)
    if not names:
        pytest.skip("the source has no alarm")
    states = alarm_states(snapshot, names, (contract.alarms or Alarms()).live.hours)
    findings = check_alarm_state(plan, live_plan, states, contract)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("alarm-state", findings)
