"""Rule `alarm-state`: the alarms of the source exist in AWS, are as it says, are evaluated, and do not flap.

Sources: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" and "Alarm evaluation";
Amazon CloudWatch API Reference, DescribeAlarmHistory, and PutMetricAlarm of what alarms of AWS/DynamoDB ignore.

Source: Terraform AWS provider, aws_cloudwatch_metric_alarm and aws_cloudwatch_composite_alarm; their defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from infraspec.checks.common.live_comparison import Difference, ResolvedSource, looked_at, same
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.contract.alarms import Alarms, LiveAlarms
from infraspec.contract.models import Contract
from infraspec.contract.waivers import matches
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import ALARM_STATE as RULE
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.monitoring.alarms import Alarm, alarms
from infraspec.monitoring.live_readings import AlarmStates, AlarmStatus
from infraspec.terraform.plan import Plan, Resource

METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
_ACTIONS: Mapping[str, Value] = {
    "actions_enabled": True,
    "alarm_actions": [],
    "ok_actions": [],
    "insufficient_data_actions": [],
}
_ATTRIBUTES: Mapping[str, Mapping[str, Value]] = {
    METRIC: {
        "comparison_operator": None,
        "threshold": None,
        "threshold_metric_id": None,
        "evaluation_periods": None,
        "datapoints_to_alarm": None,
        "namespace": None,
        "metric_name": None,
        "dimensions": {},
        "statistic": None,
        "extended_statistic": None,
        "period": None,
        "unit": None,
        "treat_missing_data": "missing",
        **_ACTIONS,
    },
    COMPOSITE: {"alarm_rule": None, **_ACTIONS},
}
"""What is compared, by type, with the provider's defaults."""


def differences(source: Resource, live: Resource, values: Mapping[str, Value]) -> Iterator[Difference]:
    """Yield what of an alarm is not certainly as its source says; `values` are the source's, with what AWS assigned."""
    for name, default in _ATTRIBUTES[source.type].items():
        expected, found = _given(values.get(name), default), _given(live.get(name), default)
        if name == "alarm_rule":
            expected, found = _one_line(expected), _one_line(found)
        if name == "datapoints_to_alarm" and not (expected is found is None):
            expected, found = expected or source.get("evaluation_periods"), found or live.get("evaluation_periods")
        if name == "threshold" and values.get("threshold_metric_id"):
            continue
        yield from _compared(name, expected, found)
    yield from _queries(values.get("metric_query"), live.get("metric_query"))


def _queries(expected: Value, found: Value) -> Iterator[Difference]:
    if isinstance(expected, Unknown):
        yield Difference("metric_query", expected, found, Truth.MAYBE)
        return
    wanted, there = _by_id(expected), _by_id(found)
    for name in sorted({*wanted, *there}):
        if name not in wanted or name not in there:
            yield Difference("metric_query", _shown(name, wanted), _shown(name, there), Truth.NO)
            continue
        for attribute in sorted({*wanted[name], *there[name]}):
            for one in _compared(attribute, wanted[name].get(attribute), there[name].get(attribute)):
                yield Difference(f"metric_query {name} {attribute}", one.expected, one.found, one.answer)


def _by_id(queries: Value) -> dict[str, dict[str, Value]]:
    listed = (
        [query for query in queries or () if isinstance(query, Mapping)] if not isinstance(queries, Unknown) else []
    )
    return {str(query.get("id")): _flat(query, alone=len(listed) == 1) for query in listed}


def _flat(query: Mapping[str, Value], *, alone: bool) -> dict[str, Value]:
    """Return a query without its label, which tells people and not CloudWatch."""
    metric = next((one for one in query.get("metric") or () if isinstance(one, Mapping)), {})
    flat = {
        "expression": query.get("expression"),
        "return_data": bool(query.get("return_data")) or alone,
        "account_id": query.get("account_id"),
        **{name: metric.get(name) for name in ("namespace", "metric_name", "period", "stat", "unit", "dimensions")},
    }
    if query.get("period") and not metric:
        flat["period"] = query["period"]
    return {name: value for name, value in flat.items() if value not in (None, "", {}, ())}


def _compared(name: str, expected: Value, found: Value) -> Iterator[Difference]:
    answer = same(expected, found)
    if answer is not Truth.YES:
        yield Difference(name, expected, found, answer)


def _given(value: Value, default: Value) -> Value:
    return default if value is None or value == "" else value


def _one_line(value: Value) -> Value:
    return " ".join(value.split()) if isinstance(value, str) else value


def _shown(name: str, queries: Mapping[str, Value]) -> str:
    return f"a query {name}" if name in queries else f"no query {name}"


_STUCK = "INSUFFICIENT_DATA"
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
    found = ResolvedSource(plan, plan)
    names = (found.attributes.name(one, "alarm_name") for one in plan.managed(METRIC, COMPOSITE))
    return sorted({name for name in names if isinstance(name, str)})


