"""How the last runs of rules and schedules ended, as the metrics of EventBridge say: one call for all of them.

Sources: Amazon EventBridge User Guide, "Monitoring Amazon EventBridge" (FailedInvocations: what failed for good);
Amazon EventBridge Scheduler User Guide, "Monitoring Amazon EventBridge Scheduler with Amazon CloudWatch" (metrics are
those of a schedule group); Amazon CloudWatch API Reference, GetMetricData (500 metrics).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from infraspec.aws.calls import Calls
from infraspec.checks.deployed.workload_state import LastRun, Runs
from infraspec.core.errors import RunnerPermissionError
from infraspec.live.resources.scope import refused
from infraspec.terraform.plan import Plan

_WINDOW, _HOUR = timedelta(days=7), 3600
_MOST_METRICS = 500
_RULE, _SCHEDULE = "aws_cloudwatch_event_rule", "aws_scheduler_schedule"


class _Metrics(Struct, frozen=True):
    """What counts the runs of one name, and those that failed."""

    namespace: str
    dimension: str
    started: str
    failed: tuple[str, ...]


_OF_RULE = _Metrics("AWS/Events", "RuleName", "Invocations", ("FailedInvocations",))
_OF_GROUP = _Metrics("AWS/Scheduler", "ScheduleGroup", "InvocationAttemptCount", ("InvocationDroppedCount",))


def last_runs(calls: Calls, live: Plan) -> Runs:
    """Return how the last hour of the last week ended in which each rule or schedule ran, by its address."""
    asked = dict(_asked(live))
    if not asked:
        return {}
    queries = [(names, metric) for names in dict.fromkeys(asked.values()) for metric in _metrics(names[0])]
    try:
        newest = {
            query: hour
            for start in range(0, len(queries), _MOST_METRICS)
            for query, hour in _newest(calls, queries[start : start + _MOST_METRICS])
        }
    except RunnerPermissionError as error:
        return {address: refused(f"the last run of {address}", error) for address in asked}
    return {address: _run(names, newest) for address, names in asked.items()}


_Names = tuple[_Metrics, str]


def _asked(live: Plan) -> Iterator[tuple[str, _Names]]:
    """Yield what runs by the clock. Metrics of the group `default` are of everybody's schedules."""
    for rule in live.managed(_RULE):
        name = rule.stated("name")
        if rule.stated("schedule_expression") and isinstance(name, str):
            yield rule.address, (_OF_RULE, name)
    for schedule in live.managed(_SCHEDULE):
        group = schedule.stated("group_name")
        if isinstance(group, str) and group != "default":
            yield schedule.address, (_OF_GROUP, group)


def _metrics(metrics: _Metrics) -> tuple[str, ...]:
    return (metrics.started, *metrics.failed)


def _run(names: _Names, newest: Mapping[tuple[_Names, str], datetime]) -> LastRun:
    metrics, name = names
    started = newest.get((names, metrics.started))
    failed = max(filter(None, (newest.get((names, metric)) for metric in metrics.failed)), default=None)
    of_group = name if metrics is _OF_GROUP else ""
    return LastRun(started or failed, failed is not None and (started is None or failed >= started), of_group)


def _newest(calls: Calls, part: list[tuple[_Names, str]]) -> Iterator[tuple[tuple[_Names, str], datetime]]:
    """Yield each metric that counted anything with the newest hour in which it did."""
    results = calls.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=[_query(number, *query) for number, query in enumerate(part)],
        StartTime=calls.taken - _WINDOW,
        EndTime=calls.taken,
        ScanBy="TimestampDescending",
    )
    for result in results:
        counted = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=True)
        hours = [hour for hour, value in counted if value]
        if hours:
            yield part[int(result["Id"][1:])], max(hours)


def _query(number: int, names: _Names, metric: str) -> dict[str, Any]:
    metrics, name = names
    dimensions = [{"Name": metrics.dimension, "Value": name}]
    asked = {"Namespace": metrics.namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": asked, "Period": _HOUR, "Stat": "Sum"}, "ReturnData": True}
