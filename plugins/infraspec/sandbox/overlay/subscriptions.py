"""SNS subscriptions: what goes to a person or another system is pending until it is confirmed.

Source: Amazon SNS API Reference, Subscribe and ConfirmSubscription; Amazon SNS Developer Guide, "Confirm an email
subscription". In the sandbox the token of a message to a person is the address that it was sent to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from typing import Any

from moto.core.responses import ActionResult
from moto.sns import models, responses

_BY_HAND = {"email", "email-json", "http", "https"}
_BY_ITSELF = ("chatbot.amazonaws.com", "pagerduty.com", "opsgenie.com")
"""Hosts of systems that confirm what is sent to them."""
PENDING = "PendingConfirmation"


def install() -> None:
    """Put the confirmation of subscriptions over moto's topics."""
    response = responses.SNSResponse
    response.subscribe = partialmethod(_subscribe, response.subscribe)
    response.confirm_subscription = _confirm
    response.list_subscriptions = partialmethod(_list, response.list_subscriptions)
    response.list_subscriptions_by_topic = partialmethod(_list, response.list_subscriptions_by_topic)
    response.get_topic_attributes = partialmethod(_count, response.get_topic_attributes)
    response.get_subscription_attributes = partialmethod(_describe, response.get_subscription_attributes)


def is_pending(subscription: Any) -> bool:
    """Tell whether nobody has confirmed a subscription that a person or another system has to."""
    if subscription.confirmed or subscription.protocol not in _BY_HAND:
        return False
    host = subscription.endpoint.partition("://")[2].partition("/")[0]
    return not host.endswith(_BY_ITSELF)


def _subscribe(response: Any, original: Callable[[Any], Any]) -> Any:
    arn = original(response).result["SubscriptionArn"]
    pending = is_pending(response.backend.subscriptions[arn])
    wanted = str(response._get_param("ReturnSubscriptionArn", "")).lower() == "true"
    return ActionResult({"SubscriptionArn": "pending confirmation" if pending and not wanted else arn})


def _confirm(response: Any) -> Any:
    topic, token = response._get_param("TopicArn"), response._get_param("Token")
    for subscription in response.backend.subscriptions.values():
        if subscription.topic.arn == topic and token in {subscription.endpoint, subscription.arn}:
            subscription.confirmed = True
            return ActionResult({"SubscriptionArn": subscription.arn})
    raise models.SNSInvalidParameter("Invalid parameter: Token")


def _list(response: Any, original: Callable[[Any], Any]) -> Any:
    found = original(response).result
    shown = [_shown(subscription) for subscription in found["Subscriptions"]]
    return ActionResult({**found, "Subscriptions": shown})


def _shown(subscription: Any) -> dict[str, str]:
    return {
        "SubscriptionArn": PENDING if is_pending(subscription) else subscription.arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic.arn,
    }


def _count(response: Any, original: Callable[[Any], Any]) -> Any:
    attributes = original(response).result["Attributes"]
    topic = attributes["TopicArn"]
    own = [one for one in response.backend.subscriptions.values() if one.topic.arn == topic]
    pending = sum(map(is_pending, own))
    attributes |= {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(own) - pending)}
    return ActionResult({"Attributes": attributes})


def _describe(response: Any, original: Callable[[Any], Any]) -> Any:
    attributes = dict(original(response).result["Attributes"])
    pending = is_pending(response.backend.subscriptions[attributes["SubscriptionArn"]])
    return ActionResult({"Attributes": attributes | {PENDING: str(pending).lower()}})
