"""Runs the drill: each failure of the table about each resource that it can be about, then a quiet week.

The clock is a number of minutes: minute 0 is when the failure begins, and before it everything is as normal.
Source: Amazon CloudWatch User Guide, "Evaluating an alarm": an alarm is evaluated each minute over the window that its
periods span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.alarms import Alarms
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value, render, unknowns
from infraspec.monitoring.alarms import Alarm, alarms
from infraspec.monitoring.catalogue import AlarmSubject
from infraspec.monitoring.delivery import CLOUDWATCH, Delivery, Route, channels_of, publisher_of
from infraspec.monitoring.drill.alarm_states import ALARM, Composite, RingingAlarms
from infraspec.monitoring.drill.failures import (
    EmittedEvent,
    EmittedMetric,
    FailureMode,
    failures,
    normal,
    subjects_of,
)
from infraspec.monitoring.evaluation import FOREVER, Defaults, MetricKey, NotEvaluatedError, Segment, Watch, World
from infraspec.monitoring.event_rules import EventRules
from infraspec.monitoring.log_metrics import LogMetrics
from infraspec.monitoring.sample_events import SAMPLES, Answer, Specimens
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

WEEK = 7 * 1440
_WARM_UP = 7 * 1440 + 30
"""How long everything is as normal before a failure begins; not a multiple of a day, so that it begins between runs."""
_SLOW = 60


class Ring(Struct, frozen=True):
    """Somebody, or nobody, is told: after how many minutes, by which alarm or rule, and on which channels."""

    minute: int
    source: str
    channels: Mapping[str, Truth]
    lost: str = ""
    """Why it does not arrive, if it does not."""


class DrilledFailure(Struct, frozen=True):
    """What a failure about a resource led to."""

    name: str
    failure: FailureMode
    subject: str
    heard: Truth
    minute: int | None
    level: str
    """The most severe level all of whose channels heard of it; nothing if none did."""
    rings: tuple[Ring, ...]
    silent: tuple[str, ...]
    """What should have rung and did not, and why."""


class QuietWeek(Struct, frozen=True):
    """What rang in a week in which nothing failed, and what is in ALARM at its end."""

    rings: tuple[Ring, ...]
    in_alarm: tuple[str, ...]
    not_evaluated: tuple[str, ...]


class _Heard(Struct):
    """The series, the direct rings and the doubts of a failure while it is put together."""

    world: dict[MetricKey, tuple[Segment, ...]]
    rings: list[Ring]
    touched: set[MetricKey]
    vague: set[MetricKey]
    """Those of which something is not known: another alarm may read them."""
    doubts: list[str]
    unheard: list[str]
    counted: bool = False
    """Whether there are events, which metric filters may count."""


@dataclass
class Drill:
    """A drill of the alarms of a plan. `facts` are those of the environment, `asked` the failures by name."""

    plan: Plan
    alarms: Alarms
    facts: Mapping[str, str]
    environment: str
    asked: Mapping[str, FailureMode] = field(default_factory=failures)
    _subjects: dict[str, list[AlarmSubject]] = field(default_factory=dict)

    @cached_property
    def _attributes(self) -> AwsAttributes:
        return self.plan.derived(AwsAttributes)

    @cached_property
    def _rules(self) -> EventRules:
        return EventRules(self._attributes)

    @cached_property
    def logs(self) -> LogMetrics:
        """What the metric filters of the plan count."""
        return LogMetrics(self._attributes, self._rules)

    @cached_property
    def _delivery(self) -> Delivery:
        return Delivery(self._attributes)

    def subjects(self, kind: str) -> list[AlarmSubject]:
        """Return what a failure of a kind can be about."""
        if kind not in self._subjects:
            self._subjects[kind] = subjects_of(kind, self._attributes, self.facts, self.environment)
        return self._subjects[kind]

    def outcomes(
        self, names: Sequence[str] = (), tell: Callable[[str], None] = lambda _name: None
    ) -> list[DrilledFailure]:
        """Make the failures happen, each by itself; `tell` hears the name of each before."""
        found: list[DrilledFailure] = []
        for name, failure in self.asked.items():
            if names and name not in names:
                continue
            tell(name)
            found += [
                self._outcome(name, failure, subject)
                for subject in self.subjects(failure.watches)
                if not failure.engine or subject.is_postgresql is not False
            ]
        return found

    def _outcome(self, name: str, failure: FailureMode, subject: AlarmSubject) -> DrilledFailure:
        heard = self._happened(failure, subject)
        self._evaluate(heard, failure.minutes)
        return self._judged(name, failure, subject, heard)

    def published(self, failure: FailureMode, subject: AlarmSubject) -> World:
        """Return the metrics that a failure about a subject changes, with all that is published of them."""
        heard = self._happened(failure, subject)
        return {key: heard.world.get(key, ()) for key in heard.touched}

    def _happened(self, failure: FailureMode, subject: AlarmSubject) -> _Heard:
        heard = _Heard(dict(self.normal), [], set(), set(), [], [])
        heard.counted = bool(failure.events)
        for event in failure.events:
            for about in self.subjects(event.about) if event.about else [subject]:
                self._emit(heard, event, about, start=1, ring=True)
        for metric in failure.metrics:
            for about in self.subjects(metric.about) if metric.about else [subject]:
                self._override(heard, metric, about)
        return heard

    def _judged(self, name: str, failure: FailureMode, subject: AlarmSubject, heard: _Heard) -> DrilledFailure:
        rings = tuple(sorted(heard.rings, key=lambda ring: (ring.minute, ring.source)))
        answer, minute = Truth.NO, None
        for ring in rings:
            reached = self._reached(rings, ring.minute, failure.level)
            if reached > answer:
                answer, minute = reached, ring.minute
        if answer is not Truth.YES:
            self._note_near(heard)
        if answer is Truth.NO and heard.doubts:
            answer = Truth.MAYBE
        if answer is Truth.YES and minute is not None and minute > failure.minutes:
            answer = Truth.NO
        level = next((one for one in self.alarms.levels if self._reached(rings, FOREVER, one) is Truth.YES), "")
        silent = [*heard.doubts, *(f"{ring.source}: {ring.lost}" for ring in rings if ring.lost), *heard.unheard]
        if answer is Truth.NO and not silent and not rings:
            watched = ", ".join(sorted({key.name for key in heard.touched}))
            silent = [f"no alarm reads {watched}" if watched else "no rule or metric filter matches its events"]
        if answer is not Truth.YES and rings and (unheard := self._unheard(rings, failure)):
            silent.append(f"it may not reach {', '.join(unheard)}, which the level {failure.level} requires")
        return DrilledFailure(
            name, failure, subject.address, answer, minute, level, rings, tuple(dict.fromkeys(silent))
        )

    def _unheard(self, rings: Sequence[Ring], failure: FailureMode) -> list[str]:
        """Return the channels of the level of a failure that no ring certainly reaches."""
        channels = self.alarms.levels.get(failure.level, ())
        return [name for name in channels if all(ring.channels.get(name) is not Truth.YES for ring in rings)]

    def _reached(self, rings: Sequence[Ring], until: int, level: str) -> Truth:
        """Tell whether all channels of a level have heard of something until a minute."""
        channels = self.alarms.levels.get(level, ())
        best = [
            max((ring.channels.get(name, Truth.NO) for ring in rings if ring.minute <= until), default=Truth.NO)
            for name in channels
        ]
        return min(best, default=Truth.NO)

    @cached_property
    def normal(self) -> World:
        """What is published while nothing fails."""
        heard = _Heard({}, [], set(), set(), [], [])
        for kind, emissions in normal().items():
            for subject in self.subjects(kind):
                for event in emissions.events:
                    self._emit(heard, event, subject, start=-_WARM_UP, ring=False)
                for metric in emissions.metrics:
                    key = metric.key(subject.fill(Specimens(self._attributes)))
                    segment = Segment(Fraction(str(metric.value)), -_WARM_UP, every=metric.every)
                    heard.world[key] = segment, *heard.world.get(key, ())
        return heard.world

    def _override(self, heard: _Heard, metric: EmittedMetric, subject: AlarmSubject) -> None:
        """Put what a failure publishes in the place of what is normal."""
        specimens = Specimens(self._attributes)
        key = metric.key(subject.fill(specimens))
        heard.vague |= set() if specimens.certain else {key}
        before = tuple(Segment(one.value, one.start, 1, one.every, one.count) for one in heard.world.get(key, ()))
        now = () if metric.gone else (Segment(Fraction(str(metric.value)), 1, every=metric.every),)
        heard.world[key] = (*before, *now)
        heard.touched.add(key)

    def _emit(self, heard: _Heard, event: EmittedEvent, subject: AlarmSubject, *, start: int, ring: bool) -> None:
        """Let events happen: rules send them on, and metric filters count them."""
        sample = SAMPLES[event.event]
        end = FOREVER if event.times == FOREVER else start + event.every * event.times
        if ring:
            for rule, answer in self._rules.taking(sample, subject):
                route = self._delivery.of_rule(rule.resource, rule.targets)
                if route.topics or route.unknown:
                    heard.rings.append(self._ring(start, rule.resource, route, publisher_of(rule.targets), answer))
        for resource, blocks in self._filters:
            counted = self.logs.counted(resource, sample, subject)
            if counted.answer is False:
                continue
            for key, value in blocks:
                heard.touched.add(key)
                if counted.answer is None or value is None:
                    reason = counted.reason or "the number that it publishes is unknown"
                    heard.doubts += [f"{resource.address}: {reason}"] if self._is_read(key) else []
                    continue
                segment = Segment(value, start, end, event.every, max(1, len(sample.events)))
                heard.world[key] = (*heard.world.get(key, ()), segment)

    @cached_property
    def _filters(self) -> tuple[tuple[Resource, tuple[tuple[MetricKey, Fraction | None], ...]], ...]:
        specimens, filters = Specimens(self._attributes), self.plan.managed("aws_cloudwatch_log_metric_filter")
        return tuple((resource, tuple(_counting(resource, specimens))) for resource in filters)

    def _is_read(self, key: MetricKey) -> bool:
        """Tell whether an alarm that somebody may hear reads a metric."""
        readers = (address for address, watch in self.watches.items() for one, _, _ in _keys(watch) if key == one)
        return any(map(self._may_tell, readers))

    def _may_tell(self, address: str, passed: frozenset[str] = frozenset()) -> bool:
        """Tell whether an alarm, or a composite one that names it, may send to a topic."""
        resource = self.plan.by_address[address]
        route, is_off = self._delivery.acting(resource), resource.stated("actions_enabled") is False
        if route.topics or route.unknown or (not is_off and any(unknowns(resource.stated("alarm_actions")))):
            return True
        return any(
            self._may_tell(name, passed | {address})
            for name, composite in self._composites.items()
            if name not in {*passed, address} and (isinstance(composite, str) or address in composite.names.values())
        )

    @cached_property
    def _alarms(self) -> Mapping[str, Alarm]:
        return {alarm.resource.address: alarm for alarm in alarms(self.plan)}

    @cached_property
    def watches(self) -> Mapping[str, Watch | str]:
        """What each alarm watches, or why it is not evaluated, by address."""
        return {address: _watch(alarm, Specimens(self._attributes)) for address, alarm in self._alarms.items()}

    @cached_property
    def _composites(self) -> Mapping[str, Composite | str]:
        composites = self.plan.managed("aws_cloudwatch_composite_alarm")
        specimens = Specimens(self._attributes)
        return {
            one.address: Composite.of(
                one.stated("alarm_rule"), one.stated("actions_suppressor"), self._names, specimens
            )
            for one in composites
        }

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The addresses of alarms by their names and ARNs."""
        found = {}
        for one in self.plan.managed("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"):
            specimens = Specimens(self._attributes)
            found[specimens.text(self._attributes.name(one, "alarm_name"))] = one.address
            for arn in (one.reference("arn"), one.attribute("arn")):
                found[specimens.text(arn)] = one.address
        return found

    @cached_property
    def _at_start(self) -> RingingAlarms:
        """The states of all alarms before a failure begins."""
        return RingingAlarms.settled(self.watches, self._composites, self.defaults, self.normal)

    @cached_property
    def defaults(self) -> Defaults:
        """What metric filters publish for lines that they do not match, by metric."""
        found: dict[MetricKey, tuple[Fraction | None, ...]] = {}
        specimens = Specimens(self._attributes)
        for resource in self.plan.managed("aws_cloudwatch_log_metric_filter"):
            for block in _blocks(resource):
                if block.get("default_value") not in {None, ""}:
                    key, value = _metric_of(block, specimens), _number(block["default_value"])
                    found[key] = tuple(dict.fromkeys((*found.get(key, ()), value)))
        return found

    def _evaluate(self, heard: _Heard, minutes: int) -> None:
        """Let the alarms that read what a failure changes be evaluated each minute."""
        read = {
            address: watch
            for address, watch in self.watches.items()
            if isinstance(watch, str) or any(key in heard.touched for key, _, _ in _keys(watch))
        }
        unknown = [one for one, watch in read.items() if isinstance(watch, str)]
        unknown = [one for one in unknown if self._reads_by_name(one, heard.touched)]
        unreadable = {one: why for one, why in self._composites.items() if isinstance(why, str)}
        is_read = unknown or any(isinstance(watch, Watch) for watch in read.values())
        states = self._at_start.copy(read, {*unknown, *unreadable} if is_read else ())
        for minute in range(1, 2 * minutes + 31):
            for address, answer in states.step(heard.world, minute):
                heard.rings.append(self._alarm_ring(minute, address, states, answer))
        if any("ALARM" in states.now.get(address, ()) for address in read):
            heard.doubts += [f"{address}: {why}" for address, why in unreadable.items()]
        heard.doubts += [f"{address}: {self.watches[address]}" for address in unknown]
        kept = "its actions are kept back by its suppressor"
        heard.unheard += [f"{address}: {kept} {suppressor}" for address, suppressor in states.kept_back().items()]
        for address in read:
            if self._at_start.now.get(address) == ALARM:
                heard.unheard.append(f"{address}: it was already in ALARM, so it does not fire again")
            elif address in states.now and "ALARM" not in states.now[address]:
                stays = " or ".join(sorted(states.now[address]))
                heard.unheard.append(f"{address}: it reads this and stays {stays}")

    def _note_near(self, heard: _Heard) -> None:
        """Note the alarms that read a metric of the same name with other dimensions, or in another namespace."""
        names, vague = {key.name for key in heard.touched}, {key.name for key in heard.vague}
        for address, watch in self.watches.items():
            keys = [key for key, _, _ in _keys(watch)]
            if isinstance(watch, str) or heard.touched.intersection(keys):
                continue
            near = names.intersection(key.name for key in keys)
            if near & vague or (near and not watch.certain):
                heard.doubts.append(f"{address}: whether it reads this {', '.join(sorted(near))} is unknown")
            elif near:
                heard.unheard.append(f"{address}: it reads {', '.join(map(str, keys))}")
        heard.doubts += [
            f"{resource.address}: into which metric it counts is unknown"
            for resource, _ in self.logs.open_filters
            if heard.counted
        ]

    def _reads_by_name(self, address: str, touched: set[MetricKey]) -> bool:
        """Tell whether an alarm that is not evaluated may read what a failure changes."""
        alarm = self._alarms[address]
        names = {key.name for key in touched}
        return alarm.hidden is not None or any(series.name in names for series in alarm.series.values())

    def _alarm_ring(self, minute: int, address: str, states: RingingAlarms, answer: Answer) -> Ring:
        resource = self.plan.by_address[address]
        ring = self._ring(minute, resource, self._delivery.acting(resource), CLOUDWATCH, answer)
        told = states.why_open(address) if answer is None and not ring.lost else ring.lost
        return replace(ring, lost=told)

    def _ring(self, minute: int, source: Resource, route: Route, publisher: str, answer: Answer) -> Ring:
        """Let an alarm or a rule send: what of it arrives, and what keeps the rest."""
        is_certain = self.plan.is_certain(source)
        certainty = Truth.YES if answer and is_certain else Truth.MAYBE
        reached = dict.fromkeys(self.alarms.channels, Truth.NO)
        lost = [] if is_certain else [f"it may not exist: {self.plan.doubt_of(source)}"]
        for topic in route.topics:
            steps = (self._delivery.policy(topic, publisher), self._delivery.key(topic, publisher))
            lost += [f"{topic.address}: {step.reason}" for step in steps if step.answer is not Truth.YES]
            for name, there in channels_of(self._delivery, [topic], self.alarms.channels).items():
                reached[name] = max(reached[name], min(there, certainty, *(step.answer for step in steps)))
        actions = () if source.stated("actions_enabled") is False else unknowns(source.stated("alarm_actions"))
        hidden = [render(one) for one in actions if self._delivery.topic(one) is None]
        if where := [*route.unknown, *hidden]:
            reached = {name: max(there, Truth.MAYBE) for name, there in reached.items()}
            lost += [f"where it sends is unknown: {one}" for one in dict.fromkeys(where)]
        if not lost and all(there is Truth.NO for there in reached.values()):
            lost = [f"nobody is alerted by {route.addresses}" if route.topics else "it sends to no topic"]
        return Ring(minute, source.address, reached, "; ".join(lost))

    def quiet_week(self) -> QuietWeek:
        """Let a week pass in which nothing fails."""
        states, rings = self._at_start.copy(self.watches), []
        fast = {address: watch for address, watch in self.watches.items() if _is_fast(watch, self.normal)}
        not_evaluated = {one: why for one, why in {**self.watches, **self._composites}.items() if isinstance(why, str)}
        for minute in range(1, WEEK + 1):
            for address, answer in states.step(self.normal, minute, fast if minute % _SLOW else None):
                if answer is None:
                    not_evaluated.setdefault(address, states.why_open(address))
                else:
                    rings.append(self._alarm_ring(minute, address, states, answer))
        return QuietWeek(
            tuple(rings),
            tuple(address for address, found in states.now.items() if found == ALARM),
            tuple(f"{address}: {why}" for address, why in not_evaluated.items()),
        )


