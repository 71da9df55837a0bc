"""What is wrong with an alarm that watches the right metrics, or not known of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.alarms import AlarmItem, Bounds
from infraspec.finding import Verdict
from infraspec.monitoring.alarms import Alarm, substituted
from infraspec.monitoring.catalogue import metrics_of
from infraspec.monitoring.expression import UnreadableExpressionError, difference, names
from infraspec.unknown import Text, Unknown, Value, render

_OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
_PERCENT = 100
_NAMES = {sign: name for name, sign in _OPERATORS.items()}


class Fault(Struct, frozen=True):
    """What is wrong with one alarm, or not known of it. `attribute` is where; `remedy` lines to paste."""

    verdict: Verdict
    expected: str
    found: str
    reason: str
    attribute: str = ""
    remedy: str = ""


def is_opposite(item: AlarmItem, alarm: Alarm) -> bool:
    """Tell whether an alarm certainly fires on the other side of its threshold than an item asks for."""
    sign = _OPERATORS.get(str(alarm.get("comparison_operator")), "")
    return bool(sign) and sign[0] != str(item.comparison)[0]


def faults_of(item: AlarmItem, alarm: Alarm, pairs: Mapping[str, str]) -> Iterator[Fault]:
    """Yield the faults of an alarm; `pairs` has the id of the alarm's series by the id of the item's."""
    scale = 1
    if item.expression:
        scale, problems = _expression(item.expression, alarm, pairs)
        yield from problems
    for name, metric in metrics_of(item).items():
        series = alarm.series[pairs[name]]
        yield from _one_of("statistic", metric.statistic, series.statistic, series.path)
        yield from _within("period", item.period, series.period, series.path)
        if series.unit is not None and series.unit != metric.unit:
            yield _unit(metric.unit, series.unit, series.path)
    yield from _threshold(item, alarm, scale)
    yield from _within("evaluation_periods", item.evaluation_periods, alarm.get("evaluation_periods"))
    yield from _one_of("treat_missing_data", item.missing or [], alarm.get("treat_missing_data"))
    enabled = alarm.get("actions_enabled")
    if enabled is not True:
        line = "actions_enabled = true"
        yield _wrong("actions_enabled", line, enabled, "the alarm tells nobody", line)


def _expression(wanted: str, alarm: Alarm, pairs: Mapping[str, str]) -> tuple[int, list[Fault]]:
    """Return what the alarm's expression has to be multiplied with to be the wanted one, and what is wrong with it."""
    found, line = alarm.expression, f'expression = "{wanted}"'
    if not isinstance(found, str):
        return 1, [_wrong("metric_query", line, found, "the expression is not known")]
    renamed = substituted(found, {own: name for name, own in pairs.items()})
    try:
        strangers = sorted(names(found) - set(pairs.values()))
        problem = f"no metric_query has the id {strangers[0]}" if strangers else ""
        problem = problem or difference(wanted, renamed, list(pairs))
        if problem and not strangers and not difference(wanted, f"{_PERCENT} * ({renamed})", list(pairs)):
            return _PERCENT, []
    except UnreadableExpressionError as error:
        reason = f"{error} of metric math is not evaluated here"
        return 1, [
            Fault(Verdict.UNDETERMINED, f"an expression that computes {wanted}", found, reason, "metric_query", line)
        ]
    return 1, [_wrong("metric_query", line, found, problem, line)] if problem else []


def _unit(wanted: str | None, found: Value, path: str) -> Fault:
    expected = f"unit {wanted}, or none" if wanted else "no unit, which fits every metric"
    fault = _wrong(
        path or "unit", expected, found, "a metric has no data under another unit", "unit = null", named="unit"
    )
    return fault if wanted else replace(fault, verdict=Verdict.UNDETERMINED)


def _threshold(item: AlarmItem, alarm: Alarm, scale: int) -> Iterator[Fault]:
    sign, wanted = _OPERATORS.get(str(alarm.get("comparison_operator")), ""), str(item.comparison)
    threshold = alarm.get("threshold")
    if isinstance(threshold, int | float) and sign:
        threshold = _scaled(threshold, scale)
        if item.whole and not sign.endswith("="):
            threshold = math.floor(threshold) if sign == ">" else math.ceil(threshold)
        threshold, sign = _normal(
            threshold, sign, wanted, whole=bool(item.whole), ranged=isinstance(item.threshold, Bounds)
        )
    if sign != wanted:
        operator = alarm.get("comparison_operator")
        yield _wrong(
            "comparison_operator",
            _NAMES[wanted],
            operator,
            "it fires at the wrong values",
            f'comparison_operator = "{_NAMES[wanted]}"',
        )
        return
    yield from _within("threshold", item.threshold, threshold, shown=alarm.get("threshold"))


def _scaled(threshold: float, scale: int) -> float:
    """Multiply a threshold as it is written: 0.07 times 100 is 7."""
    return float(Decimal(str(threshold)) * scale)


def _normal(threshold: float, sign: str, wanted: str, *, whole: bool, ranged: bool) -> tuple[float, str]:
    """Return the comparison in the wanted form, if it says the same: `>= 1` of whole numbers is `> 0`."""
    if sign[0] != wanted[0] or sign == wanted:
        return threshold, sign
    if whole and float(threshold).is_integer():
        step = 1 if sign[0] == ">" else -1
        return (threshold - step if sign.endswith("=") else threshold + step), wanted
    return (threshold, wanted) if ranged and sign.endswith("=") else (threshold, sign)


def _within(
    name: str, wanted: float | Bounds | None, found: Value, path: str = "", shown: Value = None
) -> Iterator[Fault]:
    if wanted is None:
        return
    low, high = (wanted.min, wanted.max) if isinstance(wanted, Bounds) else (wanted, wanted)
    number = isinstance(found, int | float) and not isinstance(found, bool)
    if number and (low is None or found >= low) and (high is None or found <= high):
        return
    expected = _said(low, high)
    fixed = high if high is not None else low
    location = path or name
    value = found if shown is None else shown
    reason = f"the {name.replace('_', ' ')} is outside of what the catalogue allows"
    yield _wrong(location, f"{name} {expected}", value, reason, f"{name} = {_number(fixed or 0)}", named=name)


def _said(low: float | None, high: float | None) -> str:
    if low == high and low is not None:
        return _number(low)
    parts = [
        f"at least {_number(low)}" if low is not None else "",
        f"at most {_number(high)}" if high is not None else "",
    ]
    return " and ".join(filter(None, parts))


def _number(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _one_of(name: str, allowed: Sequence[str], found: Value, path: str = "") -> Iterator[Fault]:
    if not allowed or found in allowed:
        return
    reason = f"the {name.replace('_', ' ')} is another than the catalogue allows"
    written = "stat" if path and name == "statistic" else name
    yield _wrong(
        path or name, f"{name} {' or '.join(allowed)}", found, reason, f'{written} = "{allowed[0]}"', named=name
    )


def _wrong(attribute: str, expected: str, found: Value, reason: str, remedy: str = "", *, named: str = "") -> Fault:
    unknown = isinstance(found, Unknown | Text)
    return Fault(
        Verdict.UNDETERMINED if unknown else Verdict.VIOLATED,
        expected,
        f"{named or attribute} {'not set' if found is None else render(found)}",
        f"{render(found)} is not known before apply" if unknown else reason,
        attribute,
        remedy,
    )
