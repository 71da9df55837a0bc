"""SNS subscriptions: what goes to a person or another system is pending until it is confirmed.

Source: Amazon SNS API Reference, Subscribe and ConfirmSubscription; Amazon SNS Developer Guide, "Confirm an email
subscription". In the sandbox the token of a message to a person is the address that it was sent to.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sns import models, responses

_BY_HAND = {"email", "email-json", "http", "https"}
_BY_ITSELF = ("chatbot.amazonaws.com", "pagerduty.com", "opsgenie.com")
"""Hosts of systems that confirm what is sent to them."""
PENDING = "PendingConfirmation"


def install() -> None:
    """Put the confirmation of subscriptions over moto's topics."""
    responses.SNSResponse.subscribe = _subscribe(responses.SNSResponse.subscribe)
    responses.SNSResponse.confirm_subscription = _confirm
    for name in ("list_subscriptions", "list_subscriptions_by_topic"):
        setattr(responses.SNSResponse, name, _listed(getattr(responses.SNSResponse, name)))
    responses.SNSResponse.get_topic_attributes = _counted(responses.SNSResponse.get_topic_attributes)
    responses.SNSResponse.get_subscription_attributes = _described(responses.SNSResponse.get_subscription_attributes)


def _is_pending(subscription: Any) -> bool:
    if subscription.confirmed or subscription.protocol not in _BY_HAND:
        return False
    host = subscription.endpoint.partition("://")[2].partition("/")[0]
    return not host.endswith(_BY_ITSELF)


def _subscribe(original: Any) -> Any:
    def subscribe(response: Any) -> Any:
        arn = original(response).result["SubscriptionArn"]
        pending = _is_pending(response.backend.subscriptions[arn])
        wanted = str(response._get_param("ReturnSubscriptionArn", "")).lower() == "true"
        return ActionResult({"SubscriptionArn": "pending confirmation" if pending and not wanted else arn})

    return subscribe


def _confirm(response: Any) -> Any:
    topic, token = response._get_param("TopicArn"), response._get_param("Token")
    for subscription in response.backend.subscriptions.values():
        if subscription.topic.arn == topic and token in {subscription.endpoint, subscription.arn}:
            subscription.confirmed = True
            return ActionResult({"SubscriptionArn": subscription.arn})
    raise models.SNSInvalidParameter("Invalid parameter: Token")


def _listed(original: Any) -> Any:
    def listed(response: Any) -> Any:
        found = original(response).result
        shown = [_shown(subscription) for subscription in found["Subscriptions"]]
        return ActionResult({**found, "Subscriptions": shown})

    return listed


def _shown(subscription: Any) -> dict[str, str]:
    return {
        "SubscriptionArn": PENDING if _is_pending(subscription) else subscription.arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic.arn,
    }


def _counted(original: Any) -> Any:
    def counted(response: Any) -> Any:
        attributes = original(response).result["Attributes"]
        topic = attributes["TopicArn"]
        own = [one for one in response.backend.subscriptions.values() if one.topic.arn == topic]
        pending = sum(map(_is_pending, own))
        attributes |= {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(own) - pending)}
        return ActionResult({"Attributes": attributes})

    return counted


def _described(original: Any) -> Any:
    def described(response: Any) -> Any:
        attributes = dict(original(response).result["Attributes"])
        pending = _is_pending(response.backend.subscriptions[attributes["SubscriptionArn"]])
        return ActionResult({"Attributes": attributes | {PENDING: str(pending).lower()}})

    return described
