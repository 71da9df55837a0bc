"""The alarms that exist, composite ones too: DescribeAlarms answers with metric alarms alone unless it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.live.scope import Scope
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_METRIC, _COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
_COMMON = {
    "AlarmName": "alarm_name",
    "AlarmArn": "arn",
    "AlarmDescription": "alarm_description",
    "ActionsEnabled": "actions_enabled",
    "AlarmActions": "alarm_actions",
    "OKActions": "ok_actions",
    "InsufficientDataActions": "insufficient_data_actions",
}
_OF_METRIC = {
    **_COMMON,
    "MetricName": "metric_name",
    "Namespace": "namespace",
    "Statistic": "statistic",
    "ExtendedStatistic": "extended_statistic",
    "Period": "period",
    "Unit": "unit",
    "EvaluationPeriods": "evaluation_periods",
    "DatapointsToAlarm": "datapoints_to_alarm",
    "Threshold": "threshold",
    "ComparisonOperator": "comparison_operator",
    "TreatMissingData": "treat_missing_data",
    "ThresholdMetricId": "threshold_metric_id",
}
_OF_COMPOSITE = {**_COMMON, "AlarmRule": "alarm_rule", "ActionsSuppressor": "actions_suppressor"}
_QUERY = {"Id": "id", "Expression": "expression", "Label": "label", "ReturnData": "return_data", "Period": "period"}
_STAT = {"Stat": "stat", "Period": "period", "Unit": "unit"}
_SERIES = {"Namespace": "namespace", "MetricName": "metric_name"}


def alarm_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the metric alarms, then the composite ones."""
    for type_, kind, names in (
        (_METRIC, "MetricAlarm", _OF_METRIC),
        (_COMPOSITE, "CompositeAlarm", _OF_COMPOSITE),
    ):
        for alarm in scope.calls.pages("cloudwatch", "describe_alarms", f"{kind}s", AlarmTypes=[kind]):
            name, arn = alarm["AlarmName"], alarm["AlarmArn"]
            tags = scope.tags_of(arn)
            if scope.belongs(type_, name, tags=tags):
                values = {**chosen(alarm, names), "id": name}
                if type_ == _METRIC:
                    values |= _metric(alarm)
                yield scope.resource(type_, name, address=arn, values=values, tags=tags)


def _metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    queries = [_query(query) for query in alarm.get("Metrics") or ()]
    return {"metric_query": queries} if queries else {"dimensions": _dimensions(alarm)}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    stat = query.get("MetricStat")
    found = {"return_data": True, **chosen(query, _QUERY)}
    if stat:
        metric = stat["Metric"]
        found["metric"] = [{**chosen(stat, _STAT), **chosen(metric, _SERIES), "dimensions": _dimensions(metric)}]
    return found


def _dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions") or ()}
