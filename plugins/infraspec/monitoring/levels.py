"""The level of each alarm: the most severe one all of whose channels certainly hear of the alarm's own actions."""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.contract.alarms import Alarms
from infraspec.core.truth import Truth
from infraspec.monitoring.delivery import Delivery, channels_of
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan

_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")


def levels_of_alarms(plan: Plan, alarms: Alarms) -> Mapping[str, str]:
    """Return the level of each alarm by its name, empty if it is certainly of none.

    An alarm whose name is not known is left out. A composite alarm rings by itself, so it counts for itself.
    """
    attributes = plan.derived(AwsAttributes)
    delivery, found = Delivery(attributes), {}
    for alarm in plan.managed(*_ALARMS):
        name = attributes.name(alarm, "alarm_name")
        if isinstance(name, str):
            reached = channels_of(delivery, delivery.own(alarm).topics, alarms.channels)
            found[name] = _level(reached, alarms)
    return found


def _level(reached: Mapping[str, Truth], alarms: Alarms) -> str:
    """Return the first level of the contract, which has the most severe one first, that is reached whole."""
    return next(
        (
            level
            for level, channels in alarms.levels.items()
            if channels and all(reached.get(channel) is Truth.YES for channel in channels)
        ),
        "",
    )
