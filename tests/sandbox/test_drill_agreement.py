"""The drill and the sandbox say the same: what a failure publishes brings alarms to the same states in both.

The drill predicts them from the source. The sandbox makes the same alarms and metric filters, and is given the data
and the log lines of the same minutes by the API of AWS. Failures that speak by silence are left out: data that do not
arrive move nothing in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.unknown import JsonText, Text, Unknown
from infraspec.monitoring.catalogue import AlarmSubject
from infraspec.monitoring.drill.failures import FailureMode, failures
from infraspec.monitoring.drill.running import Drill
from infraspec.monitoring.evaluation import MetricKey, Segment, States, Watch, World
from infraspec.monitoring.sample_events import SAMPLES, Specimens
from infraspec.sandbox.resources.peculiar import KINDS
from infraspec.sandbox.running import Running
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from tests.monitoring.test_drill import drill_of
from tests.plugin.project import REFERENCE

_FILTER, _ALARM = "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_metric_alarm"
_AT_ONCE = 500
DENIED = "module.monitoring.aws_cloudwatch_metric_alarm.secret_access_denied"
UNREAD = {"secret-deleted", "database-maintenance"}
"""Failures that no alarm reads of: a rule takes their events, or nothing does."""
SPEAKING = sorted(name for name, one in failures().items() if not any(metric.gone for metric in one.metrics))


@cache
def reference() -> Drill:
    """Return the drill of the reference."""
    return drill_of(REFERENCE)


def settings(resource: Resource, prefix: str) -> dict[str, Any]:
    """Return what a resource of the plan is configured with, in namespaces with a prefix."""
    specimens = Specimens(reference().plan.derived(AwsAttributes))

    def concrete(value: Any, name: str = "") -> Any:
        if isinstance(value, Mapping):
            return {key: concrete(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [] if name.endswith("actions") else [concrete(item) for item in value]
        text = specimens.text(value) if isinstance(value, Unknown | Text | JsonText) else value
        return f"{prefix}{text}" if name in {"namespace", "alarm_name"} and text else text

    return dict(concrete(resource.values))


class Replay(Struct, frozen=True):
    """A failure about a subject, replayed in a sandbox under names of its own."""

    name: str
    failure: FailureMode
    subject: AlarmSubject
    sandbox: Running
    drill: Drill
    lines: int = 0
    """How many lines come in each minute that no filter matches."""

    @property
    def prefix(self) -> str:
        """What namespaces, alarms and log groups begin with."""
        return f"{self.name}/"

    def states(self) -> tuple[dict[str, States], dict[str, str]]:
        """Return the states of the alarms that read what the failure publishes: of the drill, and of the sandbox."""
        drill = self.drill
        published = drill.published(self.failure, self.subject)
        watches = {
            address: watch
            for address, watch in drill.watches.items()
            if isinstance(watch, Watch) and any(key in published for key, _, _ in watch.keys.values())
        }
        world = {**drill.normal, **published}
        minute = self._first_alarm(watches.values(), world)
        keys = {key for watch in watches.values() for key, _, _ in watch.keys.values()}
        since = minute - max((watch.retrieved * watch.period for watch in watches.values()), default=0)
        names = {address: self.make(drill.plan.by_address[address])["alarm_name"] for address in watches}
        counted = self._lines(range(since, minute + 1), minute)
        for key in keys:
            segments = drill.normal.get(key, ()) if key in counted else world.get(key, ())
            self._put(key, segments, range(since, minute + 1), minute)
        new = frozenset({"INSUFFICIENT_DATA"})
        expected = {one: watch.states(world, minute, new, drill.defaults) for one, watch in watches.items()}
        found = self.sandbox.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=self.prefix)["MetricAlarms"]
        states = {str(one["AlarmName"]): str(one["StateValue"]) for one in found}
        return expected, {address: states[name] for address, name in names.items()}

    def _first_alarm(self, watches: Collection[Watch], world: World) -> int:
        """Return the minute at which the first alarm rings, or at which somebody should have heard if none does."""
        minutes = range(1, self.failure.minutes)
        ringing = (at for at in minutes if any(one.state(world, at, "OK") == "ALARM" for one in watches))
        return next(ringing, self.failure.minutes)

    def make(self, resource: Resource, **other: str) -> dict[str, Any]:
        """Make an alarm or a metric filter of the plan, and return its settings."""
        values = settings(resource, self.prefix) | other
        KINDS[resource.type].create(self.sandbox.account, values)
        return values

    def _put(self, key: MetricKey, segments: tuple[Segment, ...], minutes: range, last: int) -> None:
        data = [
            {
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
                "Timestamp": _moment(at, last),
                "Values": [float(value) for value, _ in published],
                "Counts": [count for _, count in published],
            }
            for at in minutes
            if (published := list(_published(segments, at)))
        ]
        cloudwatch = self.sandbox.account.client("cloudwatch")
        for begin in range(0, len(data), _AT_ONCE):
            part = data[begin : begin + _AT_ONCE]
            cloudwatch.put_metric_data(Namespace=f"{self.prefix}{key.namespace}", MetricData=part)

    def _lines(self, minutes: range, last: int) -> set[MetricKey]:
        """Write what the events of the failure say, minute by minute, and return the metrics that count lines."""
        drill, counted = self.drill, set()
        specimens = Specimens(drill.plan.derived(AwsAttributes))
        for one in drill.plan.managed(_FILTER):
            events = [
                {"timestamp": int(_moment(at, last).timestamp() * 1000), "message": line}
                for event in self.failure.events
                for about in (drill.subjects(event.about) if event.about else [self.subject])
                if drill.logs.counted(one, SAMPLES[event.event], about).answer
                for line in drill.logs.written(one, SAMPLES[event.event], about, specimens).lines
                for at in range(max(1, minutes.start), minutes.stop)
                if (at - 1) % event.every == 0 and (at - 1) // event.every < event.times
            ]
            if events:
                self._write(one, sorted(events, key=lambda event: event["timestamp"]))
                self._write_others(one, minutes, last)
                blocks = settings(one, "")["metric_transformation"]
                counted |= {MetricKey(block["namespace"], block["name"]) for block in blocks}
        return counted

    def _write(self, metric_filter: Resource, events: list[dict[str, Any]]) -> None:
        """Write events to a log group of their own, with the filter on it."""
        logs, group = self.sandbox.account.client("logs"), f"{self.prefix}{settings(metric_filter, '')['name']}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        self.make(metric_filter, log_group_name=group)
        for begin in range(0, len(events), _AT_ONCE):
            part = events[begin : begin + _AT_ONCE]
            logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=part)

    def _write_others(self, metric_filter: Resource, minutes: range, last: int) -> None:
        """Write lines that no filter matches, each by itself."""
        logs, group = self.sandbox.account.client("logs"), f"{self.prefix}{settings(metric_filter, '')['name']}"
        for at in minutes:
            for _ in range(self.lines):
                event = {"timestamp": int(_moment(at, last).timestamp() * 1000), "message": "nothing to see"}
                logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])


def _moment(minute: int, last: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=last - minute)


def _published(segments: tuple[Segment, ...], minute: int) -> Iterator[tuple[Fraction, int]]:
    for segment in segments:
        if times := segment.within(minute - 1, minute):
            yield segment.value, times


@pytest.mark.parametrize("name", SPEAKING)
def test_the_sandbox_does_what_the_drill_says(empty: Running, name: str) -> None:
    """Each alarm that reads what a failure publishes is in the same state in both."""
    failure = failures()[name]
    for subject in reference().subjects(failure.watches)[:1]:
        expected, found = Replay(name, failure, subject, empty, reference()).states()
        assert expected == {address: {state} for address, state in found.items()}
        assert {"ALARM"} in expected.values() or name in UNREAD


DEFAULTS: dict[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "nothing": (0, ()),
    "of nothing, and many lines": (3, (("default_value", "0"),)),
    "in an average": (3, (("default_value", "0"), ("threshold", "0.5"), ("statistic", "Average"))),
    "in a minimum": (2, (("default_value", "0"), ("statistic", "Minimum"))),
    "among samples": (2, (("default_value", "0"), ("threshold", "4"), ("statistic", "SampleCount"))),
    "as much as a failure": (1, (("default_value", "1"), ("threshold", "3"))),
    "as much as a failure, and no lines": (0, (("default_value", "1"), ("threshold", "3"))),
    "below a threshold": (
        1,
        (("default_value", "1"), ("comparison_operator", "LessThanThreshold"), ("threshold", "5")),
    ),
    "in place of missing data": (1, (("default_value", "0"), ("treat_missing_data", "breaching"))),
}
"""Lines in each minute that no filter matches, and other settings of the filter and of its alarm."""
OPEN = {*DEFAULTS} - {"nothing", "of nothing, and many lines", "in place of missing data"}
"""Those where the state depends on the lines."""


def _changed(plan: Plan, changes: Mapping[str, str]) -> Plan:
    def change(one: Resource) -> Resource:
        values = dict(one.values)
        if one.type == _FILTER and "default_value" in changes:
            blocks = [{**block, "default_value": changes["default_value"]} for block in values["metric_transformation"]]
            values["metric_transformation"] = blocks
        if one.type == _ALARM and one.name == "secret_access_denied":
            values |= {name: value for name, value in changes.items() if name != "default_value"}
        return replace(one, values=values)

    return plan.replaced(resources=tuple(map(change, plan.resources)))


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_values_of_filters(empty: Running, name: str) -> None:
    """With a default value the drill leaves open what lines may come: the sandbox is in one of the states it says."""
    lines, changes = DEFAULTS[name]
    drill, failure = reference(), failures()["secret-access-denied"]
    changed = Drill(_changed(drill.plan, dict(changes)), drill.alarms, drill.facts, drill.environment)
    subject = changed.subjects(failure.watches)[0]
    expected, found = Replay(re.sub(r"\W+", "-", name), failure, subject, empty, changed, lines).states()
    assert [] == [address for address, state in found.items() if state not in expected[address]]
    assert (name in OPEN) is (len(expected[DENIED]) > 1)
