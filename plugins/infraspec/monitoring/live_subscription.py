"""The subscriptions of a topic as SNS has them: whether somebody confirmed, and whether a filter holds messages back.

Sources: Amazon SNS API Reference, ListSubscriptionsByTopic and GetSubscriptionAttributes; Amazon SNS Developer Guide,
"Message filtering": what CloudWatch and EventBridge publish has no attributes, so a filter may hold all of it back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from infraspec.contract.alarms import Channel
from infraspec.iam.answer import Answer, either

CHATBOT = "https://global.sns-api.chatbot.amazonaws.com"
"""The endpoint of Amazon Q Developer in chat applications, which is a protocol of its own in the contract."""


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """One subscription. The endpoint may be a secret, such as the integration key of a pager, and is never shown."""

    protocol: str
    endpoint: str = field(repr=False)
    confirmed: bool
    filtered: bool = False

    def is_of(self, channel: Channel) -> Answer:
        """Tell whether it surely reaches a channel."""
        protocol = "chatbot" if self.endpoint.startswith(CHATBOT) else self.protocol
        fits = protocol == "chatbot" or channel.endpoint is None or re.match(channel.endpoint, self.endpoint)
        if not self.confirmed or protocol not in channel.protocols or not fits:
            return Answer.NO
        return Answer.MAYBE if self.filtered else Answer.YES


def reached(subscriptions: Collection[LiveSubscription], channels: Mapping[str, Channel]) -> dict[str, Answer]:
    """Return, by channel, whether one of the subscriptions reaches it."""
    return {name: either(one.is_of(channel) for one in subscriptions) for name, channel in channels.items()}
