"""What an alarm is configured to do, in one form for the source and for AWS, and what differs.

Source: Terraform AWS provider, aws_cloudwatch_metric_alarm and aws_cloudwatch_composite_alarm; their defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.checks.comparison import Difference, same
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value

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
        yield Difference("metric_query", expected, found, Answer.MAYBE)
        return
    wanted, there = _by_id(expected), _by_id(found)
    for name in sorted({*wanted, *there}):
        if name not in wanted or name not in there:
            yield Difference("metric_query", _shown(name, wanted), _shown(name, there), Answer.NO)
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
    if answer is not Answer.YES:
        yield Difference(name, expected, found, answer)


def _given(value: Value, default: Value) -> Value:
    return default if value is None or value == "" else value


def _one_line(value: Value) -> Value:
    return " ".join(value.split()) if isinstance(value, str) else value


def _shown(name: str, queries: Mapping[str, Value]) -> str:
    return f"a query {name}" if name in queries else f"no query {name}"