def check_alarm_state(plan: Plan, live_plan: Plan, alarm_states: AlarmStates, contract: Contract) -> list[Finding]:
    """Judge each alarm of a source: its configuration, its state, what it looks at, and what it did.

    `live_plan` has the live resources at the addresses of the source, `alarm_states` what AWS says of the alarms by
    name.
    """
    settings = (contract.alarms or Alarms()).live
    check = _Check(plan, live_plan, alarm_states, settings)
    here, others = looked_at(RULE.id, plan.managed(METRIC, COMPOSITE), check.bound.whereabouts)
    return [*(finding for one in here for finding in check.findings(one)), *others]


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
            yield _unnamed(source, name)
            return
        status, live = self.states.by_name.get(name), self.bound.resource(source)
        if status is None or live is None:
            yield left_open(self.plan, _missing(source, name))
            return
        yield self._configuration(source, live, status)
        yield self._state(source, live, status)
        yield from self._watched(source, live, status)
        yield from self._history(source, status)

    def _configuration(self, source: Resource, live: Resource, status: AlarmStatus) -> Finding:
        found = list(differences(source, live, self.bound.value(source.values)))
        wrong = [one for one in found if one.answer is Truth.NO]
        shown = wrong or found
        if not shown:
            return _proven(source, status, "configuration", "as the source says")
        return Finding(
            RULE.id,
            Verdict.VIOLATED if wrong else Verdict.UNDETERMINED,
            source.address,
            "configuration",
            source.location_of(shown[0].attribute.split()[0]),
            expected="\n".join(_said(one.attribute, one.expected) for one in shown),
            found="\n".join(_said(one.attribute, one.found) for one in shown),
            reason="AWS has it otherwise than the source" if wrong else "the source does not know it before apply",
            remedy=_apply(source, shown) if wrong else "name the state of the environment in the contract: state = …",
            related=_related(status),
        )

    def _state(self, source: Resource, live: Resource, status: AlarmStatus) -> Finding:
        lasted = status.lasted(self.states.taken)
        allowed = timedelta(minutes=self.settings.insufficient_minutes)
        if status.state != _STUCK:
            return _proven(source, status, "state", f"{status.state}{_since(lasted)}")
        if lasted is not None and lasted <= allowed:
            return _proven(source, status, "state", f"{_STUCK}{_since(lasted)}, which a new alarm may be")
        if any(matches(pattern, status.name) for pattern in self.settings.sparse):
            return _proven(source, status, "state", f"{_STUCK}{_since(lasted)}; the contract says its metric is sparse")
        verdict, reason, remedy = self._stuck(live)
        return Finding(
            RULE.id,
            verdict,
            source.address,
            "state",
            source.location,
            expected=f"{_STUCK} for no longer than {self.settings.insufficient_minutes} minutes",
            found=f"{_STUCK}{_since(lasted)}: {status.reason}".rstrip(": "),
            reason=reason,
            remedy=remedy,
            related=_related(status),
        )

    def _stuck(self, live: Resource) -> tuple[Verdict, str, str]:
        """Say what it means that an alarm has no data: verdict, reason and remedy."""
        alarm = self.metrics.get(live.address)
        missing = alarm.get("treat_missing_data") if alarm else None
        if alarm and any(series.namespace == _IGNORES for series in alarm.series.values()):
            reason = "alarms on AWS/DynamoDB ignore that data is missing and stay as they are, whatever the alarm says"
            return Verdict.UNDETERMINED, reason, _sparse(live)
        if missing in {"breaching", "notBreaching"}:
            reason = f"with treat_missing_data {missing} it leaves this state without data: it is not evaluated at all"
            return Verdict.VIOLATED, reason, "look at its metrics and its expression in the console of CloudWatch"
        if missing == "missing" and alarm and all(_is_continuous(alarm)):
            reason = "its metric has data as long as what it is about is there: it is gone, stopped, or named wrongly"
            return Verdict.VIOLATED, reason, "mend its dimensions, or start what they name"
        reason = "whether its metric only has no data when all is well cannot be told"
        remedy = (
            f'in {live.address}, if no data means that all is well\ntreat_missing_data = "notBreaching"\n'
            f"or {_sparse(live)}"
        )
        return Verdict.UNDETERMINED, reason, remedy

    def _watched(self, source: Resource, live: Resource, status: AlarmStatus) -> Iterator[Finding]:
        things = [(thing.name, thing.exists) for thing in status.watched] + list(self._counted(live))
        absent = [name for name, exists in things if not exists]
        if absent:
            yield Finding(
                RULE.id,
                Verdict.VIOLATED,
                source.address,
                "what it looks at",
                source.location_of("dimensions"),
                expected="dimensions that name what exists, and a metric that something writes",
                found="\n".join(f"{name}, which does not exist" for name in absent),
                reason="the metric has no data and never will, so the alarm never fires",
                remedy=f"terraform apply, or mend the dimensions of {source.address}",
                related=_related(status),
            )
        elif things:
            yield _proven(source, status, "what it looks at", ", ".join(name for name, _ in things) + " exist")

    def _counted(self, live: Resource) -> Iterator[tuple[str, bool]]:
        """Yield the metrics of an alarm that filters of the source count, and whether one of these filters is there."""
        alarm = self.metrics.get(live.address)
        for series in alarm.series.values() if alarm else ():
            filters = self._filters.get((series.namespace, series.name), ())
            there = any(self.bound.resource(one) for one in filters)
            if there or (filters and all(self.bound.whereabouts.has(one) is Truth.YES for one in filters)):
                yield f"a metric filter for {series.name}", there

    @cached_property
    def _filters(self) -> dict[tuple[Value, Value], list[Resource]]:
        found: dict[tuple[Value, Value], list[Resource]] = {}
        for one in self.plan.managed("aws_cloudwatch_log_metric_filter"):
            for block in one.get("metric_transformation") or ():
                key = (self.bound.value(block.get("namespace")), self.bound.value(block.get("name")))
                if all(isinstance(part, str) for part in key):
                    found.setdefault(key, []).append(one)
        return found

    def _history(self, source: Resource, status: AlarmStatus) -> Iterator[Finding]:
        history = self.states.history
        if history is None:
            return
        fired, failed = history.fired.get(status.name, 0), history.failed.get(status.name, ())
        window = f"in the last {history.hours} hours"
        if failed:
            yield Finding(
                RULE.id,
                Verdict.VIOLATED,
                source.address,
                "actions",
                source.location_of("alarm_actions"),
                expected=f"every action succeeded {window}",
                found="\n".join(dict.fromkeys(failed)),
                reason="CloudWatch could not do what the alarm asks for: nobody was told",
                remedy="mend the policy or the key of the topic; the rule alarm-delivery says which",
                related=_related(status),
            )
        if fired > self.settings.most_alarms:
            yield Finding(
                RULE.id,
                Verdict.VIOLATED,
                source.address,
                "flapping",
                source.location_of("threshold"),
                expected=f"at most {self.settings.most_alarms} times in ALARM {window}",
                found=f"{fired} times",
                reason="an alarm that comes and goes is soon read by nobody",
                remedy="mend what it tells of, or let it wait: more evaluation_periods with datapoints_to_alarm",
                related=_related(status),
            )
        if not failed and fired <= self.settings.most_alarms:
            yield _proven(source, status, "history", f"{fired} times in ALARM {window}, no action failed")


