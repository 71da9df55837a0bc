"""CloudWatch with logs, alarms and event rules; SNS topics with subscriptions, SQS queues, the chat that subscribes."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Making,
    Values,
    block,
    blocks,
    deleting,
    given,
    integers,
    name_of,
    put,
    tag_map,
    tags,
)
from infraspec.sandbox.server_process import Account

CHAT_ENDPOINT = "https://global.sns-api.chatbot.amazonaws.com"
"""What Amazon Q Developer in chat applications subscribes to the topics of a channel."""


def _topic(account: Account, values: Values) -> Attributes:
    name, settings = name_of(values), given(values, "DisplayName KmsMasterKeyId Policy")
    made = account.client("sns").create_topic(Name=name, Attributes=settings, Tags=tags(values))
    return {"id": made["TopicArn"], "arn": made["TopicArn"], "name": name}


def _topic_policy(account: Account, values: Values) -> Attributes:
    account.client("sns").set_topic_attributes(
        TopicArn=values["arn"], AttributeName="Policy", AttributeValue=values["policy"]
    )
    return {"id": values["arn"]}


def _queue_policy(account: Account, values: Values) -> Attributes:
    account.client("sqs").set_queue_attributes(QueueUrl=values["queue_url"], Attributes={"Policy": values["policy"]})
    return {"id": values["queue_url"]}


def _change_topic(account: Account, values: Values, attributes: Attributes) -> Attributes:
    for name, api in (("display_name", "DisplayName"), ("kms_master_key_id", "KmsMasterKeyId")):
        account.client("sns").set_topic_attributes(
            TopicArn=attributes["arn"], AttributeName=api, AttributeValue=values.get(name) or ""
        )
    return attributes


def _subscription(account: Account, values: Values) -> Attributes:
    made = account.client("sns").subscribe(
        TopicArn=values["topic_arn"],
        Protocol=values["protocol"],
        Endpoint=values["endpoint"],
        Attributes=given(values, "FilterPolicy FilterPolicyScope"),
        ReturnSubscriptionArn=True,
    )
    return {"id": made["SubscriptionArn"], "arn": made["SubscriptionArn"]}


def _queue(account: Account, values: Values) -> Attributes:
    sqs, name = account.client("sqs"), name_of(values)
    settings = given(values, "KmsMasterKeyId Policy")
    url = sqs.create_queue(QueueName=name, Attributes=settings, tags=tag_map(values))["QueueUrl"]
    return {"id": url, "url": url, "arn": account.arn("sqs", name), "name": name}


def _chat(account: Account, values: Values) -> Attributes:
    """Subscribe the chat to its topics, as the service does: nothing else of it can be seen from outside."""
    for topic in values.get("sns_topic_arns") or ():
        account.client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint=CHAT_ENDPOINT)
    name = values["configuration_name"]
    arn = f"arn:{account.partition}:chatbot::{account.account}:chat-configuration/slack-channel/{name}"
    return {"id": arn, "chat_configuration_arn": arn}


def _log_group(account: Account, values: Values) -> Attributes:
    logs, name = account.client("logs"), name_of(values)
    logs.create_log_group(logGroupName=name, **given(values, "kmsKeyId logGroupClass"), tags=tag_map(values))
    return _retained(account, values, {"name": name})


def _retained(account: Account, values: Values, attributes: Attributes) -> Attributes:
    name = attributes["name"]
    if values.get("retention_in_days"):
        days = int(values["retention_in_days"])
        account.client("logs").put_retention_policy(logGroupName=name, retentionInDays=days)
    return {"id": name, "name": name, "arn": account.arn("logs", f"log-group:{name}")}


def _metric_filter(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    written = "name=metricName namespace=metricNamespace value=metricValue unit dimensions"
    transformations = [given(item, written) for item in blocks(values, "metric_transformation")]
    account.client("logs").put_metric_filter(
        logGroupName=values["log_group_name"],
        filterName=name,
        filterPattern=values.get("pattern") or "",
        metricTransformations=transformations,
    )
    return {"id": name, "name": name, "metric_transformation": blocks(values, "metric_transformation")}


_ALARM = (
    "AlarmDescription ComparisonOperator Namespace MetricName Statistic ExtendedStatistic TreatMissingData "
    "AlarmActions OKActions InsufficientDataActions Unit"
)


def _alarm(account: Account, values: Values) -> Attributes:
    name = values["alarm_name"]
    arguments = given(values, _ALARM) | integers(values, "EvaluationPeriods Period DatapointsToAlarm")
    if values.get("threshold") is not None:
        arguments["Threshold"] = float(values["threshold"])
    if values.get("dimensions"):
        arguments["Dimensions"] = _dimensions(values)
    if values.get("metric_query"):
        arguments["Metrics"] = [_query(query) for query in blocks(values, "metric_query")]
    enabled = values.get("actions_enabled") is not False
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name, ActionsEnabled=enabled, **arguments, Tags=tags(values)
    )
    return _alarm_attributes(account, name)


def _query(query: dict[str, Any]) -> dict[str, Any]:
    made = given(query, "Id Expression Label")
    made["ReturnData"] = bool(query.get("return_data"))
    metric = block(query, "metric")
    if metric:
        named = given(metric, "Namespace MetricName") | {"Dimensions": _dimensions(metric)}
        made["MetricStat"] = {"Metric": named, "Period": int(metric["period"]), "Stat": metric["stat"]}
    return made


def _dimensions(metric: Values) -> list[dict[str, str]]:
    return [{"Name": key, "Value": str(value)} for key, value in (metric.get("dimensions") or {}).items()]


def _alarm_attributes(account: Account, name: str) -> Attributes:
    return {"id": name, "alarm_name": name, "arn": account.arn("cloudwatch", f"alarm:{name}")}


def _composite(account: Account, values: Values) -> Attributes:
    name = values["alarm_name"]
    enabled = values.get("actions_enabled") is not False
    account.client("cloudwatch").put_composite_alarm(
        AlarmName=name,
        AlarmRule=values["alarm_rule"],
        ActionsEnabled=enabled,
        **given(values, _ALARM),
        Tags=tags(values),
    )
    return _alarm_attributes(account, name)


def _target(account: Account, values: Values) -> Attributes:
    identifier = values.get("target_id") or "terraform-1"
    target = {"Id": identifier, "Arn": values["arn"], **given(values, "RoleArn Input")}
    bus = given(values, "EventBusName")
    account.client("events").put_targets(Rule=values["rule"], Targets=[target], **bus)
    return {"id": f"{values['rule']}-{identifier}", "rule": values["rule"], "target_id": identifier}


_RULE = Making(
    "events.put_rule",
    "Name EventPattern ScheduleExpression Description State RoleArn EventBusName",
    "arn=RuleArn",
    kept="id=name name=name",
    tags="Tags",
)


def _forget_alarm(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("cloudwatch").delete_alarms(AlarmNames=[attributes["alarm_name"]])


def _forget_target(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("events").remove_targets(Rule=attributes["rule"], Ids=[attributes["target_id"]])


KINDS = {
    "aws_sns_topic": Kind(_topic, _change_topic),
    "aws_sns_topic_policy": put(_topic_policy),
    "aws_sqs_queue": Kind(_queue),
    "aws_sqs_queue_policy": put(_queue_policy),
    "aws_sns_topic_subscription": Kind(_subscription, delete=deleting("sns.unsubscribe", "arn=SubscriptionArn")),
    "aws_chatbot_slack_channel_configuration": Kind(_chat),
    "aws_cloudwatch_log_group": Kind(_log_group, _retained, deleting("logs.delete_log_group", "name=logGroupName")),
    "aws_cloudwatch_log_resource_policy": put(
        Making("logs.put_resource_policy", "policyName policyDocument", kept="id=policy_name")
    ),
    "aws_cloudwatch_log_metric_filter": put(_metric_filter),
    "aws_cloudwatch_metric_alarm": put(_alarm, _forget_alarm),
    "aws_cloudwatch_composite_alarm": put(_composite, _forget_alarm),
    "aws_cloudwatch_event_rule": put(_RULE, deleting("events.delete_rule", "Name")),
    "aws_cloudwatch_event_target": put(_target, _forget_target),
}
