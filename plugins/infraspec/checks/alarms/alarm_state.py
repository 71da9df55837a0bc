"""Rule `alarm-state`: the alarms of the source exist in AWS, are as it says, are evaluated, and do not flap.

Sources: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" and "Alarm evaluation";
Amazon CloudWatch API Reference, DescribeAlarmHistory, and PutMetricAlarm of what alarms of AWS/DynamoDB ignore.

Source: Terraform AWS provider, aws_cloudwatch_metric_alarm and aws_cloudwatch_composite_alarm; their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TypeAlias

from infraspec.checks.common.live_comparison import Difference, ResolvedSource, looked_at, refusal_of, same
from infraspec.checks.common.nested_comparison import nested_differences
from infraspec.checks.common.unknown_remedies import how_to_know, left_open
from infraspec.contract.alarms import Alarms, LiveAlarms
from infraspec.contract.models import Contract
from infraspec.contract.waivers import matches
from infraspec.core.finding import Finding, Related
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.monitoring.alarms import Series, alarms
from infraspec.monitoring.boolean_expressions import mean_the_same
from infraspec.monitoring.live_readings import AlarmStates, AlarmStatus, Watched
from infraspec.resource_types import DriftAttributes, resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["alarm-state"]

METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"


def differences(source: Resource, live: Resource, values: Mapping[str, Value]) -> Iterator[Difference]:
    """Yield what of an alarm is not certainly as its source says; `values` are the source's, with what AWS assigned."""
    compared = resource_type(source.type).drift or DriftAttributes()
    for name in compared.compared:
        if name == "threshold" and values.get("threshold_metric_id"):
            continue
        default = compared.defaults.get(name)
        expected, found = (default if value in (None, "") else value for value in (values.get(name), live.stated(name)))
        if isinstance(expected, str) and isinstance(found, str) and name == "alarm_rule":
            expected = found if mean_the_same(expected, found) else expected
        if name == "datapoints_to_alarm" and not (expected is found is None):
            expected, found = (
                expected or source.stated("evaluation_periods"),
                found or live.stated("evaluation_periods"),
            )
        if name in compared.nested:
            yield from nested_differences(name, expected, found, compared.nested[name])
        else:
            yield from _compared(name, expected, found)
    yield from _queries(values.get("metric_query"), live.stated("metric_query"))


def _queries(expected: Value, found: Value) -> Iterator[Difference]:
    if isinstance(expected, Unknown):
        yield Difference("metric_query", expected, found, Truth.MAYBE)
        return
    wanted, there = _by_id(expected), _by_id(found)
    for name in sorted({*wanted, *there}):
        if name not in wanted or name not in there:
            left, right = (f"{'a' if name in queries else 'no'} query {name}" for queries in (wanted, there))
            yield Difference("metric_query", left, right, Truth.NO)
            continue
        for key in sorted({*wanted[name], *there[name]}):
            yield from _compared(f"metric_query {name} {key}", wanted[name].get(key), there[name].get(key))


def _by_id(queries: Value) -> dict[str, dict[str, Value]]:
    """Return queries by id, without their labels, which tell people and not CloudWatch."""
    listed = [query for query in queries if isinstance(query, Mapping)] if isinstance(queries, list | tuple) else []
    by_id = {}
    for query in listed:
        metric = next((block for block in query.get("metric") or () if isinstance(block, Mapping)), {})
        flat = {
            "expression": query.get("expression"),
            "return_data": bool(query.get("return_data")) or len(listed) == 1,
            "account_id": query.get("account_id"),
            **{name: metric.get(name) for name in ("namespace", "metric_name", "period", "stat", "unit", "dimensions")},
        }
        if query.get("period") and not metric:
            flat["period"] = query["period"]
        by_id[str(query.get("id"))] = {name: value for name, value in flat.items() if value not in (None, "", {}, ())}
    return by_id


def _compared(name: str, expected: Value, found: Value) -> Iterator[Difference]:
    answer = same(expected, found)
    if answer is not Truth.YES:
        yield Difference(name, expected, found, answer)


