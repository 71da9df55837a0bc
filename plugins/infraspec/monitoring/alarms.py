"""The metric alarms of a plan, in one form whether they look at a metric, at an expression, or at a query.

They are evaluated at several points, with every metric present and with each of them missing, because an expression
that has no value for missing data has no alarm either: `failed / (failed + started)` is silent exactly when no task
starts at all. Source: Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from msgspec import Struct

from infraspec.core.unknown import Unknown, Value, unknowns
from infraspec.terraform.plan import Plan, Resource

Point: TypeAlias = Mapping[str, Fraction | None]
"""The values of the metrics by id; None is missing data."""

_PRIMES = (3, 7, 11, 17, 23, 31, 41, 53)


class UnreadableExpressionError(ValueError):
    """The expression uses what is not evaluated here."""


def difference(expected: str, found: str, ids: list[str]) -> str:
    """Say where two expressions over the metrics `ids` differ; an empty text if they do not.

    Raises UnreadableExpressionError if one of them is not arithmetic.
    """
    wanted, given = _parse(expected), _parse(found)
    for point in _points(ids):
        value = _evaluate(wanted, point)
        if value is not None and value != (other := _evaluate(given, point)):
            missing = [name for name, number in point.items() if number is None]
            if other is None and missing:
                return f"it has no value while there is no data of {', '.join(missing)}"
            return "it computes something else"
    return ""


def _points(ids: list[str]) -> Iterator[Point]:
    for size in range(len(ids)):
        for missing in combinations(ids, size):
            for shift in range(3):
                yield {
                    name: None if name in missing else Fraction(_PRIMES[(index + shift) % 8], 2 + shift)
                    for index, name in enumerate(ids)
                }


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise UnreadableExpressionError(expression) from None


def names(expression: str) -> set[str]:
    """Return the ids that an expression refers to. Raises UnreadableExpressionError."""
    nodes = list(ast.walk(_parse(expression)))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return {node.id for node in nodes if isinstance(node, ast.Name)} - called


def value_at(expression: str, point: Point) -> Fraction | None:
    """Return the value of an expression; None is no data. Raises UnreadableExpressionError."""
    return _evaluate(_parse(expression), point)


def _evaluate(node: ast.expr, point: Point) -> Fraction | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.Name(id=name) if name in point:
            return point[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _evaluate(operand, point)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(left, point), _evaluate(right, point))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name.upper(), arguments, point)
        case _:
            raise UnreadableExpressionError(ast.unparse(node))


def _call(name: str, arguments: list[ast.expr], point: Point) -> Fraction | None:
    if name == "FILL" and len(arguments) == 2:  # noqa: PLR2004 - a metric and what to fill in
        value = _evaluate(arguments[0], point)
        if isinstance(arguments[1], ast.Name):  # REPEAT and LINEAR depend on earlier data
            return value
        return _evaluate(arguments[1], point) if value is None else value
    if name in _FUNCTIONS and len(arguments) == 1 and isinstance(arguments[0], ast.List):
        values = [value for item in arguments[0].elts if (value := _evaluate(item, point)) is not None]
        return _FUNCTIONS[name](values) if values else None
    raise UnreadableExpressionError(name)


def _arithmetic(
    compute: Callable[[Fraction, Fraction], Fraction | None],
) -> Callable[[Fraction | None, Fraction | None], Fraction | None]:
    return lambda left, right: None if left is None or right is None else compute(left, right)


_OPERATORS: Mapping[type[ast.operator], Callable[[Fraction | None, Fraction | None], Fraction | None]] = {
    ast.Add: _arithmetic(lambda left, right: left + right),
    ast.Sub: _arithmetic(lambda left, right: left - right),
    ast.Mult: _arithmetic(lambda left, right: left * right),
    ast.Div: _arithmetic(lambda left, right: left / right if right else None),
}
_FUNCTIONS: Mapping[str, Callable[[list[Fraction]], Fraction]] = {
    "SUM": lambda values: sum(values, Fraction(0)),
    "MAX": max,
    "MIN": min,
    "AVG": lambda values: sum(values, Fraction(0)) / len(values),
}


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
    hidden: Unknown | None = None
    """What hides which metrics it reads."""

    def get(self, attribute: str) -> Value:
        """Return an attribute, with the provider's default where it is not configured."""
        value = self.resource.stated(attribute)
        return _DEFAULTS.get(attribute) if value is None else value


_DEFAULTS: Mapping[str, Value] = {"treat_missing_data": "missing", "actions_enabled": True}


def alarms(plan: Plan) -> Iterator[Alarm]:
    """Yield the metric alarms of a plan."""
    for resource in plan.managed("aws_cloudwatch_metric_alarm"):
        queries = resource.stated("metric_query")
        if hidden := _hidden(queries):
            yield Alarm(resource, {}, hidden=hidden)
        elif isinstance(queries, list | tuple) and queries:
            yield _of_queries(resource, [query for query in queries if isinstance(query, dict)])
        else:
            statistic = resource.stated("statistic") or resource.stated("extended_statistic")
            yield Alarm(resource, {"": _series(resource.values, statistic)})


def _hidden(queries: Value) -> Unknown | None:
    """Return what hides the metrics of queries, or which of them is watched; None if nothing does."""
    blocks = queries if isinstance(queries, list | tuple) else [queries]
    told = [[block.get(name) for name in _TELLING] if isinstance(block, dict) else block for block in blocks]
    metrics = [block.get("metric") for block in blocks if isinstance(block, dict)]
    plain = [part for each in metrics for part in (each if isinstance(each, list | tuple) else [each])]
    return next(unknowns([told, [part for part in plain if not isinstance(part, dict)]]), None)


_TELLING = ("id", "return_data")


def _series(metric: Mapping[str, Value], statistic: Value, path: str = "") -> Series:
    dimensions, unit = metric.get("dimensions") or {}, metric.get("unit") or None
    return Series(
        metric.get("namespace"), metric.get("metric_name"), dimensions, statistic, metric.get("period"), unit, path
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
                series[name] = _series(metric, metric.get("stat"), f"metric_query.{index}.metric")
    if returned in series:
        return Alarm(resource, {"": series[returned]})
    return Alarm(resource, series, _inlined(expressions, returned, resource))


def _inlined(expressions: Mapping[str, Value], returned: str, resource: Resource) -> Value:
    """Return the expression that is watched, with those it refers to written into it."""
    if not isinstance(expressions.get(returned), str):
        return resource.reference("metric_query")
    return inlined({name: text for name, text in expressions.items() if isinstance(text, str)}, returned)


def inlined(expressions: Mapping[str, str], returned: str) -> str:
    """Return the expression of an id, with those it refers to written into it."""
    text = expressions[returned]
    for _ in expressions:
        for name, inner in expressions.items():
            if name != returned:
                text = substituted(text, {name: f"({inner})"})
    return text


def substituted(text: str, names: Mapping[str, str]) -> str:
    """Return an expression with ids replaced, all at once."""
    return re.sub(r"\b[a-z]\w*\b", lambda match: names.get(match[0], match[0]), text)
