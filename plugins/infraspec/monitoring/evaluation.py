"""How CloudWatch evaluates a metric alarm, on series that the drill simulates or that the sandbox was given.

Sources: Amazon CloudWatch User Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data";
Amazon CloudWatch User Guide, "Statistics definitions". The guide says that more datapoints are retrieved than are
evaluated, and its examples retrieve two more; these are taken here where all of them fit in a day. Times are whole
numbers: minutes in the drill, seconds in the sandbox.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product

from msgspec import Struct

from infraspec.core.unknown import is_known
from infraspec.monitoring.alarms import Alarm, Point, UnreadableExpressionError, value_at
from infraspec.monitoring.boolean_expressions import STATES
from infraspec.monitoring.sample_events import Specimens

FOREVER = 10**9
_RETRIEVED_MORE = 2
_DAY = 1440
_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class NotEvaluatedError(ValueError):
    """The alarm uses what the drill does not evaluate; the text says what."""


class MetricKey(Struct, frozen=True, order=True):
    """What identifies a metric. Source: Amazon CloudWatch User Guide, "Amazon CloudWatch concepts"."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return namespace, name and dimensions, for a message."""
        shown = ", ".join(f"{name}={value}" for name, value in self.dimensions)
        return f"{self.namespace} {self.name}" + (f" ({shown})" if shown else "")


