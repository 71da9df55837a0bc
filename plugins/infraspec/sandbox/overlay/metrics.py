"""Metrics move alarms: data that arrive, from PutMetricData or a metric filter, evaluate the alarms that watch them.

How an alarm is evaluated is told in one place, infraspec.monitoring.evaluation, where the drill reads it too. The clock
is the time of the request, or that of the newest datapoint if that is later; nothing happens between requests.
Sources: Amazon CloudWatch API Reference, PutMetricData and MetricDatum; Amazon CloudWatch Logs API Reference,
PutLogEvents and MetricTransformation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import partialmethod
from threading import RLock
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum, cloudwatch_backends
from moto.logs.models import LogStream, logs_backends
from msgspec import Struct

from infraspec.monitoring.alarms import inlined
from infraspec.monitoring.evaluation import MetricKey, NotEvaluatedError, Segment, Watch, comparison_of
from infraspec.monitoring.log_metrics import counts, selected
from infraspec.sandbox.overlay import alarms

_DAY = 86400
_LOCK = RLock()
"""Two requests at once move an alarm once."""
_EXTREMES = 2
"""The minimum and the maximum of a statistic set are values of their own."""


def install() -> None:
    """Evaluate alarms whenever data arrive."""
    CloudWatchBackend.put_metric_data = partialmethod(_put_metric_data, CloudWatchBackend.put_metric_data)
    LogStream.put_log_events = partialmethod(_put_log_events, LogStream.put_log_events)


class _Series(Struct, frozen=True):
    """One metric that an alarm of CloudWatch reads."""

    key: MetricKey
    statistic: str
    period: int
    unit: str

    @classmethod
    def of(cls, metric: Any, statistic: Any, period: Any, unit: Any) -> _Series:
        """Return what is read of a metric, or of an alarm that is about one."""
        key = key_of(metric.namespace, metric.metric_name, ((one.name, one.value) for one in metric.dimensions or ()))
        return cls(key, str(statistic), int(period), unit or "")


class WatchedAlarm(Struct, frozen=True):
    """An alarm of the backend as the model evaluates it."""

    alarm: Any
    watch: Watch
    units: Mapping[MetricKey, str]

    @classmethod
    def of(cls, alarm: Any) -> WatchedAlarm:
        """Return what an alarm watches. Raises NotEvaluatedError."""
        series, expression = _of_queries(alarm) if alarm.metric_data_queries else ({"": _own(alarm)}, "")
        if not series or len({one.period for one in series.values()}) > 1:
            raise NotEvaluatedError("its metrics have several periods, or there are none")
        periods = int(alarm.evaluation_periods)
        watch = Watch(
            {name: (one.key, one.statistic, one.period) for name, one in series.items()},
            expression,
            next(one.period for one in series.values()),
            periods,
            int(alarm.datapoints_to_alarm or periods),
            alarm.treat_missing_data or "missing",
            comparison_of(alarm.comparison_operator),
            Fraction(str(alarm.threshold)),
            day=_DAY,
            few=alarm.evaluate_low_sample_count_percentile or "evaluate",
        )
        return cls(alarm, watch, {one.key: one.unit for one in series.values()})

    def evaluate(self, backend: Any, now: int) -> None:
        """Bring the alarm to the state that the data give it. Raises NotEvaluatedError."""
        data = {key: _data(backend, key, unit) for key, unit in self.units.items()}
        clock = max(now, *(at for found in data.values() for at, _ in found), 0)
        since = clock - self.watch.retrieved * self.watch.period
        world = {
            key: tuple(segment for at, datum in found if since < at for segment in self._segments(key, at, datum))
            for key, found in data.items()
        }
        before = self.alarm.state_value
        after = self.watch.state(world, clock, before)
        if after != before:
            alarms.move(backend, self.alarm, after, self._reason(self.watch.datapoints(world, clock), after))

    def _segments(self, key: MetricKey, at: int, datum: Any) -> Iterator[Segment]:
        if not isinstance(datum, MetricAggregatedDatum):
            yield Segment(_exact(datum.value), at, at + 1)
            return
        percentile = any(statistic[0] == "p" for own, statistic, _ in self.watch.keys.values() if own == key)
        if not percentile or datum.min == datum.max:
            yield from _told(datum, at)

    def _reason(self, found: Sequence[Fraction], after: str) -> str:
        if after == "INSUFFICIENT_DATA":
            return "Insufficient Data: no datapoints were received."
        breaching = [value for value in found if self.watch.compare(value, self.watch.threshold)]
        shown = ", ".join(str(float(value)) for value in found)
        missing = self.watch.periods - len(found)
        treated = f" and {missing} missing treated as [{self.watch.missing}]" if missing > 0 else ""
        return (
            f"Threshold Crossed: {len(breaching)} out of the last {len(found)} datapoints [{shown}]{treated} breached "
            f"the threshold ({float(self.watch.threshold)}), {self.watch.needed} are needed for ALARM."
        )


def key_of(namespace: str, name: str, dimensions: Iterable[tuple[str, str]]) -> MetricKey:
    """Return what identifies a metric."""
    return MetricKey(namespace, name, tuple(sorted(dimensions)))


def _own(alarm: Any) -> _Series:
    return _Series.of(alarm, alarm.statistic or alarm.extended_statistic, alarm.period, alarm.unit)


def _of_queries(alarm: Any) -> tuple[dict[str, _Series], str]:
    """Return the metrics of an alarm on queries, and the expression that is watched, if there is one."""
    queries = alarm.metric_data_queries
    series = {
        one.id: _Series.of(one.metric_stat.metric, one.metric_stat.stat, one.metric_stat.period, one.metric_stat.unit)
        for one in queries
        if one.metric_stat
    }
    returned = next((one.id for one in queries if one.return_data in {True, "true"}), queries[0].id)
    if returned in series:
        return {"": series[returned]}, ""
    return series, inlined({one.id: one.expression for one in queries if one.expression}, returned)


def _data(backend: Any, key: MetricKey, unit: str) -> list[tuple[int, Any]]:
    """Return the data of a metric with the seconds they are of; of one unit alone if the alarm names one."""
    return [
        (_seconds(datum.timestamp), datum)
        for datum in backend.metric_data
        if datum.name == key.name and datum.namespace == key.namespace
        if unit in {"", datum.unit or "None"}
        if key == key_of(datum.namespace, datum.name, ((one.name, one.value) for one in datum.dimensions))
    ]


def _seconds(moment: Any) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return int(moment)


def _exact(value: float) -> Fraction:
    return Fraction(str(float(value)))


def _told(datum: Any, at: int) -> Iterator[Segment]:
    """Return values that have the count, sum, minimum and maximum of a statistic set."""
    count, total = int(datum.sample_count), _exact(datum.sum)
    low, high = _exact(datum.min), _exact(datum.max)
    if count == 1:
        yield Segment(total, at, at + 1)
        return
    yield from (Segment(low, at, at + 1), Segment(high, at, at + 1))
    if count > _EXTREMES:
        yield Segment((total - low - high) / (count - _EXTREMES), at, at + 1, count=count - _EXTREMES)


def _put_metric_data(
    backend: Any, original: Callable[..., Any], namespace: str, metric_data: list[dict[str, Any]]
) -> None:
    original(backend, namespace, metric_data)
    touched = {
        key_of(namespace, one["MetricName"], ((each["Name"], each["Value"]) for each in one.get("Dimensions") or ()))
        for one in metric_data
    }
    with _LOCK:
        for alarm in list(backend.alarms.values()):
            _evaluate(backend, alarm, touched)


def _evaluate(backend: Any, alarm: Any, touched: set[MetricKey]) -> None:
    """Evaluate an alarm if it reads what has arrived; what the model does not evaluate keeps its state."""
    if alarm.rule is not None:
        return
    try:
        watched = WatchedAlarm.of(alarm)
        if not touched.isdisjoint(watched.units):
            watched.evaluate(backend, math.ceil(time.time()))
    except NotEvaluatedError:
        return


def _put_log_events(stream: Any, original: Callable[..., str], log_events: list[dict[str, Any]]) -> str:
    """Publish what the metric filters of the group count in the events."""
    token = original(stream, log_events)
    filters = logs_backends[stream.account_id][stream.region].filters.get_matching_filters(
        log_group_name=stream.log_group.name
    )
    for one in filters:
        for transformation in one["metricTransformations"]:
            data = list(_counted(one["filterPattern"], transformation, log_events))
            if data:
                backend = cloudwatch_backends[stream.account_id][stream.region]
                backend.put_metric_data(transformation["metricNamespace"], data)
    return token


def _counted(
    pattern: str, transformation: Mapping[str, Any], log_events: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    taken = [event for event in log_events if counts(pattern, event["message"])]
    for event in taken:
        value = _value(str(transformation["metricValue"]), event["message"])
        if value is not None:
            yield _datum(transformation, value, event)
    default = transformation.get("defaultValue")
    if not taken and log_events and default is not None:
        yield _datum({**transformation, "dimensions": {}}, float(default), log_events[-1])


def _datum(transformation: Mapping[str, Any], value: float, event: Mapping[str, Any]) -> dict[str, Any]:
    dimensions = (transformation.get("dimensions") or {}).items()
    found = {name: selected(selector, event["message"]) for name, selector in dimensions}
    return {
        "MetricName": transformation["metricName"],
        "Value": value,
        "Unit": transformation.get("unit") or "None",
        "Timestamp": datetime.fromtimestamp(event["timestamp"] / 1000, UTC).replace(tzinfo=None),  # as moto keeps it
        "Dimensions": [{"Name": name, "Value": str(values[0])} for name, values in found.items() if values],
    }


def _value(text: str, message: str) -> float | None:
    """Return what a filter publishes of an event: a number, or what a selector finds in it."""
    found = selected(text, message)[:1] if text.startswith("$") else [text]
    try:
        return float(found[0]) if found else None
    except (TypeError, ValueError):
        return None
