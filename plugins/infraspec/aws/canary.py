"""A test message: published to a topic, awaited in a queue, and taken out of it again.

Sources: Amazon SNS API Reference, Publish; Amazon SQS Developer Guide, "Amazon SQS visibility timeout" and "Short and
long polling".
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infraspec.arn import Arn
from infraspec.aws.failures import failures
from infraspec.aws.session import Clients

MARK = "infraspec-canary"
"""What the text of every test message holds, before its id."""
SUBJECT = "[TEST] infraspec: nothing is wrong"
_TEXT = "This is a test of infraspec: alerts of this topic arrive. Nothing is wrong, and nothing is to do. {mark}"
_LONGEST_POLL_SECONDS = 10
_BATCH = 10
_SPARE_SECONDS = 10


class Courier:
    """Publishes and receives with clients that may do that alone."""

    def __init__(self, clients: Clients, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._clock = clock

    def send(self, topic: str, queue: str, queue_url: str, seconds: int) -> float | None:
        """Publish to a topic and return after how many seconds the message was in the queue; None if it never was.

        The message has no attributes, as an alert has none. Raises RunnerPermissionError, CredentialsError, AwsError.
        """
        mark, region = f"{MARK}-{secrets.token_hex(16)}", Arn.parse(topic).region
        sns = self._clients.client("sns", region)
        began = self._clock()
        with failures("sns", "publish", region):
            sns.publish(TopicArn=topic, Subject=SUBJECT, Message=_TEXT.format(mark=mark))
        return self._awaited(_Queue(self._clients, queue, queue_url), mark, began, seconds)

    def _awaited(self, queue: _Queue, mark: str, began: float, seconds: int) -> float | None:
        with queue.reading(seconds) as receive:
            while (left := began + seconds - self._clock()) > 0:
                for message in receive(min(_LONGEST_POLL_SECONDS, int(left))):
                    if mark in message.get("Body", ""):
                        queue.delete(message)
                        return self._clock() - began
        return None


class _Queue:
    def __init__(self, clients: Clients, arn: str, url: str) -> None:
        self._region = Arn.parse(arn).region
        self._client = clients.client("sqs", self._region)
        self._url = url
        self._held: dict[str, str] = {}
        """The receipts of the messages that were received, by the ids of these."""

    @contextmanager
    def reading(self, seconds: int) -> Iterator[Callable[[int], list[Any]]]:
        """Give what receives messages; those that are not deleted are visible again afterwards, at once.

        Until then they stay hidden: else the first ten of others would be all that is ever received.
        """

        def receive(wait: int) -> list[Any]:
            with failures("sqs", "receive_message", self._region):
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=_BATCH,
                    WaitTimeSeconds=wait,
                    VisibilityTimeout=seconds + _SPARE_SECONDS,
                )
            found: list[Any] = answer.get("Messages", [])
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
            return found

        try:
            yield receive
        finally:
            self._give_back()

    def delete(self, message: Any) -> None:
        """Take a message out of the queue."""
        with failures("sqs", "delete_message", self._region):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        self._held.pop(message["MessageId"], None)

    def _give_back(self) -> None:
        receipts = list(self._held.values())
        for start in range(0, len(receipts), _BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + _BATCH])
            ]
            with failures("sqs", "change_message_visibility", self._region):
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
