"""Which attributes of a resource type hold secrets, and how their values are taken away.

Terraform only marks sensitive values; it writes them in clear to plans and states, and older releases do not mark
what the provider's schema says. So what counts is the catalogue of resource types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from infraspec.core.unknown import Sensitive, Value, shows
from infraspec.resource_types import resource_type
from infraspec.terraform.language.values import with_items

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]|\.\d+(?=\.|\[|$)')


@cache
def sensitive_attributes(type_: str) -> frozenset[str]:
    """Return the attribute paths of a type that hold secrets, indices left out: `password`, `user.password`."""
    return frozenset(resource_type(type_).secrets)


def is_sensitive(type_: str, path: str) -> bool:
    """Tell whether an attribute path (`user[0].password`, `user.0.password`) is a secret or lies inside one."""
    plain = _INDEX.sub("", path)
    return any(plain == known or plain.startswith(f"{known}.") for known in sensitive_attributes(type_))


def mask(type_: str, address: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return a copy of a resource's values with Sensitive, which holds no value, in place of every secret."""
    masked = dict(values)
    for attribute in {known.partition(".")[0] for known in sensitive_attributes(type_)} & masked.keys():
        masked[attribute] = mask_attribute(type_, address, attribute, masked[attribute])
    return masked


def mask_attribute(type_: str, address: str, attribute: str, value: Value) -> Value:
    """Mask one attribute of a resource; the value itself if the type keeps no secret there."""
    return _each_secret(type_, address, attribute, value, hide)


def mark_attribute(type_: str, address: str, attribute: str, value: Value) -> Value:
    """Return one attribute of a resource with every secret in it Sensitive, which keeps the value for the evaluator."""
    return _each_secret(type_, address, attribute, value, _mark)


_Change: TypeAlias = Callable[[Value, str], Value]


def _each_secret(type_: str, address: str, attribute: str, value: Value, change: _Change) -> Value:
    for known in sensitive_attributes(type_):
        first, _, rest = known.partition(".")
        if first == attribute:
            value = _changed(value, rest, f"{address}.{attribute}", change)
    return value


def _mark(value: Value, address: str) -> Value:
    return Sensitive(address, value) if value is not None and shows(value) else value


def hide(value: Value, address: str) -> Value:
    """Return Sensitive in place of a value.

    What shows nothing stays as it is: null, an empty list or map, and an Unknown that names something else.
    """
    if value is None or value in ([], {}):
        return value
    if not shows(value) and value.address != address:
        return value
    return Sensitive(address)


def step(address: str, key: str | int) -> str:
    """Extend an address by an attribute, map key or index, as Terraform writes it."""
    if isinstance(key, int):
        return f"{address}[{key}]"
    if key.replace("-", "_").isidentifier():
        return f"{address}.{key}"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{address}["{escaped}"]'


def _changed(value: Value, path: str, address: str, change: _Change) -> Value:
    if not path:
        return change(value, address)
    if isinstance(value, list):
        return type(value)(_changed(item, path, step(address, index), change) for index, item in enumerate(value))
    if not isinstance(value, dict):
        return value
    key, _, rest = path.partition(".")
    if key not in value:
        return value
    return with_items(value, {**value, key: _changed(value[key], rest, step(address, key), change)}.items())
