"""The metric alarms of a plan, in one form whether they look at a metric, at an expression, or at a query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Value


class Series(Struct, frozen=True):
    """A metric that an alarm reads. `path` is where it is configured, for a location."""

    namespace: Value
    name: Value
    dimensions: Value
    statistic: Value
    period: Value
    unit: Value = None
    path: str = ""


class Alarm(Struct, frozen=True, eq=False):
    """A metric alarm. `series` are its metrics by id (the empty text without an expression)."""

    resource: Resource
    series: Mapping[str, Series]
    expression: Value = None

    def get(self, attribute: str) -> Value:
        """Return an attribute, with the provider's default where it is not configured."""
        value = self.resource.get(attribute)
        return _DEFAULTS.get(attribute) if value is None else value


_DEFAULTS: Mapping[str, Value] = {"treat_missing_data": "missing", "actions_enabled": True}


def alarms(plan: Plan) -> Iterator[Alarm]:
    """Yield the metric alarms of a plan."""
    for resource in plan.managed("aws_cloudwatch_metric_alarm"):
        queries = resource.get("metric_query")
        if isinstance(queries, list | tuple) and queries:
            yield _of_queries(resource, [query for query in queries if isinstance(query, dict)])
        else:
            yield Alarm(resource, {"": _plain(resource)})


def _plain(resource: Resource) -> Series:
    return Series(
        resource.get("namespace"),
        resource.get("metric_name"),
        resource.get("dimensions") or {},
        resource.get("statistic") or resource.get("extended_statistic"),
        resource.get("period"),
        resource.get("unit") or None,
    )


def _of_queries(resource: Resource, queries: list[dict[str, Value]]) -> Alarm:
    series: dict[str, Series] = {}
    expressions: dict[str, Value] = {}
    returned = ""
    for index, query in enumerate(queries):
        name = str(query.get("id"))
        if query.get("return_data") is True or len(queries) == 1:
            returned = name
        if query.get("expression"):
            expressions[name] = query["expression"]
        for metric in query.get("metric") or ():
            if isinstance(metric, dict):
                series[name] = Series(
                    metric.get("namespace"),
                    metric.get("metric_name"),
                    metric.get("dimensions") or {},
                    metric.get("stat"),
                    metric.get("period"),
                    metric.get("unit") or None,
                    f"metric_query.{index}.metric",
                )
    if returned in series:
        return Alarm(resource, {"": series[returned]})
    return Alarm(resource, series, _inlined(expressions, returned, resource))


def _inlined(expressions: Mapping[str, Value], returned: str, resource: Resource) -> Value:
    """Return the expression that is watched, with those it refers to written into it."""
    text = expressions.get(returned)
    if not isinstance(text, str):
        return resource.reference("metric_query")
    for _ in expressions:
        for name, inner in expressions.items():
            if name != returned and isinstance(inner, str):
                text = substituted(text, {name: f"({inner})"})
    return text


def substituted(text: str, names: Mapping[str, str]) -> str:
    """Return an expression with ids replaced, all at once."""
    return re.sub(r"\b[a-z]\w*\b", lambda match: names.get(match[0], match[0]), text)
