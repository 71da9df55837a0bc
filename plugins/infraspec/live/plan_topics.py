"""The topics of SNS that exist, with policies and subscriptions; chat configurations show as a subscription.

A policy that SNS itself gave a topic is left out, as Terraform has no resource for it. It is told by what it says: one
that was changed by hand keeps its Id. Sources: Amazon SNS API Reference, SetTopicAttributes; Amazon Q Developer in chat
applications Administrator Guide: it subscribes its endpoint to the topics of a configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.live.scope import Scope
from infraspec.terraform.plan import Resource

_TOPIC, _POLICY, _SUBSCRIPTION, _CHAT = (
    "aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_chatbot_slack_channel_configuration",
)  # fmt: skip
_DEFAULT_POLICY = "__default_policy_ID"
_DEFAULT_ACTIONS = {
    f"sns:{name}"
    for name in (
        "gettopicattributes", "settopicattributes", "addpermission", "removepermission", "deletetopic", "subscribe",
        "listsubscriptionsbytopic", "publish",
    )
}  # fmt: skip
_CHAT_HOST = "sns-api.chatbot.amazonaws.com"
_GONE = ("NotFound", "NotFoundException")


def topic_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the topics, each with its policy and its subscriptions, then the chat configuration that reads them."""
    chats: list[str] = []
    for listed in scope.calls.pages("sns", "list_topics", "Topics"):
        arn = listed["TopicArn"]
        name, tags = arn.rpartition(":")[2], scope.tags_of(arn)
        if not scope.belongs(_TOPIC, name, tags=tags):
            continue
        answer = scope.calls.ask("sns", "get_topic_attributes", TopicArn=arn, absent=_GONE) or {}
        attributes: Mapping[str, Any] = answer.get("Attributes", {})
        values = {
            "name": name,
            "arn": arn,
            "id": arn,
            "display_name": attributes.get("DisplayName"),
            "kms_master_key_id": attributes.get("KmsMasterKeyId") or None,
        }
        yield scope.resource(_TOPIC, name, address=arn, values=values, tags=tags)
        policy = attributes.get("Policy")
        if policy and not _is_default(json.loads(policy), arn):
            held = {"arn": arn, "policy": policy}
            yield scope.resource(_POLICY, arn, address=f"{arn} policy", values=held)
        for subscription in scope.calls.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn):
            if _CHAT_HOST in subscription.get("Endpoint", ""):
                chats.append(arn)
            else:
                yield _subscription(scope, arn, subscription)
    if chats:
        yield _chat(scope, chats)


def _is_default(policy: Mapping[str, Any], topic: str) -> bool:
    """Tell whether a policy is the one that SNS gives a new topic: its account may do everything with it."""
    statements = policy.get("Statement")
    (statement, *more) = statements if isinstance(statements, list) and statements else [{}]
    actions = statement.get("Action")
    said = {key: value for key, value in statement.items() if key not in {"Sid", "Action"}}
    return (
        policy.get("Id") == _DEFAULT_POLICY
        and not more
        and said
        == {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Resource": topic,
            "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
        }
        and isinstance(actions, list)
        and {action.lower() for action in actions} - {"sns:receive"} == _DEFAULT_ACTIONS
    )


def _subscription(scope: Scope, topic: str, subscription: Mapping[str, Any]) -> Resource:
    protocol, endpoint, own = (subscription.get(name, "") for name in ("Protocol", "Endpoint", "SubscriptionArn"))
    confirmed = own.startswith("arn:")
    answer = (
        scope.calls.ask("sns", "get_subscription_attributes", SubscriptionArn=own, absent=_GONE) or {}
        if confirmed
        else {}
    )
    attributes: Mapping[str, Any] = answer.get("Attributes", {})
    values = {
        "topic_arn": topic,
        "protocol": protocol,
        "endpoint": endpoint,
        "pending_confirmation": not confirmed,
        "filter_policy": attributes.get("FilterPolicy"),
    }
    digest = hashlib.sha256(endpoint.encode()).hexdigest()[:8]  # an endpoint may be the key of a pager
    address = own if confirmed else f"{topic} {protocol} {digest}"
    return scope.resource(_SUBSCRIPTION, topic, protocol, endpoint, address=address, values=values, name=digest)


def _chat(scope: Scope, topics: list[str]) -> Resource:
    """Return the configuration that the subscriptions are of: that of the source, if it has one alone."""
    known = scope.sources.plan.managed(_CHAT)
    source = known[0] if len(known) == 1 else None
    values = {"sns_topic_arns": topics}
    return scope.resource(_CHAT, "chat", address="the chat configuration", values=values, source=source)
