"""The subscriptions of topics, by the channels of the contract.

Sources: Amazon SNS Developer Guide, "Subscription protocols"; Amazon Q Developer in chat applications, which subscribes
to the topics of its configuration itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from infraspec.contract.alarms import Channel
from infraspec.iam.answer import Answer
from infraspec.monitoring.delivery import Delivery
from infraspec.monitoring.specimen import Specimens
from infraspec.terraform.plan import Resource
from infraspec.unknown import AFTER_APPLY, Unknown, Value

_CHATBOTS = ("aws_chatbot_slack_channel_configuration", "aws_chatbot_teams_channel_configuration")


def channels_of(delivery: Delivery, topics: Sequence[Resource], channels: Mapping[str, Channel]) -> dict[str, Answer]:
    """Return, by channel, whether one of the topics has a subscription of it."""
    answers = dict.fromkeys(channels, Answer.NO)
    for topic in topics:
        for protocol, endpoint in _subscriptions(delivery, topic):
            for name, channel in channels.items():
                answer = _is_of(channel, protocol, endpoint, Specimens(delivery.attributes))
                answers[name] = max(answers[name], answer, key=lambda one: one.value)
    return answers


def _subscriptions(delivery: Delivery, topic: Resource) -> Iterator[tuple[Value, Value]]:
    plan = delivery.attributes.plan
    for subscription in delivery.by_topic("aws_sns_topic_subscription", "topic_arn").get(topic.address, ()):
        perhaps = Unknown(f"{subscription.address} with its filter policy, or if there is one", AFTER_APPLY)
        is_certain = plan.belongs_to(subscription, topic) and not subscription.get("filter_policy")
        protocol = subscription.attribute("protocol") if is_certain else perhaps
        yield protocol, subscription.get("endpoint")
    for chatbot in plan.managed(*_CHATBOTS):
        arns = chatbot.get("sns_topic_arns")
        for arn in arns if isinstance(arns, list | tuple) else ():
            if delivery.topic(arn) is topic:
                is_certain = plan.belongs_to(chatbot, topic)
                yield "chatbot" if is_certain else Unknown(f"{chatbot.address}, if there is one", AFTER_APPLY), ""


def _is_of(channel: Channel, protocol: Value, endpoint: Value, specimens: Specimens) -> Answer:
    if not isinstance(protocol, str):
        return Answer.MAYBE
    if protocol not in channel.protocols:
        return Answer.NO
    if protocol == "chatbot":
        return Answer.YES
    if not endpoint:
        return Answer.NO
    if channel.endpoint is None:
        return Answer.YES
    if re.match(channel.endpoint, specimens.text(endpoint)):
        return Answer.YES
    return Answer.NO if specimens.certain else Answer.MAYBE