_About: TypeAlias = Callable[..., Subject]
_STUCK, _RINGS = "INSUFFICIENT_DATA", "ALARM"
_IGNORES = "AWS/DynamoDB"
_CONTINUOUS = {
    ("AWS/ECS", "CPUUtilization"),
    ("AWS/ECS", "MemoryUtilization"),
    ("AWS/ApplicationELB", "HealthyHostCount"),
    ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ("AWS/NetworkELB", "HealthyHostCount"),
    ("AWS/NetworkELB", "UnHealthyHostCount"),
}
"""Metrics that have data as long as what they are about is there; so has all of AWS/RDS."""


def alarm_names(plan: Plan) -> list[str]:
    """Return the names of the alarms of a source, so far as they are known."""
    attributes = plan.derived(AwsAttributes)
    names = (attributes.name(alarm, "alarm_name") for alarm in plan.managed(METRIC, COMPOSITE))
    return sorted({name for name in names if isinstance(name, str)})


def check_alarm_state(plan: Plan, live_plan: Plan, alarm_states: AlarmStates, contract: Contract) -> list[Finding]:
    """Judge each alarm of a source: its configuration, its state, what it looks at, and what it did.

    `live_plan` has the live resources at the addresses of the source, `alarm_states` what AWS says of the alarms by
    name.
    """
    check = _Check(plan, live_plan, alarm_states, (contract.alarms or Alarms()).live)
    here, others = looked_at(RULE, plan.managed(METRIC, COMPOSITE), check.bound.whereabouts)
    return [*(finding for alarm in here for finding in check.findings(alarm)), *others]


