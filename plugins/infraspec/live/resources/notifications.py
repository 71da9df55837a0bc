"""What is peculiar to the alarms, topics and subscriptions that exist.

A policy that SNS itself gave a topic is left out, as Terraform has no resource for it. It is told by what it says: one
that was changed by hand keeps its Id. Sources: Amazon SNS API Reference, SetTopicAttributes; Amazon Q Developer in chat
applications Administrator Guide: it subscribes its endpoint to the topics of a configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Sensitive
from infraspec.live.resources.api_to_terraform import attributes_of
from infraspec.live.resources.reading import Entry, Peculiarity, Values
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.resource_types.listing import names
from infraspec.terraform.plan import Resource

TOPIC, SUBSCRIPTION, CHAT = "aws_sns_topic", "aws_sns_topic_subscription", "aws_chatbot_slack_channel_configuration"
_DEFAULT_POLICY = "__default_policy_ID"
_DEFAULT_ACTIONS = {
    f"sns:{name}"
    for name in (
        "gettopicattributes", "settopicattributes", "addpermission", "removepermission", "deletetopic", "subscribe",
        "listsubscriptionsbytopic", "publish",
    )
}  # fmt: skip
_ARNS = frozenset({"firehose", "lambda", "sqs"})
"""The protocols whose endpoint is an ARN, which everybody may see."""
_CHAT_HOST = "sns-api.chatbot.amazonaws.com"
_GONE = ("NotFound", "NotFoundException")
_QUERY = names("Id Expression Label ReturnData Period")
_METRIC = names("Stat Period Unit namespace=Metric.Namespace metric_name=Metric.MetricName")


def subscriptions(scope: LiveScope) -> Iterator[Resource]:
    """Yield the subscriptions of the topics."""
    for topic, entry in _subscriptions(scope):
        if _CHAT_HOST not in entry.get("Endpoint", ""):
            yield _subscription(scope, topic, entry)


def chats(scope: LiveScope) -> Iterator[Resource]:
    """Yield the chat configuration that subscriptions of topics are of: that of the source, if it has one alone."""
    topics = [topic for topic, entry in _subscriptions(scope) if _CHAT_HOST in entry.get("Endpoint", "")]
    known = scope.sources.plan.managed(CHAT)
    source = known[0] if len(known) == 1 else None
    if topics:
        values: Values = {"sns_topic_arns": [*topics]}
        yield scope.resource(CHAT, values, address="the chat configuration", source=source, name="chat")


READERS = {SUBSCRIPTION: subscriptions, CHAT: chats}


_DELIVERY = names("FilterPolicy RedrivePolicy raw_message_delivery=RawMessageDelivery") | names("FilterPolicyScope")


def _subscriptions(scope: LiveScope) -> Iterator[tuple[str, Entry]]:
    arns = [str(topic.stated("arn")) for topic in scope.seen(TOPIC)]
    listing = ("sns", "list_subscriptions_by_topic")
    scope.calls.ahead(*listing, [{"TopicArn": arn} for arn in arns], "Subscriptions", absent=_GONE)
    for arn in arns:
        for entry in scope.calls.pages(*listing, "Subscriptions", absent=_GONE, TopicArn=arn):
            yield arn, entry


def _subscription(scope: LiveScope, topic: str, subscription: Entry) -> Resource:
    protocol, endpoint, own = (subscription.get(name, "") for name in ("Protocol", "Endpoint", "SubscriptionArn"))
    confirmed = own.startswith("arn:")
    values = {
        "topic_arn": topic,
        "protocol": protocol,
        "endpoint": endpoint,
        "pending_confirmation": not confirmed,
        **(_delivery(scope, own) if confirmed else {}),
    }
    digest = hashlib.sha256(endpoint.encode()).hexdigest()[:8]  # an endpoint may be the key of a pager
    address = own if confirmed else f"{topic} {protocol} {digest}"
    made = scope.resource(SUBSCRIPTION, values, address=address, name=digest)
    hidden = Sensitive(f"the endpoint of {address}", endpoint)
    return replace(made, values={**made.values, "endpoint": endpoint if protocol in _ARNS else hidden})


def _delivery(scope: LiveScope, subscription: str) -> Values:
    """Return what holds messages back on their way, or sends them on."""
    try:
        found = scope.calls.ask("sns", "get_subscription_attributes", SubscriptionArn=subscription, absent=_GONE)
    except RunnerPermissionError as error:
        return {name: refused(f"{name} of {subscription}", error) for name in _DELIVERY}
    return attributes_of((found or {}).get("Attributes", {}), _DELIVERY)


def _given_policy(_scope: LiveScope, _entry: Entry, values: Values) -> Values | None:
    """Leave out the policy that SNS gives a new topic: its account may do everything with it."""
    policy, topic = values["policy"], str(values["arn"])
    return None if isinstance(policy, str) and _is_default(json.loads(policy), topic) else values


def _is_default(policy: Mapping[str, Any], topic: str) -> bool:
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


def _series(_scope: LiveScope, alarm: Entry, values: Values) -> Values:
    """Add what a metric alarm looks at: its queries, or the dimensions of its metric."""
    queries = [_query(query) for query in alarm.get("Metrics") or ()]
    return {**values, **({"metric_query": queries} if queries else {"dimensions": _dimensions(alarm)})}


def _query(query: Entry) -> Values:
    stat = query.get("MetricStat")
    found = {"return_data": True, **attributes_of(query, _QUERY)}
    if stat:
        found["metric"] = [{**attributes_of(stat, _METRIC), "dimensions": _dimensions(stat["Metric"])}]
    return found


def _dimensions(metric: Entry) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions") or ()}


_SUPPRESSOR = names("alarm=ActionsSuppressor extension_period=ActionsSuppressorExtensionPeriod") | names(
    "wait_period=ActionsSuppressorWaitPeriod"
)


def _suppressor(_scope: LiveScope, alarm: Entry, values: Values) -> Values:
    """Add what keeps the actions of a composite alarm back, if anything does."""
    return {**values, "actions_suppressor": [attributes_of(alarm, _SUPPRESSOR)] if "ActionsSuppressor" in alarm else []}


PECULIARITIES = {
    "aws_cloudwatch_composite_alarm": Peculiarity(_suppressor),
    "aws_cloudwatch_metric_alarm": Peculiarity(_series),
    "aws_sns_topic_policy": Peculiarity(_given_policy),
}
