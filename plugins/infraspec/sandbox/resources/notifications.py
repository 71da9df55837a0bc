"""SNS topics, their policies and subscriptions, SQS queues, and the chat that subscribes to topics."""

from __future__ import annotations

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import Attributes, Kind, Values, given, name_of, put, tag_map, tags

CHAT_ENDPOINT = "https://global.sns-api.chatbot.amazonaws.com"
"""What Amazon Q Developer in chat applications subscribes to the topics of a channel."""


def _topic(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    names = {"display_name": "DisplayName", "kms_master_key_id": "KmsMasterKeyId", "policy": "Policy"}
    made = account.client("sns").create_topic(Name=name, Attributes=given(values, names), Tags=tags(values))
    return {"id": made["TopicArn"], "arn": made["TopicArn"], "name": name}


def _change_topic(account: Account, values: Values, attributes: Attributes) -> Attributes:
    for name, api in (("display_name", "DisplayName"), ("kms_master_key_id", "KmsMasterKeyId")):
        account.client("sns").set_topic_attributes(
            TopicArn=attributes["arn"], AttributeName=api, AttributeValue=values.get(name) or ""
        )
    return attributes


def _topic_policy(account: Account, values: Values) -> Attributes:
    account.client("sns").set_topic_attributes(
        TopicArn=values["arn"], AttributeName="Policy", AttributeValue=values["policy"]
    )
    return {"id": values["arn"]}


def _subscription(account: Account, values: Values) -> Attributes:
    names = {"filter_policy": "FilterPolicy", "filter_policy_scope": "FilterPolicyScope"}
    made = account.client("sns").subscribe(
        TopicArn=values["topic_arn"],
        Protocol=values["protocol"],
        Endpoint=values["endpoint"],
        Attributes=given(values, names),
        ReturnSubscriptionArn=True,
    )
    return {"id": made["SubscriptionArn"], "arn": made["SubscriptionArn"]}


def _forget_subscription(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("sns").unsubscribe(SubscriptionArn=attributes["arn"])


def _queue(account: Account, values: Values) -> Attributes:
    sqs, name = account.client("sqs"), name_of(values)
    names = {"kms_master_key_id": "KmsMasterKeyId", "policy": "Policy"}
    url = sqs.create_queue(QueueName=name, Attributes=given(values, names), tags=tag_map(values))["QueueUrl"]
    arn = f"arn:{account.partition}:sqs:{account.region}:{account.account}:{name}"
    return {"id": url, "url": url, "arn": arn, "name": name}


def _queue_policy(account: Account, values: Values) -> Attributes:
    account.client("sqs").set_queue_attributes(QueueUrl=values["queue_url"], Attributes={"Policy": values["policy"]})
    return {"id": values["queue_url"]}


def _chat(account: Account, values: Values) -> Attributes:
    """Subscribe the chat to its topics, as the service does: nothing else of it can be seen from outside."""
    for topic in values.get("sns_topic_arns") or ():
        account.client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint=CHAT_ENDPOINT)
    name = values["configuration_name"]
    arn = f"arn:{account.partition}:chatbot::{account.account}:chat-configuration/slack-channel/{name}"
    return {"id": arn, "chat_configuration_arn": arn}


KINDS = {
    "aws_sns_topic": Kind(_topic, _change_topic),
    "aws_sns_topic_policy": put(_topic_policy),
    "aws_sqs_queue": Kind(_queue),
    "aws_sqs_queue_policy": put(_queue_policy),
    "aws_sns_topic_subscription": Kind(_subscription, delete=_forget_subscription),
    "aws_chatbot_slack_channel_configuration": Kind(_chat),
}
