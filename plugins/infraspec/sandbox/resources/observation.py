"""CloudWatch and what feeds it: log groups, metric filters, alarms, event rules and their targets."""

from __future__ import annotations

from typing import Any

from infraspec.sandbox.account import Account
from infraspec.sandbox.resources.kind import (
    Attributes,
    Kind,
    Values,
    block,
    blocks,
    given,
    integers,
    name_of,
    put,
    tag_map,
    tags,
)


def _log_group(account: Account, values: Values) -> Attributes:
    logs, name = account.client("logs"), name_of(values)
    names = {"kms_key_id": "kmsKeyId", "log_group_class": "logGroupClass"}
    logs.create_log_group(logGroupName=name, **given(values, names), tags=tag_map(values))
    return _retained(account, values, {"name": name})


def _retained(account: Account, values: Values, attributes: Attributes) -> Attributes:
    name = attributes["name"]
    if values.get("retention_in_days"):
        days = int(values["retention_in_days"])
        account.client("logs").put_retention_policy(logGroupName=name, retentionInDays=days)
    arn = f"arn:{account.partition}:logs:{account.region}:{account.account}:log-group:{name}"
    return {"id": name, "name": name, "arn": arn}


def _forget_log_group(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("logs").delete_log_group(logGroupName=attributes["name"])


def _metric_filter(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    names = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue", "unit": "unit"}
    names |= {"dimensions": "dimensions"}
    transformations = [given(item, names) for item in blocks(values, "metric_transformation")]
    account.client("logs").put_metric_filter(
        logGroupName=values["log_group_name"],
        filterName=name,
        filterPattern=values.get("pattern") or "",
        metricTransformations=transformations,
    )
    return {"id": name, "name": name, "metric_transformation": blocks(values, "metric_transformation")}


def _log_policy(account: Account, values: Values) -> Attributes:
    account.client("logs").put_resource_policy(
        policyName=values["policy_name"], policyDocument=values["policy_document"]
    )
    return {"id": values["policy_name"]}


_ALARM = {
    "alarm_description": "AlarmDescription",
    "comparison_operator": "ComparisonOperator",
    "namespace": "Namespace",
    "metric_name": "MetricName",
    "statistic": "Statistic",
    "extended_statistic": "ExtendedStatistic",
    "treat_missing_data": "TreatMissingData",
    "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions",
    "insufficient_data_actions": "InsufficientDataActions",
    "unit": "Unit",
}


def _alarm(account: Account, values: Values) -> Attributes:
    name = values["alarm_name"]
    arguments = given(values, _ALARM) | integers(
        values, {"evaluation_periods": "EvaluationPeriods", "period": "Period"}
    )
    arguments |= integers(values, {"datapoints_to_alarm": "DatapointsToAlarm"})
    if values.get("threshold") is not None:
        arguments["Threshold"] = float(values["threshold"])
    dimensions = [{"Name": key, "Value": str(value)} for key, value in (values.get("dimensions") or {}).items()]
    if dimensions:
        arguments["Dimensions"] = dimensions
    if values.get("metric_query"):
        arguments["Metrics"] = [_query(query) for query in blocks(values, "metric_query")]
    enabled = values.get("actions_enabled") is not False
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name, ActionsEnabled=enabled, **arguments, Tags=tags(values)
    )
    return _alarm_attributes(account, name)


def _query(query: dict[str, Any]) -> dict[str, Any]:
    made = given(query, {"id": "Id", "expression": "Expression", "label": "Label"})
    made["ReturnData"] = bool(query.get("return_data"))
    metric = block(query, "metric")
    if metric:
        dimensions = [{"Name": key, "Value": str(value)} for key, value in (metric.get("dimensions") or {}).items()]
        named = given(metric, {"namespace": "Namespace", "metric_name": "MetricName"}) | {"Dimensions": dimensions}
        made["MetricStat"] = {"Metric": named, "Period": int(metric["period"]), "Stat": metric["stat"]}
    return made


def _alarm_attributes(account: Account, name: str) -> Attributes:
    arn = f"arn:{account.partition}:cloudwatch:{account.region}:{account.account}:alarm:{name}"
    return {"id": name, "alarm_name": name, "arn": arn}


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


def _forget_alarm(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("cloudwatch").delete_alarms(AlarmNames=[attributes["alarm_name"]])


def _rule(account: Account, values: Values) -> Attributes:
    name = name_of(values)
    names = {"event_pattern": "EventPattern", "schedule_expression": "ScheduleExpression", "description": "Description"}
    names |= {"state": "State", "role_arn": "RoleArn", "event_bus_name": "EventBusName"}
    made = account.client("events").put_rule(Name=name, **given(values, names), Tags=tags(values))
    return {"id": name, "name": name, "arn": made["RuleArn"]}


def _target(account: Account, values: Values) -> Attributes:
    identifier = values.get("target_id") or "terraform-1"
    target = {"Id": identifier, "Arn": values["arn"], **given(values, {"role_arn": "RoleArn", "input": "Input"})}
    bus = given(values, {"event_bus_name": "EventBusName"})
    account.client("events").put_targets(Rule=values["rule"], Targets=[target], **bus)
    return {"id": f"{values['rule']}-{identifier}", "rule": values["rule"], "target_id": identifier}


def _forget_target(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("events").remove_targets(Rule=attributes["rule"], Ids=[attributes["target_id"]])


def _forget_rule(account: Account, _values: Values, attributes: Attributes) -> None:
    account.client("events").delete_rule(Name=attributes["name"])


KINDS = {
    "aws_cloudwatch_log_group": Kind(_log_group, _retained, _forget_log_group),
    "aws_cloudwatch_log_resource_policy": put(_log_policy),
    "aws_cloudwatch_log_metric_filter": put(_metric_filter),
    "aws_cloudwatch_metric_alarm": put(_alarm, _forget_alarm),
    "aws_cloudwatch_composite_alarm": put(_composite, _forget_alarm),
    "aws_cloudwatch_event_rule": put(_rule, _forget_rule),
    "aws_cloudwatch_event_target": put(_target, _forget_target),
}
