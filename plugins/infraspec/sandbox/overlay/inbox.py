"""Where the sandbox delivers: nothing leaves this machine, whatever a subscription, a webhook or a queue says.

What AWS would send to a person or another system is kept in an inbox, in the order in which it was sent.
Source: Amazon SNS API Reference, Publish and Subscribe (protocols).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partialmethod
from typing import Any

from moto.sns import models

from infraspec.sandbox.overlay.subscriptions import is_pending

_OUTWARD = ("email", "email-json", "http", "https", "sms", "application")
_MOST = 1000
MESSAGES: deque[Mapping[str, str]] = deque(maxlen=_MOST)
"""The newest messages: topic, protocol, endpoint, subject and message of each."""


def install() -> None:
    """Deliver to the inbox from now on."""
    models.Subscription.publish = partialmethod(_deliver, models.Subscription.publish)


def _deliver(subscription: Any, original: Callable[..., None], message: str, *arguments: Any, **named: Any) -> None:
    """Keep what goes to a person or another system; what goes to a queue or a function of the sandbox is delivered."""
    if subscription.protocol not in _OUTWARD:
        original(subscription, message, *arguments, **named)
        return
    if is_pending(subscription):
        return
    matcher = subscription._filter_policy_matcher
    if matcher is not None and not matcher.matches(named.get("message_attributes"), message):
        return
    MESSAGES.append(
        {
            "topic": subscription.topic.arn,
            "protocol": subscription.protocol,
            "endpoint": subscription.endpoint,
            "subject": named.get("subject") or "",
            "message": message,
        }
    )
