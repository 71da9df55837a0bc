"""How CloudWatch evaluates a metric alarm, on series that are simulated.

Sources: Amazon CloudWatch User Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data";
Amazon CloudWatch User Guide, "Statistics definitions". The guide says that more datapoints are retrieved than are
evaluated, and its examples retrieve two more; these are taken here where all of them fit in a day.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from msgspec import Struct

from infraspec.core.unknown import is_known
from infraspec.monitoring.alarms import Alarm, Point, UnreadableExpressionError, value_at
from infraspec.monitoring.drill.failures import FOREVER, MetricKey
from infraspec.monitoring.sample_events import Specimens

_DAY, _RETRIEVED_MORE = 1440, 2
_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class NotEvaluatedError(ValueError):
    """The alarm uses what the drill does not evaluate; the text says what."""


class Segment(Struct, frozen=True):
    """A value that is published from `start`, before `end`, each `every` minutes, `count` times at once."""

    value: Fraction
    start: int
    end: int = FOREVER
    every: int = 1
    count: int = 1

    def within(self, after: int, until: int) -> int:
        """Return how often it is published after a minute, until another and with it."""
        last = min(until, self.end - 1)
        if last < self.start or last <= after:
            return 0
        before = max(0, (after - self.start) // self.every + 1) if after >= self.start else 0
        return ((last - self.start) // self.every + 1 - before) * self.count


World = Mapping[MetricKey, tuple[Segment, ...]]
"""What is published, by metric."""


class Watch(Struct, frozen=True):
    """A metric alarm with everything known that decides its state; periods are in minutes."""

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

    @classmethod
    def of(cls, alarm: Alarm, specimens: Specimens) -> Watch:
        """Return what an alarm watches. Raises NotEvaluatedError."""
        if alarm.hidden is not None:
            raise NotEvaluatedError("which metrics it reads is not known")
        keys = {name: _series(alarm, name, specimens) for name in alarm.series}
        if not keys:
            raise NotEvaluatedError("it reads no metric")
        if len({period for _, _, period in keys.values()}) > 1:
            raise NotEvaluatedError("its metrics have several periods")
        comparison = _text(alarm, "comparison_operator")
        if comparison not in _COMPARE:
            raise NotEvaluatedError(f"its comparison {comparison} is not evaluated")
        expression = alarm.expression
        if expression is not None and not isinstance(expression, str):
            raise NotEvaluatedError("its expression is not known")
        periods = int(_number(alarm.get("evaluation_periods"), "evaluation_periods"))
        needed = alarm.get("datapoints_to_alarm")
        return cls(
            keys,
            expression or "",
            next(period for _, _, period in keys.values()),
            periods,
            int(_number(needed, "datapoints_to_alarm")) if needed else periods,
            _text(alarm, "treat_missing_data"),
            _COMPARE[comparison],
            _number(alarm.get("threshold"), "threshold"),
            specimens.certain,
        )

    def state(self, world: World, minute: int, before: str) -> str:
        """Return the state at a minute, after the state before it. Raises NotEvaluatedError."""
        more = _RETRIEVED_MORE if (self.periods + _RETRIEVED_MORE) * self.period <= _DAY else 0
        found = [
            value
            for at in range(self.periods + more)
            if (value := self._datapoint(world, minute - at * self.period)) is not None
        ][: self.periods]
        breaching = sum(self.compare(value, self.threshold) for value in found)
        lacking = self.periods - len(found)
        if not lacking or breaching >= self.needed:
            return "ALARM" if breaching >= self.needed else "OK"
        return self._with_missing(len(found), breaching, lacking, before)

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


def _series(alarm: Alarm, name: str, specimens: Specimens) -> tuple[MetricKey, str, int]:
    series = alarm.series[name]
    if not isinstance(series.dimensions, Mapping) or not isinstance(series.statistic, str):
        raise NotEvaluatedError("the dimensions or the statistic of a metric are not known")
    pairs = tuple(sorted((str(key), specimens.text(value)) for key, value in series.dimensions.items()))
    key = MetricKey(specimens.text(series.namespace), specimens.text(series.name), pairs)
    seconds = _number(series.period, "period")
    return key, series.statistic, max(1, int(seconds) // 60)


def _number(value: object, name: str) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise NotEvaluatedError(f"its {name} is not known") from None


def _text(alarm: Alarm, name: str) -> str:
    value = alarm.get(name)
    if not is_known(value):
        raise NotEvaluatedError(f"its {name} is not known")
    return str(value)


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