def _sparse(live: Resource) -> str:
    return f'in the contract\n[alarms.live]\nsparse = ["{live.get("alarm_name") or live.name}"]'


def _is_continuous(alarm: Alarm) -> Iterator[bool]:
    for series in alarm.series.values():
        yield series.namespace == "AWS/RDS" or (series.namespace, series.name) in _CONTINUOUS


def _proven(source: Resource, status: AlarmStatus, subject: str, reason: str) -> Finding:
    return Finding(
        RULE.id,
        Verdict.PROVEN,
        source.address,
        subject,
        source.location,
        reason=reason,
        related=_related(status),
    )


def _missing(source: Resource, name: str) -> Finding:
    return Finding(
        RULE.id,
        Verdict.VIOLATED,
        source.address,
        "",
        source.location,
        expected=f"an alarm {name}",
        found="AWS has none of this name",
        reason="nobody is told of what it watches",
        remedy=f"terraform apply -target='{source.address}'",
    )


def _unnamed(source: Resource, name: Value) -> Finding:
    return Finding(
        RULE.id,
        Verdict.UNDETERMINED,
        source.address,
        "",
        source.location_of("alarm_name"),
        expected="a name to look for",
        found=render(name),
        reason="its name is not known before apply",
        remedy="name the state of the environment in the contract: state = …",
    )


def _related(status: AlarmStatus) -> tuple[Related, ...]:
    return (Related("alarm", status.arn),)


def _said(name: str, value: Value) -> str:
    return f"{name} {'not set' if value is None else render(value)}"


def _apply(source: Resource, wrong: list[Difference]) -> str:
    listed = ", ".join(dict.fromkeys(one.attribute.split()[0] for one in wrong))
    return f"terraform apply -target='{source.address}'\nor, if AWS is right, bring {listed} into the source"


def _since(lasted: timedelta | None) -> str:
    if lasted is None:
        return ""
    minutes = int(lasted.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004 - two hours are still said in minutes
        return f" for {minutes} minutes"
    return f" for {minutes // 60} hours" if minutes < 48 * 60 else f" for {minutes // 1440} days"
