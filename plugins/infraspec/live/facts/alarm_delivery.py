"""The subscriptions of topics, one call for each and for its topic, and test messages where somebody could get them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from infraspec.arn import Arn
from infraspec.aws.calls import Calls
from infraspec.contract.live import Canary
from infraspec.monitoring.canary import CanaryFacts
from infraspec.monitoring.live_subscription import LiveSubscription

_NO_TOPIC = ("NotFound", "NotFoundException")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Sender(Protocol):
    """What publishes a message and waits for it: `aws.canary.Courier`, or a double of a test."""

    def send(self, topic: str, queue: str, queue_url: str, seconds: int) -> float | None:
        """Return after how many seconds it was in the queue, None if it never was."""


def live_subscriptions(calls: Calls, topics: Iterable[str]) -> dict[str, tuple[LiveSubscription, ...]]:
    """Return the subscriptions by the ARN of their topic, asked in its region; topics that do not exist have none."""
    return {topic: tuple(_of(calls, one, _region(topic)) for one in _listed(calls, topic)) for topic in topics}


def canary_facts(calls: Calls, sender: Sender, canary: Canary) -> list[CanaryFacts]:
    """Publish a message to each topic of the contract that the queue is subscribed to, and wait for each."""
    place = Arn.parse(canary.queue)
    found = calls.ask(
        "sqs",
        "get_queue_url",
        region=place.region,
        absent=_NO_QUEUE,
        QueueName=place.resource,
        QueueOwnerAWSAccountId=place.account,
    )
    url = str(found["QueueUrl"]) if found else ""
    attributes = _attributes(calls, url, place.region) if url else {}
    return [_of_topic(calls, sender, canary, topic, url, attributes) for topic in canary.topics]


def _region(topic: str) -> str:
    return Arn.parse(topic).region


def _listed(calls: Calls, topic: str) -> tuple[Mapping[str, Any], ...]:
    return calls.pages(
        "sns",
        "list_subscriptions_by_topic",
        "Subscriptions",
        region=_region(topic),
        absent=_NO_TOPIC,
        TopicArn=topic,
    )


def _of(calls: Calls, listed: Mapping[str, Any], region: str) -> LiveSubscription:
    """Read a subscription; what stands in the place of its ARN says that it is not confirmed, or deleted."""
    arn, attributes = str(listed.get("SubscriptionArn", "")), {}
    confirmed = Arn.is_arn(arn)
    if confirmed:
        answer = calls.ask("sns", "get_subscription_attributes", region=region, absent=_NO_TOPIC, SubscriptionArn=arn)
        attributes = (answer or {}).get("Attributes", {})
        confirmed = answer is not None and attributes.get("PendingConfirmation") != "true"
    return LiveSubscription(
        listed.get("Protocol", ""),
        listed.get("Endpoint", ""),
        confirmed,
        attributes.get("FilterPolicy") not in {None, "", "{}"},
    )


def _attributes(calls: Calls, url: str, region: str) -> Mapping[str, Any]:
    names = ["KmsMasterKeyId", "Policy"]
    answer = calls.ask("sqs", "get_queue_attributes", region=region, QueueUrl=url, AttributeNames=names)
    return (answer or {}).get("Attributes") or {}


def _of_topic(  # noqa: PLR0917 - what is on the way
    calls: Calls, sender: Sender, canary: Canary, topic: str, url: str, attributes: Mapping[str, Any]
) -> CanaryFacts:
    region = Arn.parse(topic).region
    is_topic = calls.ask("sns", "get_topic_attributes", region=region, absent=_NO_TOPIC, TopicArn=topic) is not None
    known = live_subscriptions(calls, [topic])[topic] if is_topic else ()
    own = next((one for one in known if one.protocol == "sqs" and one.endpoint == canary.queue), None)
    published = bool(url) and own is not None and own.confirmed
    return CanaryFacts(
        topic,
        canary.queue,
        is_topic=is_topic,
        is_queue=bool(url),
        subscription=own,
        policy=str(attributes.get("Policy") or ""),
        key=str(attributes.get("KmsMasterKeyId") or ""),
        published=published,
        seconds=sender.send(topic, canary.queue, url, canary.seconds) if published else None,
    )
