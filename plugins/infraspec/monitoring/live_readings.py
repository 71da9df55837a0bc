"""What alarms do in AWS: their state, how often they fire, whether their actions succeed, and what they look at.

Sources: Amazon CloudWatch API Reference, DescribeAlarms and DescribeAlarmHistory.

Sources: Amazon SNS API Reference, ListSubscriptionsByTopic and GetSubscriptionAttributes; Amazon SNS Developer Guide,
"Message filtering": what CloudWatch and EventBridge publish has no attributes, so a filter may hold all of it back.

A log group as CloudWatch Logs has it. Source: Amazon CloudWatch Logs API Reference, LogGroup.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec import field as msgspec_field

from infraspec.contract.alarms import Channel
from infraspec.core.regular_expressions import begins
from infraspec.core.truth import Truth, any_of

CHATBOT = "https://global.sns-api.chatbot.amazonaws.com"
"""The endpoint of Amazon Q Developer in chat applications, which is a protocol of its own in the contract."""


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """One subscription. The endpoint may be a secret, such as the integration key of a pager, and is never shown."""

    protocol: str
    endpoint: str = field(repr=False)
    confirmed: bool
    filtered: bool = False

    def is_of(self, channel: Channel) -> Truth:
        """Tell whether it surely reaches a channel."""
        protocol = "chatbot" if self.endpoint.startswith(CHATBOT) else self.protocol
        fits = protocol == "chatbot" or channel.endpoint is None or begins(channel.endpoint, self.endpoint)
        if not self.confirmed or protocol not in channel.protocols or not fits:
            return Truth.NO
        return Truth.MAYBE if self.filtered else Truth.YES


def reached(subscriptions: Collection[LiveSubscription], channels: Mapping[str, Channel]) -> dict[str, Truth]:
    """Return, by channel, whether one of the subscriptions reaches it."""
    return {
        name: any_of(subscription.is_of(channel) for subscription in subscriptions)
        for name, channel in channels.items()
    }


class CanaryFacts(Struct, frozen=True):
    """The way of one message: `topic` and `queue` are ARNs, `subscription` is that of the queue, None if it has none.

    `seconds` is how long it took; None if it was not published, or did not arrive in time. `policy` is the queue's as
    JSON, empty if it has none, `key` the KMS key that it is encrypted with.
    """

    topic: str
    queue: str
    is_topic: bool = True
    is_queue: bool = True
    subscription: LiveSubscription | None = None
    policy: str = ""
    key: str = ""
    published: bool = False
    seconds: float | None = None


class LogGroup(Struct, frozen=True):
    """A log group. `retention_days` is 0 if its events are kept for ever."""

    name: str
    arn: str
    retention_days: int = 0
    kms_key: str = ""


class Watched(Struct, frozen=True):
    """One thing that the dimensions of an alarm name, such as `ServiceName shop-prod-web`, and whether it exists.

    With `refused` nobody may look: it is what lets the runner.
    """

    name: str
    exists: bool
    refused: str = ""


class AlarmStatus(Struct, frozen=True):
    """The state of one alarm. `since` is when it last changed, None where AWS does not say."""

    name: str
    arn: str
    state: str
    since: datetime | None
    reason: str = ""
    watched: tuple[Watched, ...] = ()

    def lasted(self, now: datetime) -> timedelta | None:
        """Return how long it has been in its state."""
        return None if self.since is None else now - self.since


class AlarmHistory(Struct, frozen=True):
    """What alarms did in the last `hours`: by name, how often they went to ALARM, and the actions that failed."""

    hours: int
    fired: Mapping[str, int] = msgspec_field(default_factory=dict)
    failed: Mapping[str, tuple[str, ...]] = msgspec_field(default_factory=dict)
    refused: str = ""
    """What lets the runner ask for it, if it may not."""


class AlarmStates(Struct, frozen=True):
    """The alarms of an environment by name, as they were at `taken`; `history` is None where there is none to ask."""

    taken: datetime
    by_name: Mapping[str, AlarmStatus]
    history: AlarmHistory | None = None
