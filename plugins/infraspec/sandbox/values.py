"""Planned values with what creation returned in place of their unknown parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import JsonText, MissingVariable, Sensitive, Text, Unknown, Value, encode_json, unknowns

_STEP = re.compile(r"\.|\[(\d+)\]|\[\"([^\"]*)\"\]")


class Unresolved(Exception):  # noqa: N818 - it is a state of a value, not a fault
    """A value depends on something that has not been created."""


class Created(Struct):
    """What has been created, by address: its configured values, and the attributes that AWS assigned."""

    plan: Plan
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def resolve(self, value: Value) -> Any:
        """Return a value that is known in all parts. Raises Unresolved.

        A variable that nobody gave a value, such as one that a pipeline sets, becomes text that says so.
        """
        if isinstance(value, Sensitive):
            return self.resolve(value.reveal())
        if isinstance(value, Unknown):
            return self._attribute(value)
        if isinstance(value, JsonText):
            return encode_json(self.resolve(value.tree))
        if isinstance(value, Text):
            return "".join(_text(self.resolve(part)) for part in value.parts)
        if isinstance(value, Mapping):
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item) for item in value]
        return value

    def _attribute(self, unknown: Unknown) -> Any:
        found = self.plan.find(unknown)
        if found is None:
            if isinstance(unknown.cause, MissingVariable):
                return f"sandbox-{unknown.address.removeprefix('var.')}"
            raise Unresolved(f"{unknown.address} is not known")
        resource, path = found
        if resource.mode == "data":
            raise Unresolved(f"{unknown.address} is not known: say it in [known] of the contract")
        if resource.address not in self.attributes:
            raise Unresolved(f"{resource.address} has not been created")
        try:
            return _walk(self.attributes[resource.address], path)
        except (KeyError, IndexError, TypeError):
            raise Unresolved(f"{unknown.address} is not among what creation returns") from None


def references(resource: Resource, plan: Plan) -> Iterator[str]:
    """Yield the addresses of the managed resources that a resource's values wait for."""
    for value in resource.values.values():
        for unknown in unknowns(value):
            found = plan.find(unknown)
            if found is not None and found[0].mode == "managed" and found[0].address != resource.address:
                yield found[0].address


def _walk(value: Any, path: str) -> Any:
    for step in filter(None, _STEP.split(path)):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encode_json(value)
