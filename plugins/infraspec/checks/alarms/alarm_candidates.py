"""The alarms that watch what an item of the catalogue is about, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from infraspec.checks.alarms.alarm_routes import AlarmFault, Routes, faults_of, is_opposite
from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.contract.alarms import AlarmItem, Metric
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Text, Unknown, Value, concatenate, is_known, render, unknowns
from infraspec.monitoring.alarms import Alarm, Series, alarms
from infraspec.monitoring.catalogue import AlarmSubject, metrics_of
from infraspec.monitoring.delivery import Route
from infraspec.monitoring.event_rules import EventRules
from infraspec.monitoring.log_metrics import LogMetrics
from infraspec.monitoring.sample_events import SAMPLES, Answer, all_hold, any_holds
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource


class AlarmCandidate(Struct, frozen=True):
    """An alarm that watches a subject as an item asks, with its faults."""

    alarm: Alarm
    route: Route
    faults: tuple[AlarmFault, ...]
    certain: bool = True

    @property
    def rank(self) -> tuple[int, int, str]:
        """The fewer faults, the better."""
        violated = sum(fault.verdict is Verdict.VIOLATED for fault in self.faults)
        return violated, len(self.faults), self.alarm.resource.address


@dataclass
class AlarmCandidates:
    """The alarms of a plan."""

    attributes: AwsAttributes
    rules: EventRules
    routes: Routes
    _reasons: dict[str, str] = field(default_factory=dict)
    _opposite: list[Alarm] = field(default_factory=list)

    @cached_property
    def alarms(self) -> tuple[Alarm, ...]:
        """The metric alarms."""
        return tuple(alarms(self.attributes.plan))

    @cached_property
    def logs(self) -> LogMetrics:
        """The metrics that filters count."""
        return LogMetrics(self.attributes, self.rules)

    def of(self, item: AlarmItem, subject: AlarmSubject) -> list[AlarmCandidate]:
        """Return the alarms whose metrics are those of an item for a subject, or may be."""
        candidates: list[AlarmCandidate] = []
        self._opposite.clear()
        wanted = metrics_of(item)
        for alarm in self._about(wanted, subject):
            self._reasons.clear()
            pairs = self._pairs(wanted, alarm, subject)
            if pairs is None:
                continue
            if is_opposite(item, alarm):
                self._opposite.append(alarm)
                continue
            certain = all(answer is True for _, answer in pairs.values()) and self._is_there(alarm, subject)
            route = self.routes.delivery.of_alarm(alarm.resource)
            ids = {name: own for name, (own, _) in pairs.items()}
            faults = tuple(self._faults(item, alarm, ids, route)) if certain else (self._doubt(alarm, subject),)
            candidates.append(AlarmCandidate(alarm, route, faults, certain))
        return candidates

    def _is_there(self, alarm: Alarm, subject: AlarmSubject) -> bool:
        """Tell whether an alarm is there for every instance of a subject; one that names it by text is."""
        plan, dimensions = self.attributes.plan, [series.dimensions for series in alarm.series.values()]
        if self.attributes.narrow(dimensions) == dimensions and is_known(dimensions):
            return plan.is_certain(alarm.resource, subject.resource)
        return plan.belongs_to(alarm.resource, subject.resource)

    def perhaps(self, item: AlarmItem, subject: AlarmSubject) -> tuple[Resource, Unknown] | None:
        """Return an alarm or a filter that may be what an item asks for, with what is not known of it."""
        wanted = metrics_of(item)
        events = {event for metric in wanted.values() for event in metric.counts}
        filters = [
            (resource, unknown)
            for resource, unknown in self.logs.open_filters
            if any(self.logs.counted(resource, SAMPLES[event], subject).answer is not False for event in events)
        ]
        for alarm in self.alarms:
            if alarm.hidden:
                return alarm.resource, alarm.hidden
            if not events or len(alarm.series) != len(wanted):
                continue
            series = [one for one in alarm.series.values() if not self.logs.filters(one.namespace, one.name)]
            if not series or any(one.dimensions for one in alarm.series.values()):
                continue
            hidden = [next(unknowns(self._metric(one)), None) for one in series]
            if all(hidden) or filters:
                return next(((alarm.resource, unknown) for unknown in hidden if unknown), None) or filters[0]
        return None

    def _metric(self, series: Series) -> list[Value]:
        return [part for part in (series.namespace, series.name) if not self._is_attribute(part)]

    @property
    def nearest(self) -> str:
        """The alarms that look at the right metrics of the last subject, but fire on the other side."""
        return "\n".join(
            f"{alarm.resource.address} looks at it, but fires by {render(alarm.get('comparison_operator'))}"
            for alarm in self._opposite
        )

    def _about(self, wanted: Mapping[str, Metric], subject: AlarmSubject) -> Iterator[Alarm]:
        """Yield the alarms that can be about some metrics, by the first of them."""
        metric = next(iter(wanted.values()))
        if metric.counts:
            yield from self._counting
            return
        named = (self._fill(metric.namespace, subject), self._fill(metric.name, subject))
        if not all(isinstance(part, str) for part in named):
            yield from self.alarms
            return
        dimensions = {key: self._fill(value, subject) for key, value in metric.dimensions.items()}
        if all(self._is_definite(value) for value in dimensions.values()):
            yield from self._by_metric.get((*named, frozenset(dimensions.items())), ())
            yield from self._by_metric.get((*named, None), ())
        else:
            yield from self._by_name.get(named, ())
        yield from self._by_metric.get(None, ())

    @cached_property
    def _by_metric(self) -> Mapping[object, list[Alarm]]:
        """The alarms by namespace, name and dimensions; by None what is known only after apply."""
        index: dict[object, list[Alarm]] = {}
        for alarm in self.alarms:
            for series in alarm.series.values():
                named = (self.attributes.narrow(series.namespace), self.attributes.narrow(series.name))
                key: object = None
                if all(isinstance(part, str) for part in named):
                    key = (*named, self._dimensions_key(series.dimensions))
                index.setdefault(key, []).append(alarm)
        return index

    @cached_property
    def _by_name(self) -> Mapping[object, list[Alarm]]:
        """The alarms by namespace and name."""
        index: dict[object, list[Alarm]] = {}
        for key, watching in self._by_metric.items():
            if isinstance(key, tuple):
                index.setdefault(key[:2], []).extend(watching)
        return index

    def _dimensions_key(self, dimensions: Value) -> frozenset[tuple[str, Value]] | None:
        if not isinstance(dimensions, Mapping):
            return None
        narrowed = {str(key): self.attributes.narrow(value) for key, value in dimensions.items()}
        return frozenset(narrowed.items()) if all(map(self._is_definite, narrowed.values())) else None

    def _is_definite(self, value: Value) -> bool:
        """Tell whether a value is known, or an attribute of the plan, so that it can be looked up."""
        return isinstance(value, str) or self._is_attribute(value)

    @cached_property
    def _counting(self) -> tuple[Alarm, ...]:
        """The alarms that look at a metric which a filter of the plan counts."""
        return tuple(
            alarm
            for alarm in self.alarms
            if any(self.logs.filters(series.namespace, series.name) for series in alarm.series.values())
        )

    def _pairs(
        self, wanted: Mapping[str, Metric], alarm: Alarm, subject: AlarmSubject
    ) -> dict[str, tuple[str, Answer]] | None:
        """Return, by id of the item, the id of the alarm's series and whether it is certainly that metric."""
        if len(wanted) != len(alarm.series):
            return None
        pairs: dict[str, tuple[str, Answer]] = {}
        for name, metric in wanted.items():
            answers = {
                own: answer
                for own, series in alarm.series.items()
                if own not in {pair[0] for pair in pairs.values()}
                and (answer := self._is(metric, series, subject)) is not False
            }
            if not answers:
                return None
            best = max(answers, key=lambda own: answers[own] is True)
            pairs[name] = best, answers[best]
        return pairs

    def _is(self, metric: Metric, series: Series, subject: AlarmSubject) -> Answer:
        if metric.counts:
            return self._counts(metric, series, subject)
        namespace = self._same(self._fill(metric.namespace, subject), series.namespace)
        name = self._same(self._fill(metric.name, subject), series.name)
        return all_hold((namespace, name, self._dimensions(metric, series, subject)))

    def _dimensions(self, metric: Metric, series: Series, subject: AlarmSubject) -> Answer:
        given = series.dimensions
        if not isinstance(given, Mapping):
            return None
        if set(given) != set(metric.dimensions):
            return False
        wanted = metric.dimensions.items()
        return all_hold([self._same(self._fill(value, subject), given[key]) for key, value in wanted])

    def _same(self, wanted: Value, found: Value) -> Answer:
        pair = self.attributes.narrow(wanted), self.attributes.narrow(found)
        if pair[0] == pair[1]:
            return True
        return None if any(isinstance(v, Unknown | Text) and not self._is_attribute(v) for v in pair) else False

    def _is_attribute(self, value: Value) -> bool:
        """Tell whether an unknown is an attribute of the plan: two of them name two things."""
        return type(value) is Unknown and self.attributes.plan.find(value) is not None

    def _counts(self, metric: Metric, series: Series, subject: AlarmSubject) -> Answer:
        filters = self.logs.filters(series.namespace, series.name)
        if not filters or series.dimensions:
            return False
        answers: list[Answer] = []
        for event in metric.counts:
            counted = [self.logs.counted(resource, SAMPLES[event], subject) for resource in filters]
            answers.append(any_holds([each.answer for each in counted]))
            if answers[-1] is None:
                self._reasons[event] = "; ".join(each.reason for each in counted if each.answer is None)
        for event in metric.ignores:
            if any(self.logs.counted(resource, SAMPLES[event], subject).answer for resource in filters):
                return False
        return all_hold(answers)

    def _fill(self, text: str | None, subject: AlarmSubject) -> Value:
        """Return text of the catalogue with the facts of a subject in place of `{placeholders}`."""
        parts: list[Value] = []
        rest = text or ""
        while "{" in rest and "}" in rest:
            head, _, rest = rest.partition("{")
            name, _, rest = rest.partition("}")
            parts += [head, self.attributes.narrow(subject.facts.get(name, Unknown(name)))]
        filled = concatenate([part for part in (*parts, rest) if isinstance(part, str | Text | Unknown)])
        lone = filled.parts if isinstance(filled, Text) else ()
        return lone[0] if len(lone) == 1 else filled

    def _doubt(self, alarm: Alarm, subject: AlarmSubject) -> AlarmFault:
        reasons = "; ".join(sorted({reason for reason in self._reasons.values() if reason}))
        absent = self.attributes.plan.doubt_of(alarm.resource)
        shown = [render(series.dimensions) for series in alarm.series.values() if series.dimensions]
        return AlarmFault(
            Verdict.UNDETERMINED,
            f"an alarm that certainly watches {subject.address}",
            f"{alarm.resource.address}{' with the dimensions ' + ', '.join(shown) if shown else ''}",
            f"there may be none of it: {absent}" if absent else reasons or "what it watches is unknown",
            absent.argument if absent else "" if reasons else "dimensions",
            how_to_know(absent.value) if absent else "name the watched resource by its attribute, or give a plan file",
        )

    def _faults(self, item: AlarmItem, alarm: Alarm, pairs: Mapping[str, str], route: Route) -> Iterator[AlarmFault]:
        yield from faults_of(item, alarm, pairs)
        if fault := self.routes.fault(str(item.level), route):
            yield fault