class Segment(Struct, frozen=True):
    """A value that is published from `start`, before `end`, each `every` units of time, `count` times at once."""

    value: Fraction
    start: int
    end: int = FOREVER
    every: int = 1
    count: int = 1

    def within(self, after: int, until: int) -> int:
        """Return how often it is published after a time, until another and with it."""
        last = min(until, self.end - 1)
        if last < self.start or last <= after:
            return 0
        before = max(0, (after - self.start) // self.every + 1) if after >= self.start else 0
        return ((last - self.start) // self.every + 1 - before) * self.count


World = Mapping[MetricKey, tuple[Segment, ...]]
"""What is published, by metric."""
Defaults = Mapping[MetricKey, tuple[Fraction | None, ...]]
"""The default values of the metric filters of a metric: each is published as often as lines come that a filter does not
match. None is one that is not known. Source: Amazon CloudWatch Logs API Reference, MetricTransformation."""
States = frozenset[str]
"""The states that an alarm may be in."""
ANY_STATE: States = frozenset(STATES)
_LINES = (1, 10**9)
"""So many lines that a filter does not match may come in a period: any number has a result between those of these."""


class Watch(Struct, frozen=True):
    """A metric alarm with everything known that decides its state; `day` is the length of a day in the unit of time."""

    keys: Mapping[str, tuple[MetricKey, str, int]]
    expression: str
    period: int
    periods: int
    needed: int
    missing: str
    compare: Callable[[Fraction, Fraction], bool]
    threshold: Fraction
    certain: bool = True
    """Whether everything is known of which metrics it reads."""
    day: int = _DAY
    few: str = "evaluate"
    """What it does about a percentile of few values: `ignore` leaves the state as it is."""

    @classmethod
    def of(cls, alarm: Alarm, specimens: Specimens) -> Watch:
        """Return what an alarm watches. Raises NotEvaluatedError."""
        if alarm.hidden is not None:
            raise NotEvaluatedError("which metrics it reads is unknown")
        keys = {name: _series(alarm, name, specimens) for name in alarm.series}
        if not keys:
            raise NotEvaluatedError("it reads no metric")
        if len({period for _, _, period in keys.values()}) > 1:
            raise NotEvaluatedError("its metrics have several periods")
        expression = alarm.expression
        if expression is not None and not isinstance(expression, str):
            raise NotEvaluatedError("its expression is unknown")
        periods = int(_number(alarm.get("evaluation_periods"), "evaluation_periods"))
        needed = alarm.get("datapoints_to_alarm")
        return cls(
            keys,
            expression or "",
            next(period for _, _, period in keys.values()),
            periods,
            int(_number(needed, "datapoints_to_alarm")) if needed else periods,
            _text(alarm, "treat_missing_data"),
            comparison_of(_text(alarm, "comparison_operator")),
            _number(alarm.get("threshold"), "threshold"),
            specimens.certain,
            few=str(alarm.get("evaluate_low_sample_count_percentiles") or "evaluate"),
        )

    @property
    def retrieved(self) -> int:
        """How many periods it looks back."""
        more = _RETRIEVED_MORE if (self.periods + _RETRIEVED_MORE) * self.period <= self.day else 0
        return self.periods + more

    def datapoints(self, world: World, now: int) -> list[Fraction]:
        """Return what it is evaluated on at a time, the newest first. Raises NotEvaluatedError."""
        found = (self._datapoint(world, now - at * self.period) for at in range(self.retrieved))
        return [value for value in found if value is not None][: self.periods]

    def state(self, world: World, now: int, before: str) -> str:
        """Return the state at a time, after the state before it. Raises NotEvaluatedError."""
        found = self.datapoints(world, now)
        if self.few == "ignore" and self._has_few(world, now):
            return before
        breaching = sum(self.compare(value, self.threshold) for value in found)
        return self._decided(len(found), breaching, before)

    def states(self, world: World, now: int, before: States, defaults: Defaults) -> States:
        """Return the states it may be in at a time, after those before it. Raises NotEvaluatedError.

        There is more than one where it depends on how many lines come that metric filters do not match.
        """
        published = {key: defaults[key] for key, _, _ in self.keys.values() if key in defaults}
        if not published:
            return frozenset(self.state(world, now, one) for one in before)
        if any(None in values for values in published.values()):
            return ANY_STATE
        counts = {(0, 0)}
        for at in range(self.retrieved):
            answers = self._answers(world, now - at * self.period, published)
            counts = {self._counted(found, breaching, one) for found, breaching in counts for one in answers}
        may_wait = self.few == "ignore" and any(_PERCENTILE.fullmatch(name) for _, name, _ in self.keys.values())
        decided = {self._decided(*count, one) for count in counts for one in before}
        return frozenset(decided) | (before if may_wait else frozenset())

    def _answers(self, world: World, until: int, defaults: Defaults) -> set[bool | None]:
        """Return whether a datapoint may breach, not breach, or be missing: None."""
        points = [self._datapoint(one, until) for one in self._worlds(world, until, defaults)]
        return {None if value is None else self.compare(value, self.threshold) for value in points}

    def _worlds(self, world: World, until: int, defaults: Defaults) -> Iterator[World]:
        """Yield what may be published in a period: of each metric no default value, each once, and each very often."""
        choices = [
            [world.get(key, ()), *(_with_lines(world.get(key, ()), value, until, lines) for value, lines in published)]
            for key, values in defaults.items()
            if (published := [(value, lines) for value in values if value is not None for lines in _LINES])
        ]
        for chosen in product(*choices):
            yield {**world, **dict(zip(defaults, chosen, strict=True))}

    def _counted(self, found: int, breaching: int, answer: bool | None) -> tuple[int, int]:  # noqa: FBT001 - an answer
        """Count one datapoint more, if it is there and not enough are."""
        is_taken = answer is not None and found < self.periods
        return found + is_taken, breaching + (is_taken and bool(answer))

    def _decided(self, found: int, breaching: int, before: str) -> str:
        lacking = self.periods - found
        if not lacking or breaching >= self.needed:
            return "ALARM" if breaching >= self.needed else "OK"
        return self._with_missing(found, breaching, lacking, before)

    def _with_missing(self, found: int, breaching: int, lacking: int, before: str) -> str:
        if self.missing == "breaching":
            return "ALARM" if breaching + lacking >= self.needed else "OK"
        if self.missing == "notBreaching":
            return "OK"
        if self.missing == "ignore":
            return before if breaching == found else "OK"
        if not found:
            return "INSUFFICIENT_DATA"
        return "ALARM" if breaching == found else "OK"

    def _has_few(self, world: World, now: int) -> bool:
        """Tell whether the newest datapoint is a percentile of fewer values than make it significant."""
        after = now - self.period
        for key, statistic, _ in self.keys.values():
            percentile = _PERCENTILE.fullmatch(statistic)
            values = sum(times for _, times in _published(world.get(key, ()), after, now))
            if percentile and 0 < values < _significant(Fraction(percentile[1]) / 100):
                return True
        return False

    def _datapoint(self, world: World, until: int) -> Fraction | None:
        point: Point = {
            name: _statistic(statistic, world.get(key, ()), until - self.period, until)
            for name, (key, statistic, _) in self.keys.items()
        }
        if not self.expression:
            return next(iter(point.values()))
        try:
            return value_at(self.expression, point)
        except UnreadableExpressionError as error:
            raise NotEvaluatedError(f"its expression has {error}, which is not evaluated") from None


def comparison_of(name: str) -> Callable[[Fraction, Fraction], bool]:
    """Return how a value is compared with the threshold. Raises NotEvaluatedError."""
    if name not in _COMPARE:
        raise NotEvaluatedError(f"its comparison {name} is not evaluated")
    return _COMPARE[name]


def _series(alarm: Alarm, name: str, specimens: Specimens) -> tuple[MetricKey, str, int]:
    series = alarm.series[name]
    if not isinstance(series.dimensions, Mapping) or not isinstance(series.statistic, str):
        raise NotEvaluatedError("the dimensions or the statistic of a metric are unknown")
    pairs = tuple(sorted((str(key), specimens.text(value)) for key, value in series.dimensions.items()))
    key = MetricKey(specimens.text(series.namespace), specimens.text(series.name), pairs)
    seconds = _number(series.period, "period")
    return key, series.statistic, max(1, int(seconds) // 60)


def _with_lines(segments: tuple[Segment, ...], value: Fraction, until: int, lines: int) -> tuple[Segment, ...]:
    """Return what is published with a default value for so many lines at the end of a period."""
    return (*segments, Segment(value, until, until + 1, count=lines))


def _number(value: object, name: str) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise NotEvaluatedError(f"its {name} is unknown") from None


def _text(alarm: Alarm, name: str) -> str:
    value = alarm.get(name)
    if not is_known(value):
        raise NotEvaluatedError(f"its {name} is unknown")
    return str(value)


def _significant(percentile: Fraction) -> Fraction:
    """Return how many values make a percentile significant: ten divided by the smaller part beside it."""
    part = min(percentile, 1 - percentile)
    return 10 / part if part else Fraction(FOREVER)


def _published(segments: tuple[Segment, ...], after: int, until: int) -> Iterator[tuple[Fraction, int]]:
    for segment in segments:
        if times := segment.within(after, until):
            yield segment.value, times


def _statistic(name: str, segments: tuple[Segment, ...], after: int, until: int) -> Fraction | None:
    found = list(_published(segments, after, until))
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is None and name not in _STATISTICS:
        raise NotEvaluatedError(f"its statistic {name} is not evaluated")
    if not found:
        return None
    return _percentile(found, Fraction(percentile[1])) if percentile else _STATISTICS[name](found)


def _percentile(found: list[tuple[Fraction, int]], percent: Fraction) -> Fraction:
    """Return the smallest value that so many percent of the values do not exceed."""
    rank = max(1, math.ceil(sum(times for _, times in found) * percent / 100))
    for value, times in sorted(found):
        rank -= times
        if rank <= 0:
            return value
    return max(found)[0]


def _sum(found: list[tuple[Fraction, int]]) -> Fraction:
    return sum((value * times for value, times in found), Fraction(0))


def _count(found: list[tuple[Fraction, int]]) -> Fraction:
    return Fraction(sum(times for _, times in found))


_STATISTICS: Mapping[str, Callable[[list[tuple[Fraction, int]]], Fraction]] = {
    "Sum": _sum,
    "SampleCount": _count,
    "Average": lambda found: _sum(found) / _count(found),
    "Minimum": lambda found: min(value for value, _ in found),
    "Maximum": lambda found: max(value for value, _ in found),
}