@dataclass
class _Check:
    plan: Plan
    live: Plan
    states: AlarmStates
    settings: LiveAlarms
    bound: ResolvedSource = field(init=False)

    def __post_init__(self) -> None:
        self.bound = ResolvedSource(self.plan, self.live)
        self.metrics = {alarm.resource.address: alarm for alarm in alarms(self.live)}

    def findings(self, source: Resource) -> Iterator[Finding]:
        name = self.bound.value(self.bound.attributes.name(source, "alarm_name"))
        if not isinstance(name, str):
            yield RULE.about(source, location=source.location_of("alarm_name")).say("unnamed", name=render(name))
            return
        status, live = self.states.by_name.get(name), self.bound.resource(source)
        if status is None or live is None:
            missing = RULE.about(source).say("absent", name=name)
            yield left_open(self.plan, missing)
            return
        about = partial(RULE.about, source, related=(Related("alarm", status.arn),))
        yield self._configuration(source, live, about)
        yield self._state(live, status, about("state"))
        yield from self._watched(source, live, status, about)
        yield from self._history(source, status, about)

    def _configuration(self, source: Resource, live: Resource, about: _About) -> Finding:
        unequal = list(differences(source, live, self.bound.value(source.values)))
        wrong = [difference for difference in unequal if difference.answer is Truth.NO]
        shown = wrong or unequal
        if not shown:
            return about("configuration").proven("as the source says")
        if not wrong and (hidden := refusal_of(shown)):
            return about("configuration").unseen(hidden.address, how_to_know(hidden))
        names = [difference.attribute.split()[0] for difference in shown]
        subject = about("configuration", location=source.location_of(names[0]))
        expected = "\n".join(_said(difference.attribute, difference.expected) for difference in shown)
        found = "\n".join(_said(difference.attribute, difference.shown) for difference in shown)
        named = ", ".join(dict.fromkeys(names))
        return subject.say("changed" if wrong else "not-known", expected=expected, found=found, names=named)

    def _state(self, live: Resource, status: AlarmStatus, subject: Subject) -> Finding:
        lasted = status.lasted(self.states.taken)
        state = f"{status.state}{_since(lasted)}"
        if status.state == _RINGS:
            return subject.say("in-alarm", found=f"{state}: {status.reason}".rstrip(": "))
        if status.state != _STUCK:
            return subject.proven(state)
        if lasted is not None and lasted <= timedelta(minutes=self.settings.insufficient_minutes):
            return subject.proven(f"{state}, which a new alarm may be")
        if any(matches(pattern, status.name) for pattern in self.settings.sparse):
            return subject.proven(f"{state}; the contract says its metric is sparse")
        minutes, found = self.settings.insufficient_minutes, f"{state}: {status.reason}".rstrip(": ")
        alarm = self.metrics.get(live.address)
        missing, series = (alarm.get("treat_missing_data"), alarm.series.values()) if alarm else (None, ())
        name = live.stated("alarm_name") or live.name
        said = {"minutes": minutes, "found": found, "missing": missing, "alarm": live.address, "name": name}
        return subject.say(_stuck(missing, series), **said)

    def _watched(self, source: Resource, live: Resource, status: AlarmStatus, about: _About) -> Iterator[Finding]:
        things = [*status.watched, *self._counted(live)]
        unseen = [thing for thing in things if thing.refused]
        if absent := [thing.name for thing in things if not thing.exists and not thing.refused]:
            subject = about("what it looks at", location=source.location_of("dimensions"))
            yield subject.say("nothing-watched", found="\n".join(f"{name}, which does not exist" for name in absent))
        elif unseen:
            yield about("what it looks at").unseen(", ".join(thing.name for thing in unseen), unseen[0].refused)
        elif things:
            yield about("what it looks at").proven(", ".join(thing.name for thing in things) + " exist")

    def _counted(self, live: Resource) -> Iterator[Watched]:
        """Yield the metrics of an alarm that filters of the source count, and whether one of these filters is there."""
        alarm, unlisted = self.metrics.get(live.address), self.live.unlisted("aws_cloudwatch_log_metric_filter")
        for series in alarm.series.values() if alarm else ():
            filters = self._filters.get((series.namespace, series.name), ())
            name, there = f"a metric filter for {series.name}", any(map(self.bound.resource, filters))
            if filters and unlisted:
                yield Watched(name, exists=False, refused=how_to_know(unlisted))
            elif there or (filters and all(self.bound.whereabouts.has(resource) is Truth.YES for resource in filters)):
                yield Watched(name, there)

    @cached_property
    def _filters(self) -> dict[tuple[Value, Value], list[Resource]]:
        filters: dict[tuple[Value, Value], list[Resource]] = {}
        for resource in self.plan.managed("aws_cloudwatch_log_metric_filter"):
            for block in resource.stated("metric_transformation") or ():
                key = (self.bound.value(block.get("namespace")), self.bound.value(block.get("name")))
                filters.setdefault(key, []).append(resource)
        return filters

    def _history(self, source: Resource, status: AlarmStatus, about: _About) -> Iterator[Finding]:
        history = self.states.history
        if history is None:
            return
        if history.refused:
            yield about("history").unseen("what it did is unknown", history.refused)
            return
        fired, failed = history.fired.get(status.name, 0), history.failed.get(status.name, ())
        if failed:
            subject = about("actions", location=source.location_of("alarm_actions"))
            yield subject.say("failed-actions", hours=history.hours, found="\n".join(dict.fromkeys(failed)))
        if fired > self.settings.most_alarms:
            subject = about("flapping", location=source.location_of("threshold"))
            yield subject.say("flapping", most=self.settings.most_alarms, hours=history.hours, fired=fired)
        elif not failed:
            yield about("history").proven(f"{fired} times in ALARM in the last {history.hours} hours, no action failed")


def _stuck(missing: Value, metrics: Collection[Series]) -> str:
    """Name what is said of an alarm without data, by what it does then and by the metrics that it looks at."""
    if any(series.namespace == _IGNORES for series in metrics):
        return "ignores-missing-data"
    if missing in {"breaching", "notBreaching"}:
        return "not-evaluated"
    is_continuous = all(
        series.namespace == "AWS/RDS" or (series.namespace, series.name) in _CONTINUOUS for series in metrics
    )
    return "no-data-of-what-is-there" if missing == "missing" and is_continuous else "perhaps-sparse"


def _said(name: str, value: Value) -> str:
    return f"{name} {'not set' if value is None else render(value)}"


def _since(lasted: timedelta | None) -> str:
    if lasted is None:
        return ""
    minutes = int(lasted.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004 - two hours are still said in minutes
        return f" for {minutes} minutes"
    return f" for {minutes // 60} hours" if minutes < 48 * 60 else f" for {minutes // 1440} days"
