"""A test message on its way from a topic to a queue: on the sandbox, and link by link."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest

from infraspec.aws.commands import MARK, Courier
from infraspec.aws.snapshot import Snapshot
from infraspec.checks.alarms.alarm_delivery import check_canary
from infraspec.contract.live import Canary
from infraspec.core.finding import Finding, Verdict
from infraspec.live.facts.alarms import canary_facts
from infraspec.sandbox.running import Running

ACCOUNT, REGION = "123456789012", "ap-northeast-1"
PLACE = f"{REGION}:{ACCOUNT}"


class World:
    """A topic and a queue of the sandbox, and what the suite asks and sends with."""

    def __init__(self, sandbox: Running, name: str) -> None:
        self.client = sandbox.account.client
        self.topic = f"arn:aws:sns:{PLACE}:{name}"
        self.queue = f"arn:aws:sqs:{PLACE}:{name}"
        self.canary = Canary(topics=[self.topic], queue=self.queue, seconds=5)
        self.clients: Any = SimpleNamespace(
            client=lambda service, _region=None: self.client(service), region=REGION, is_local=True
        )
        self.url = ""

    def make(self) -> None:
        """Make the topic and the queue, which lets SNS in."""
        name = self.topic.rpartition(":")[2]
        self.client("sns").create_topic(Name=name)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.queue,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.url = self.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]

    def subscribe(self, **attributes: str) -> None:
        """Subscribe the queue to the topic."""
        self.client("sns").subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue, Attributes=attributes, ReturnSubscriptionArn=True
        )

    def judged(self) -> Finding:
        """Send the message and judge what became of it; a wait ends after one look."""
        calls = Snapshot(self.clients, SimpleNamespace(account=ACCOUNT, partition="aws"))  # type: ignore[arg-type]
        clock = chain([0.0, 4.5], repeat(6.0))
        courier = Courier(self.clients, clock=lambda: next(clock))
        (facts,) = canary_facts(calls, courier, self.canary)
        return check_canary(self.canary, facts)

    def received(self) -> list[str]:
        """Return the bodies of the messages that are in the queue and visible."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def remove(self) -> None:
        """Delete what was made."""
        sns = self.client("sns")
        for one in sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
        sns.delete_topic(TopicArn=self.topic)
        self.client("sqs").delete_queue(QueueUrl=self.url)


@contextmanager
def world(sandbox: Running, name: str) -> Iterator[World]:
    """Give a topic and a queue of a name for a while."""
    made = World(sandbox, name)
    made.make()
    try:
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize("raw", ["true", "false"])
def test_a_message_arrives_and_is_taken_out_again(sandbox: Running, raw: str) -> None:
    """As SNS wraps it and as it was sent; the messages of others are visible again."""
    with world(sandbox, f"arriving-{raw}") as made:
        made.subscribe(RawMessageDelivery=raw)
        others = [f"of somebody else {number}" for number in range(3)]
        for text in others:
            made.client("sqs").send_message(QueueUrl=made.url, MessageBody=text)
        finding = made.judged()
        assert (Verdict.PROVEN, "a test message was in the queue after 6.0 s") == (finding.verdict, finding.reason)
        assert others == sorted(made.received())


def test_messages_of_others_are_given_back_when_nothing_arrives(sandbox: Running) -> None:
    """Also where the filter of the subscription holds the message back, which is what is suspected."""
    with world(sandbox, "filtered") as made:
        made.subscribe(FilterPolicy='{"level": ["critical"]}')
        made.client("sqs").send_message(QueueUrl=made.url, MessageBody="of somebody else")
        finding = made.judged()
        assert Verdict.VIOLATED is finding.verdict
        assert finding.reason.startswith("the filter policy")
        assert ["of somebody else"] == made.received()


def nothing(_made: World) -> None:
    """Subscribe nobody."""


def no_queue(made: World) -> None:
    """Name a queue that is not there."""
    made.canary = Canary(topics=[made.topic], queue=f"{made.queue}-gone", seconds=5)


def no_topic(made: World) -> None:
    """Name a topic that is not there."""
    made.canary = Canary(topics=[f"{made.topic}-gone"], queue=made.queue, seconds=5)


@pytest.mark.parametrize(
    ("change", "link"),
    [
        (nothing, "the queue is not subscribed"),
        (no_queue, "the queue does not exist"),
        (no_topic, "the topic does not exist"),
    ],
)
def test_nothing_is_published_where_it_cannot_arrive(
    sandbox: Running, change: Callable[[World], None], link: str
) -> None:
    """The link that is missing is named; subscribers are not bothered."""
    with world(sandbox, "vain") as made:
        change(made)
        made.client("sns").subscribe(TopicArn=made.topic, Protocol="email", Endpoint="a@b.example")
        finding = made.judged()
        assert Verdict.VIOLATED is finding.verdict
        assert finding.reason.startswith(link)
        assert finding.found.startswith("nothing was published")


def test_a_message_has_no_attributes_and_says_what_it_is() -> None:
    """As an alert has none; its id is another each time."""
    sent: list[dict[str, Any]] = []
    sqs = SimpleNamespace(receive_message=lambda **_: {})
    sns = SimpleNamespace(publish=lambda **parameters: sent.append(parameters))
    clients: Any = SimpleNamespace(client=lambda service, _region: {"sns": sns, "sqs": sqs}[service])
    for _ in range(2):
        clock = chain([0.0], repeat(99.0))
        courier = Courier(clients, clock=lambda clock=clock: next(clock))  # type: ignore[misc]
        assert courier.send(f"arn:aws:sns:{PLACE}:a", f"arn:aws:sqs:{PLACE}:a", "url", 5) is None
    first, second = sent
    assert {"TopicArn", "Subject", "Message"} == set(first)
    assert first["Subject"].startswith("[TEST]")
    assert MARK in first["Message"]
    assert first["Message"] != second["Message"]
