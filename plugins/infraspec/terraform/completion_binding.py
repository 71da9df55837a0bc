"""What a plan or state knows, put in place of the unknowns of source values.

The source names what it does not know: `aws_secretsmanager_secret.db.arn`. Once the secret exists, a plan or state
knows that attribute, so that a policy from the source and a task definition from the plan name the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from infraspec.terraform.conversions import to_text
from infraspec.terraform.plan import Plan
from infraspec.terraform.values import SetValue, with_items
from infraspec.unknown import JsonText, Sensitive, Text, Unknown, Value, concatenate, encode_json, is_known

_STEP = re.compile(r'(?:^|\.)([A-Za-z_][\w-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_ESCAPE = re.compile(r"\\(.)")


class Binding:
    """Replace unknowns by what a plan knows of them; those it does not know stay."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[str, Value] = {}

    def bind(self, value: Value) -> Value:
        """Return a value with every unknown in it that the plan knows replaced."""
        if isinstance(value, Sensitive) or is_known(value):
            return value
        match value:
            case Unknown():
                return self._bound(value)
            case JsonText():
                tree = self.bind(value.tree)
                return encode_json(tree) if is_known(tree) else JsonText(tree)
            case Text():
                return concatenate(map(self._bound_text, value.parts))
            case dict():
                return with_items(value, ((key, self.bind(item)) for key, item in value.items()))
            case SetValue():
                return SetValue.of(map(self.bind, value))
            case list():
                return type(value)(map(self.bind, value))
            case _:
                return value

    def _bound(self, unknown: Unknown) -> Value:
        if unknown.address not in self._known:
            self._known[unknown.address] = self._look_up(unknown)
        return self._known[unknown.address]

    def _bound_text(self, part: str | Unknown) -> str | Text | Unknown:
        bound = self._bound(part) if isinstance(part, Unknown) else part
        return to_text(bound) if isinstance(bound, (str, bool, int, float, Unknown)) else part

    def _look_up(self, unknown: Unknown) -> Value:
        if isinstance(unknown, Sensitive):
            return unknown
        found = self._plan.find(unknown)
        if found is None:
            return unknown
        resource, path = found
        for value in value_at(resource.values, path):
            if isinstance(value, Sensitive) or is_known(value):
                return value
        return unknown


def value_at(values: Mapping[str, Value], path: str) -> Iterator[Value]:
    """Yield the value at a path such as `endpoint[0].url` or `tags["a.b"]`: one, or none if there is nothing there."""
    value: Value = values
    end = 0
    for step in _STEP.finditer(path):
        name, index, key = step.groups()
        if step.start() != end:
            return
        end = step.end()
        place = int(index) if index is not None else _ESCAPE.sub(r"\1", key) if key is not None else name
        if place not in (range(len(value)) if isinstance(value, list) else value if isinstance(value, Mapping) else ()):
            return
        value = value[place]
    if end == len(path):
        yield value
