"""The subscriptions of topics, asked of SNS: one call for a topic and one for each confirmed subscription."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infraspec.arn import Arn
from infraspec.aws.calls import Calls
from infraspec.monitoring.live_subscription import LiveSubscription


def live_subscriptions(calls: Calls, topics: Iterable[str]) -> dict[str, tuple[LiveSubscription, ...]]:
    """Return the subscriptions by the ARN of their topic, asked in its region; topics that do not exist have none."""
    return {topic: tuple(_of(calls, one, _region(topic)) for one in _listed(calls, topic)) for topic in topics}


def _region(topic: str) -> str:
    return Arn.parse(topic).region


def _listed(calls: Calls, topic: str) -> tuple[Mapping[str, Any], ...]:
    return calls.pages(
        "sns",
        "list_subscriptions_by_topic",
        "Subscriptions",
        region=_region(topic),
        absent=("NotFound", "NotFoundException"),
        TopicArn=topic,
    )


def _of(calls: Calls, listed: Mapping[str, Any], region: str) -> LiveSubscription:
    """Read a subscription; what stands in the place of its ARN says that it is not confirmed, or deleted."""
    arn, attributes = str(listed.get("SubscriptionArn", "")), {}
    confirmed = Arn.is_arn(arn)
    if confirmed:
        absent = ("NotFound", "NotFoundException")
        answer = calls.ask("sns", "get_subscription_attributes", region=region, absent=absent, SubscriptionArn=arn)
        attributes = (answer or {}).get("Attributes", {})
        confirmed = answer is not None and attributes.get("PendingConfirmation") != "true"
    return LiveSubscription(
        listed.get("Protocol", ""),
        listed.get("Endpoint", ""),
        confirmed,
        attributes.get("FilterPolicy") not in {None, "", "{}"},
    )
