"""Which attributes of a resource type hold secrets, and how their values are taken away.

Terraform only marks sensitive values; it writes them in clear to plans and states, and older releases do not mark
what the provider's schema says. So what counts is the catalogue of resource types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    if any(map(_is_write_only, plain.split("."))):
        return True
    return any(plain == known or plain.startswith(f"{known}.") for known in sensitive_attributes(type_))


def _is_write_only(attribute: str) -> bool:
    """Tell whether an attribute is never read back, as its name says in each provider: `password_wo`."""
    return attribute.endswith("_wo")


def mask(type_: str, address: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return a copy of a resource's values with Sensitive, which holds no value, in place of every secret."""
    return {attribute: mask_attribute(type_, address, attribute, value) for attribute, value in values.items()}


def mask_attribute(type_: str, address: str, attribute: str, value: Value) -> Value:
    """Mask one attribute of a resource; the value itself if the type keeps no secret there."""
    return _each_secret(type_, address, attribute, value, hide)


def mark_attribute(type_: str, address: str, attribute: str, value: Value) -> Value:
    """Return one attribute of a resource with every secret in it Sensitive, which keeps the value for the evaluator."""
    return _each_secret(type_, address, attribute, value, _mark)


_Change: TypeAlias = Callable[[Value, str], Value]


def _each_secret(type_: str, address: str, attribute: str, value: Value, change: _Change) -> Value:
    paths = _secrets(type_, attribute)
    if _is_write_only(attribute):
        paths = (*paths, attribute)
    elif isinstance(value, (dict, list)):
        paths = dict.fromkeys((*paths, *_write_only(attribute, value)))
    for path in paths:
        value = _changed(value, path.partition(".")[2], f"{address}.{attribute}", change)
    return value


@cache
def _secrets(type_: str, attribute: str) -> Iterable[str]:
    return tuple(known for known in sensitive_attributes(type_) if known.partition(".")[0] == attribute)


def _write_only(path: str, value: Value) -> Iterator[str]:
    """Yield the paths of what is write-only in nested blocks."""
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        if key is not None and _is_write_only(key):
            yield f"{path}.{key}"
        elif isinstance(item, (dict, list)):
            yield from _write_only(path if key is None else f"{path}.{key}", item)


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
