"""Rule `drill`: each failure is heard of at its level and in time, by what is deployed.

The failures of `infraspec drill` happen here as well, on its simulated clock; what passes them on is what the account
has. Source: Amazon CloudWatch User Guide, "Evaluating an alarm".
"""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.checks.common.unknown_remedies import unless_unlisted
from infraspec.contract import located
from infraspec.contract.alarms import Alarms
from infraspec.contract.models import Contract
from infraspec.conventions.placeholders import facts_of
from infraspec.core.finding import Finding, Related
from infraspec.core.rules import RULES
from infraspec.monitoring.drill.failures import asked_failures
from infraspec.monitoring.drill.running import Drill, DrilledFailure
from infraspec.monitoring.drill.verdicts import HEARD, LATE, UNDETERMINED, channels_that_hear, reasons, remedy, verdict
from infraspec.terraform.plan import Plan

RULE = RULES["drill"]
_WAY = (
    "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_sns_topic", "aws_sns_topic_subscription",
)  # fmt: skip
"""What makes up the way of an alert: one of them that nobody could see may be the one that is missed."""
_NAMED_BY = {
    "service": ("aws_ecs_service",),
    "target": ("aws_ecs_service", "aws_lb_target_group", "aws_lb_listener", "aws_lb_listener_rule", "aws_lb"),
}
"""What names a thing in its metrics and events, beside the thing itself."""


def check_drill(live_plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Let each failure that the contract asks about happen to each thing of the account that it can be about.

    Raises ContractError if the contract names a failure or a level that does not exist.
    """
    alarms = contract.alarms or Alarms()
    with located(contract):
        asked = asked_failures(contract.drill, alarms)
    facts = facts_of(contract, environment, region=live_plan.region, account=live_plan.account)
    drill = Drill(live_plan, alarms, facts, environment, asked)
    return [unless_unlisted(live_plan, _judged(one, live_plan), *_rests_on(one, live_plan)) for one in drill.outcomes()]


def _rests_on(outcome: DrilledFailure, plan: Plan) -> Iterator[str]:
    yield from _WAY
    yield from _NAMED_BY.get(outcome.failure.watches, ())
    if subject := plan.by_address.get(outcome.subject):
        yield subject.type


def _judged(outcome: DrilledFailure, plan: Plan) -> Finding:
    failure, said = outcome.failure, verdict(outcome)
    resource = plan.by_address.get(outcome.subject)
    about = RULE.about(
        outcome.subject, outcome.name, resource.location if resource else None, tuple(_rung(outcome, plan))
    )
    whole = f"all channels of the level {failure.level}"
    expected = f"an alert on {whole} within {_minutes(failure.minutes)}: {failure.what}"
    hear = ", ".join(channels_that_hear(outcome))
    heard = f"alerted after {_minutes(outcome.minute or 0)}: {hear}"
    if said == HEARD:
        return about.proven(heard, expected=expected)
    found = heard if said == LATE else f"alerted: only {hear}" if hear else "nobody is alerted"
    wording = "late" if said == LATE else "undetermined" if said == UNDETERMINED else "silent"
    return about.say(
        wording,
        expected=expected,
        found=found,
        reason=reasons(outcome, "infraspec drill --format json"),
        remedy=remedy(outcome),
        what=failure.what,
        late=_minutes((outcome.minute or 0) - failure.minutes),
        failure=outcome.name,
    )


def _minutes(number: int) -> str:
    return "1 minute" if number == 1 else f"{number} minutes"


def _rung(outcome: DrilledFailure, plan: Plan) -> Iterator[Related]:
    """Yield the alarms and rules that ring, each once."""
    for address in dict.fromkeys(ring.source for ring in outcome.rings):
        yield Related("rings", address, plan.by_address[address].location)
