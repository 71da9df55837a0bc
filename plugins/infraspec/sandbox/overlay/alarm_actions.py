"""What an alarm does when its state changes: it publishes to topics, as far as topic and key let it.

Sources: Amazon CloudWatch User Guide, "Notifying users on alarm changes" (the message); Amazon SNS Developer Guide,
"Key management": a service needs kms:GenerateDataKey* and kms:Decrypt in the policy of the key of a topic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import sns_backends

from infraspec.core.truth import Truth
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.principals import Principal
from infraspec.sandbox.overlay.decisions import compiled
from infraspec.sandbox.overlay.targets import Place, key_of

CLOUDWATCH = "cloudwatch.amazonaws.com"
_MOST_SUBJECT = 100
_ARN_FIELDS = 6


def execute(action: str, alarm: Any, before: str) -> str:
    """Execute an action of an alarm that left a state; return AWS's error, nothing if there is none.

    What is not a topic is only recorded: nothing scales, restarts or runs in the sandbox.
    """
    parts = action.split(":")
    if len(parts) < _ARN_FIELDS or parts[2] != "sns":
        return ""
    text = f'{alarm.state_value}: "{alarm.name}" in {alarm.region_name}'
    return publish(action, CLOUDWATCH, alarm.alarm_arn, json.dumps(_message(alarm, before)), text)


def publish(topic_arn: str, service: str, source: str, message: str, subject: str | None = None) -> str:
    """Publish for a service of AWS on behalf of a resource; return the error, nothing if there is none."""
    _, partition, _, region, account, _ = topic_arn.split(":", 5)
    place = Place(account, region, partition)
    backend = sns_backends[account][region]
    topic = backend.topics.get(topic_arn)
    if topic is None:
        return "Topic does not exist"
    told = {"aws:SourceArn": source, "aws:SourceAccount": account, "aws:SourceOwner": account}
    if not lets(topic_arn, topic.policy, "sns:Publish", service, told):
        return f"{source} is not authorized to perform: SNS:Publish on resource: {topic_arn}"
    if error := _key_error(place, topic.kms_master_key_id, service, told):
        return error
    backend.publish(message, topic_arn, subject=subject[:_MOST_SUBJECT] if subject else None)
    return ""


def _key_error(place: Place, name: str | None, service: str, told: Mapping[str, str]) -> str:
    """Return why a service cannot use the key of a topic, nothing if it can; AWS's own key lets no service in."""
    if not name:
        return ""
    key = key_of(place, name)
    if key is not None and key.key_state != "Enabled":
        return f"{key.arn} is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException)"
    refused = f"{service} may not use {name} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)"
    if key is None or name.endswith("alias/aws/sns"):
        return refused
    needed = ("kms:GenerateDataKey", "kms:Decrypt")
    return "" if all(lets(key.arn, key.policy, action, service, told) for action in needed) else refused


def lets(resource: str, policy: str, action: str, service: str, told: Mapping[str, str]) -> bool:
    """Tell whether the policy of a resource lets a service of AWS, on behalf of what `told` says."""
    decision = decide(
        (),
        action,
        resource,
        resource_policies=[compiled(resource, policy, with_principals=True)],
        principal=Principal.of(service),
        context=Context.of({**told, "aws:PrincipalIsAWSService": True, "aws:SecureTransport": True}, complete=True),
    )
    return decision.allowed is Truth.YES


def _message(alarm: Any, before: str) -> dict[str, Any]:
    """Return what CloudWatch tells a topic."""
    told = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.alarm_arn.split(":")[4],
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": alarm.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions or [],
        "AlarmActions": alarm.alarm_actions or [],
        "InsufficientDataActions": alarm.insufficient_data_actions or [],
    }
    if alarm.rule is not None:
        return told | {"AlarmRule": alarm.rule}
    return told | {
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic or alarm.extended_statistic,
            "Unit": alarm.unit,
            "Dimensions": [{"name": one.name, "value": one.value} for one in alarm.dimensions],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data or "missing",
        }
    }
