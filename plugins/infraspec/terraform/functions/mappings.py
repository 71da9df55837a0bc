"""Functions of maps and objects. The keys of a dict are always known, its values may not be."""

from __future__ import annotations

import re

from infraspec.errors import EvaluationError
from infraspec.terraform.functions.parameters import (
    boolean,
    collection,
    known_text,
    known_texts,
    mapping,
    nullable,
    number,
    pairs,
    sequence,
    text,
    texts,
)
from infraspec.terraform.functions.registry import function
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import ListValue, MapValue, type_name
from infraspec.unknown import Unknown, Value


@function("keys", mapping, structural=True)
def keys(value: dict[str, Value]) -> list[str]:
    """Return the keys, sorted."""
    names = [key for key, _ in pairs(value)]
    return ListValue(names) if isinstance(value, MapValue) else names


@function("values", mapping, structural=True)
def values_of(value: dict[str, Value]) -> list[Value]:
    """Return the values in the order of their keys."""
    items = [item for _, item in pairs(value)]
    return ListValue(items) if isinstance(value, MapValue) else items


@function("lookup", mapping, known_text, optional=(nullable,), structural=True)
def lookup(value: dict[str, Value], key: str, *default: Value) -> Value:
    """Return the value of a key, or the default."""
    if key in value:
        return value[key]
    if not default:
        raise EvaluationError(f'the given map has no element with key "{key}"', remedy="give a default")
    if isinstance(value, MapValue) and value:
        return _as_element(default[0], value)
    return default[0]


def _as_element(default: Value, value: dict[str, Value]) -> Value:
    """Convert a default to the type of a map's elements, where that is a primitive one."""
    if default is None or isinstance(default, (dict, list)):
        return default
    kinds = {type_name(item) for item in value.values() if item is not None and not isinstance(item, Unknown)}
    if not kinds and not (isinstance(default, str) and _NO_NUMBER.fullmatch(default)):
        raise Undetermined
    convert = _CONVERSIONS.get(kinds.pop()) if len(kinds) == 1 else None
    return convert(default) if convert else default


_CONVERSIONS = {"string": text, "number": number, "bool": boolean}
_NO_NUMBER = re.compile(r"(?!(?:true|false)\Z)[^\d.+-].*|", re.DOTALL)
"""Text that stays text in a map of any type, for it is neither a number nor a bool."""


@function("merge", rest=nullable, structural=True)
def merge(*maps: Value) -> dict[str, Value]:
    """Return the entries of all maps; of one key, that of the last. Null counts as an empty map."""
    objects = [mapping(value) for value in maps if value is not None]
    merged = {key: item for value in objects for key, item in value.items()}
    return MapValue(merged) if objects and _are_of_one_type(objects) else merged


def _are_of_one_type(maps: list[dict[str, Value]]) -> bool:
    kinds = {type(item) for value in maps for item in value.values() if not isinstance(item, (Unknown, type(None)))}
    return all(isinstance(value, MapValue) for value in maps) and len(kinds) <= 1


@function("zipmap", collection, sequence, structural=True)
def zip_map(names: list[Value], values: list[Value]) -> dict[str, Value]:
    """Make a map of a list of keys and a list of values."""
    if len(names) != len(values):
        counts = f"{len(names)} keys and {len(values)} values"
        raise EvaluationError("number of keys does not match number of values", found=counts)
    merged = dict(zip(known_texts(names), values, strict=True))
    return MapValue(merged) if isinstance(values, ListValue) else merged


@function("transpose", mapping)
def transpose(value: dict[str, Value]) -> MapValue:
    """Swap the keys and the elements of a map of lists of text."""
    swapped: dict[str, ListValue] = {}
    for key, items in pairs(value):
        for item in texts(items):
            if item is None:
                raise EvaluationError("an element is null", expected="text", found="null")
            swapped.setdefault(str(item), ListValue()).append(key)
    return MapValue(sorted(swapped.items()))
