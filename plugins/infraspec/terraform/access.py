"""Attribute access, index and splat on values of the language.

Source: Terraform Language Documentation, "References to Values" and "Splat Expressions".
"""

from __future__ import annotations

from collections.abc import Callable

from infraspec.errors import EvaluationError
from infraspec.terraform.conversions import to_number, to_text
from infraspec.terraform.revealing import iterate
from infraspec.terraform.scope import EvaluatedObject
from infraspec.terraform.symbolic import bounded, named, operand, part_of
from infraspec.terraform.values import BlockValue, SetValue, type_name
from infraspec.unknown import OtherStack, Sensitive, Text, Unknown, Value, is_known

_MOST_SUGGESTIONS = 8


def attribute_of(value: Value, name: str) -> Value:
    """Return `value.name`."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        if isinstance(value, BlockValue):
            return value.absent(name)
        raise EvaluationError(f'this object has no attribute "{name}"', found=_names(value))
    if isinstance(value, EvaluatedObject):
        return value.attribute(name)
    if isinstance(value, Sensitive):
        return Sensitive(f"{value.address}.{name}", _hiding(lambda: attribute_of(value.reveal(), name)))
    if isinstance(value, Unknown):
        return _unknown_attribute(value, name)
    if value is None:
        raise EvaluationError(f'attempt to get attribute "{name}" of a null value')
    remedy = f"value[*].{name}" if isinstance(value, list) else ""
    raise EvaluationError(f'a {type_name(value)} has no attribute "{name}"', remedy=remedy)


def index_of(value: Value, key: Value) -> Value:
    """Return `value[key]`."""
    if isinstance(value, EvaluatedObject):
        return value.element(key)
    if isinstance(value, Sensitive):
        return Sensitive(f"{value.address}[{operand(key)}]", _hiding(lambda: index_of(value.reveal(), key)))
    if isinstance(key, Sensitive):
        return Sensitive(key.address, _hiding(lambda: index_of(value, key.reveal())))
    if isinstance(value, Unknown) or isinstance(key, (Unknown, Text)):
        return _unknown_element(value, key)
    if isinstance(value, dict):
        return _dict_element(value, key)
    if isinstance(value, SetValue):
        raise EvaluationError(
            "a set has no order, so its elements have no index", remedy="tolist(value)[0], or one(value)"
        )
    if isinstance(value, list):
        return _list_element(value, key)
    raise EvaluationError(f"a {type_name(value)} cannot be indexed")


def splat(value: Value, step: Callable[[Value], Value], label: str) -> Value:
    """Apply `step` to each element: null gives an empty list, a value that is no list is a list of one."""
    if value is None:
        return []
    if isinstance(value, list):
        return [step(item) for item in value]
    if isinstance(value, Sensitive):
        return Sensitive(value.address, splat(_marked(value), step, label))
    if isinstance(value, Unknown) and not (isinstance(value, EvaluatedObject) and value.single):
        return part_of(value, f"{value.address}[*]{label}")
    return [step(value)]


def _marked(value: Sensitive) -> Value:
    """Return what a splat goes through, each element sensitive; a value that is no list stays as a whole."""
    hidden = value.reveal()
    return [item for _, item in iterate(value)] if isinstance(hidden, list) else hidden and [value]


def _hiding(access: Callable[[], Value]) -> Value:
    """Return a part of a value where it or the key is sensitive; an error says nothing of either."""
    try:
        return access()
    except EvaluationError:
        raise EvaluationError("a sensitive value lacks this part, or a sensitive key names none") from None


def _dict_element(value: dict[str, Value], key: Value) -> Value:
    name = to_text(key)
    if isinstance(name, str) and name in value:
        return value[name]
    if isinstance(name, str) and isinstance(value, BlockValue):
        return value.absent(name)
    raise EvaluationError(f"the given key {operand(key)} is not in the map", found=_names(value))


def _list_element(value: list[Value], key: Value) -> Value:
    try:
        position = int(to_number(key))  # type: ignore[arg-type] # a key that is not known is not looked up
    except (EvaluationError, TypeError):
        raise EvaluationError("a list is indexed by a whole number", found=type_name(key)) from None
    if position < 0 or position >= len(value) or position != to_number(key):
        raise EvaluationError(f"index {operand(key)} is out of range of a list of {len(value)} elements")
    return value[position]


def _unknown_attribute(value: Unknown, name: str) -> Unknown:
    cause = value.cause
    if isinstance(cause, OtherStack) and not cause.output:
        cause = OtherStack(cause.source, cause.attribute, name)
    return Unknown(bounded(f"{value.address}.{name}"), cause)


def _unknown_element(value: Value, key: Value) -> Value:
    text = f"{operand(value)}[{operand(key)}]"
    return part_of(value, text) if isinstance(value, Unknown) and is_known(key) else named(text, key, value)


def _names(value: dict[str, Value]) -> str:
    names = sorted(map(str, value))
    more = f", … ({len(names)} in all)" if len(names) > _MOST_SUGGESTIONS else ""
    return "attributes " + (", ".join(names[:_MOST_SUGGESTIONS]) + more if names else "(none)")
