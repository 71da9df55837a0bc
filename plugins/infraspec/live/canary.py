"""Test messages, sent where somebody could get them: what AWS has on the way is looked at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from infraspec.arn import Arn
from infraspec.aws.calls import Calls
from infraspec.contract.live import Canary
from infraspec.live.subscriptions import live_subscriptions
from infraspec.monitoring.canary import CanaryFacts

_NO_TOPIC = ("NotFound", "NotFoundException")
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Sender(Protocol):
    """What publishes a message and waits for it: `aws.canary.Courier`, or a double of a test."""

    def send(self, topic: str, queue: str, queue_url: str, seconds: int) -> float | None:
        """Return after how many seconds it was in the queue, None if it never was."""


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
