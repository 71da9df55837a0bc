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

from infraspec.contract.alarms import Alarms
from infraspec.core.truth import Truth
from infraspec.core.unknown import Value, render, unknowns
from infraspec.monitoring.alarms import Alarm, alarms
from infraspec.monitoring.boolean_expressions import AlarmRule, Condition, UnreadableError
from infraspec.monitoring.catalogue import AlarmSubject
from infraspec.monitoring.delivery import CLOUDWATCH, Delivery, Route, channels_of, publisher_of
from infraspec.monitoring.drill.failures import (
    EmittedEvent,
    EmittedMetric,
    FailureMode,
    failures,
    normal,
    subjects_of,
)
from infraspec.monitoring.evaluation import FOREVER, MetricKey, NotEvaluatedError, Segment, Watch, World
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
            silent = [f"no alarm reads {watched}" if watched else "no rule or metric filter takes its events"]
        if answer is not Truth.YES and rings and (unheard := self._unheard(rings, failure)):
            silent.append(f"it is not certain to reach {', '.join(unheard)}, which the level {failure.level} asks for")
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
                if counted.answer is None:
                    heard.doubts += [f"{resource.address}: {counted.reason}"] if self._is_read(key) else []
                    continue
                segment = Segment(value, start, end, event.every, max(1, len(sample.events)))
                heard.world[key] = (*heard.world.get(key, ()), segment)

    @cached_property
    def _filters(self) -> tuple[tuple[Resource, tuple[tuple[MetricKey, Fraction], ...]], ...]:
        found = []
        specimens = Specimens(self._attributes)
        for resource in self.plan.managed("aws_cloudwatch_log_metric_filter"):
            blocks = resource.stated("metric_transformation")
            keys = tuple(_counting(blocks if isinstance(blocks, list | tuple) else (), specimens))
            found.append((resource, keys))
        return tuple(found)

    def _is_read(self, key: MetricKey) -> bool:
        """Tell whether an alarm that somebody may hear reads a metric."""
        readers = (address for address, watch in self.watches.items() for one, _, _ in _keys(watch) if key == one)
        return any(map(self._may_tell, readers))

    def _may_tell(self, address: str, passed: frozenset[str] = frozenset()) -> bool:
        """Tell whether an alarm, or a composite one that names it, may send to a topic."""
        resource = self.plan.by_address[address]
        route, is_off = self._delivery.own(resource), resource.stated("actions_enabled") is False
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
    def _composites(self) -> Mapping[str, _Composite | str]:
        composites = self.plan.managed("aws_cloudwatch_composite_alarm")
        specimens = Specimens(self._attributes)
        return {one.address: _composite(one.stated("alarm_rule"), self._names, specimens) for one in composites}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The addresses of alarms by their names and ARNs."""
        found = {}
        for one in self.plan.managed("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"):
            specimens = Specimens(self._attributes)
            found[specimens.text(self._attributes.name(one, "alarm_name"))] = one.address
            found[specimens.text(one.reference("arn"))] = one.address
        return found

    @cached_property
    def _at_start(self) -> Mapping[str, str]:
        """The states of all alarms before a failure begins."""
        states: dict[str, str] = {}
        self._step(self.normal, 0, states, self.watches)
        return states

    def _evaluate(self, heard: _Heard, minutes: int) -> None:
        """Let the alarms that read what a failure changes be evaluated each minute."""
        read = {
            address: watch
            for address, watch in self.watches.items()
            if isinstance(watch, str) or any(key in heard.touched for key, _, _ in _keys(watch))
        }
        states, until = dict(self._at_start), 2 * minutes + 30
        for minute in range(1, until + 1):
            for address in self._step(heard.world, minute, states, read):
                heard.rings.append(self._alarm_ring(minute, address))
        if any(states.get(address) == "ALARM" for address in read):
            heard.doubts += [f"{address}: {why}" for address, why in self._composites.items() if isinstance(why, str)]
        for address, watch in read.items():
            if isinstance(watch, str):
                if self._reads_by_name(address, heard.touched):
                    heard.doubts.append(f"{address}: {watch}")
            elif self._at_start.get(address) == "ALARM":
                heard.unheard.append(f"{address}: it was in ALARM before, so it does not ring")
            elif states.get(address) != "ALARM":
                heard.unheard.append(f"{address}: it reads this and stays {states.get(address, 'OK')}")

    def _note_near(self, heard: _Heard) -> None:
        """Note the alarms that read a metric of the same name with other dimensions, or in another namespace."""
        names, vague = {key.name for key in heard.touched}, {key.name for key in heard.vague}
        for address, watch in self.watches.items():
            keys = [key for key, _, _ in _keys(watch)]
            if isinstance(watch, str) or heard.touched.intersection(keys):
                continue
            near = names.intersection(key.name for key in keys)
            if near & vague or (near and not watch.certain):
                heard.doubts.append(f"{address}: whether it reads this {', '.join(sorted(near))} is not known")
            elif near:
                heard.unheard.append(f"{address}: it reads {', '.join(map(str, keys))}")
        heard.doubts += [
            f"{resource.address}: into which metric it counts is not known"
            for resource, _ in self.logs.open_filters
            if heard.counted
        ]

    def _reads_by_name(self, address: str, touched: set[MetricKey]) -> bool:
        """Tell whether an alarm that is not evaluated may read what a failure changes."""
        alarm = self._alarms[address]
        names = {key.name for key in touched}
        return alarm.hidden is not None or any(series.name in names for series in alarm.series.values())

    def _step(self, world: World, minute: int, states: dict[str, str], watches: Mapping[str, Watch | str]) -> list[str]:
        """Evaluate alarms at a minute, then the composite ones; return those that go to ALARM."""
        rung, moved = [], minute == 0
        for address, watch in watches.items():
            if isinstance(watch, str):
                continue
            before = states.get(address, "INSUFFICIENT_DATA")
            states[address] = watch.state(world, minute, before)
            moved = moved or states[address] != before
            rung += [address] if states[address] == "ALARM" != before else []
        return [*rung, *self._composites_to_alarm(states)] if moved else rung

    def _composites_to_alarm(self, states: dict[str, str]) -> list[str]:
        """Bring composite alarms to what their rules say, those of others last; return those that go to ALARM."""
        rung = []
        for _ in self._composites:
            changed = False
            for address, composite in self._composites.items():
                if isinstance(composite, str):
                    continue
                value = "ALARM" if composite.holds(states) else "OK"
                rung += [address] if value == "ALARM" != states.get(address) else []
                changed = changed or states.get(address) != value
                states[address] = value
            if not changed:
                break
        return rung

    def _alarm_ring(self, minute: int, address: str) -> Ring:
        resource = self.plan.by_address[address]
        return self._ring(minute, resource, self._delivery.own(resource), CLOUDWATCH, answer=True)

    def _ring(self, minute: int, source: Resource, route: Route, publisher: str, answer: Answer) -> Ring:
        """Let an alarm or a rule send: what of it arrives, and what keeps the rest."""
        certainty = Truth.YES if answer and self.plan.is_certain(source) else Truth.MAYBE
        reached, lost = dict.fromkeys(self.alarms.channels, Truth.NO), []
        for topic in route.topics:
            steps = (self._delivery.policy(topic, publisher), self._delivery.key(topic, publisher))
            lost += [f"{topic.address}: {step.reason}" for step in steps if step.answer is not Truth.YES]
            for name, there in channels_of(self._delivery, [topic], self.alarms.channels).items():
                reached[name] = max(reached[name], min(there, certainty, *(step.answer for step in steps)))
        actions = () if source.stated("actions_enabled") is False else unknowns(source.stated("alarm_actions"))
        hidden = [render(one) for one in actions if self._delivery.topic(one) is None]
        if where := [*route.unknown, *hidden]:
            reached = {name: max(there, Truth.MAYBE) for name, there in reached.items()}
            lost += [f"where it sends is not known: {one}" for one in dict.fromkeys(where)]
        if not lost and all(there is not Truth.YES for there in reached.values()):
            lost = [f"nobody hears of {route.addresses}" if route.topics else "it sends to no topic"]
        return Ring(minute, source.address, reached, "; ".join(lost))

    def quiet_week(self) -> QuietWeek:
        """Let a week pass in which nothing fails."""
        states, rings = dict(self._at_start), []
        fast = {address: watch for address, watch in self.watches.items() if _is_fast(watch, self.normal)}
        for minute in range(1, WEEK + 1):
            due = fast if minute % _SLOW else self.watches
            rings += [self._alarm_ring(minute, address) for address in self._step(self.normal, minute, states, due)]
        everything = {**self.watches, **self._composites}
        return QuietWeek(
            tuple(rings),
            tuple(address for address, state in states.items() if state == "ALARM"),
            tuple(f"{address}: {why}" for address, why in everything.items() if isinstance(why, str)),
        )


class _Composite(Struct, frozen=True):
    """The rule of a composite alarm; `names` gives the address of each alarm that it names."""

    condition: Condition
    names: Mapping[str, str]

    def holds(self, states: Mapping[str, str]) -> bool:
        """Tell whether it is in ALARM in these states."""
        return bool(self.condition({name: states.get(address, "OK") for name, address in self.names.items()}))


def _composite(rule: Value, names: Mapping[str, str], specimens: Specimens) -> _Composite | str:
    try:
        parser = AlarmRule(specimens.text(rule))
        condition = parser.parse()
    except UnreadableError:
        return "its rule cannot be read"
    strangers = [name for name in parser.names if name not in names]
    if strangers:
        return f"its rule names {', '.join(strangers)}, which the plan does not have"
    return _Composite(condition, {name: names[name] for name in parser.names})


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


def _counting(blocks: Sequence[Value], specimens: Specimens) -> Iterator[tuple[MetricKey, Fraction]]:
    for block in blocks:
        if isinstance(block, dict) and not block.get("dimensions"):
            try:
                value = Fraction(str(block.get("value")))
            except (ValueError, ZeroDivisionError):
                continue
            yield MetricKey(specimens.text(block.get("namespace")), specimens.text(block.get("name"))), value