def _watch(alarm: Alarm, specimens: Specimens) -> Watch | str:
    try:
        watch = Watch.of(alarm, specimens)
        watch.state({}, 0, "OK")
    except NotEvaluatedError as error:
        return str(error)
    return watch


def _keys(watch: Watch | str) -> tuple[tuple[MetricKey, str, int], ...]:
    return () if isinstance(watch, str) else tuple(watch.keys.values())


def _is_fast(watch: Watch | str, world: World) -> bool:
    """Tell whether what an alarm reads changes within a short time: it is evaluated each minute then."""
    keys = _keys(watch)
    return any(segment.every > 1 and period < _SLOW for key, _, period in keys for segment in world.get(key, ()))


def _counting(resource: Resource, specimens: Specimens) -> Iterator[tuple[MetricKey, Fraction | None]]:
    """Yield the metrics of a filter with the number that it publishes; None if that is taken from the event."""
    for block in _blocks(resource):
        if not block.get("dimensions"):
            yield _metric_of(block, specimens), _number(block.get("value"))


def _blocks(resource: Resource) -> list[dict[str, Value]]:
    blocks = resource.stated("metric_transformation")
    return [one for one in blocks if isinstance(one, dict)] if isinstance(blocks, list | tuple) else []


def _metric_of(block: Mapping[str, Value], specimens: Specimens) -> MetricKey:
    return MetricKey(specimens.text(block.get("namespace")), specimens.text(block.get("name")))


def _number(value: Value) -> Fraction | None:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
