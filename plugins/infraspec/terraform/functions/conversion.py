"""Conversions of types and marks of sensitivity."""

from __future__ import annotations

import itertools

from infraspec.terraform.conversions import to_text
from infraspec.terraform.functions.parameters import boolean, collection, mapping, nullable, number
from infraspec.terraform.functions.registry import function
from infraspec.terraform.revealing import first_sensitive
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.unification import unified
from infraspec.terraform.values import ListValue, MapValue, SetValue
from infraspec.unknown import Sensitive, Text, Unknown, Value

_count = itertools.count(1)


@function("tostring", nullable, structural=True)
def to_string(value: Value) -> Value:
    """Convert a primitive value to text."""
    return None if value is None else to_text(value)


@function("tonumber", nullable, structural=True)
def to_numeric(value: Value) -> Value:
    """Convert text to a number."""
    return None if value is None else number(value)


@function("tobool", nullable, structural=True)
def to_boolean(value: Value) -> Value:
    """Convert text to a bool."""
    return None if value is None else boolean(value)


@function("tolist", nullable, structural=True)
def to_list(value: Value) -> Value:
    """Convert a tuple or set to a list, its elements to one type."""
    return None if value is None else ListValue(unified(collection(value)))


@function("toset", nullable, structural=True, sets=True)
def to_set(value: Value) -> Value:
    """Convert a list or tuple to a set, its elements to one type."""
    return None if value is None else SetValue.of(unified(collection(value)))


@function("tomap", nullable, structural=True)
def to_map(value: Value) -> Value:
    """Convert an object to a map, its values to one type."""
    if value is None:
        return None
    entries = mapping(value)
    return MapValue(zip(entries, unified(list(entries.values())), strict=True))


@function("sensitive", nullable, structural=True, sets=True)
def sensitive(value: Value) -> Sensitive:
    """Mark a value as sensitive. Its name is unlike every other, since it must not say anything of the value."""
    if isinstance(value, Sensitive):
        return value
    return Sensitive(value.address if isinstance(value, Unknown) else f"sensitive(#{next(_count)})", value)


@function("nonsensitive", nullable, structural=True, sets=True)
def nonsensitive(value: Value) -> Value:
    """Take the mark of sensitivity from a value."""
    return value.reveal() if isinstance(value, Sensitive) else value


@function("issensitive", nullable, structural=True, sets=True)
def is_sensitive(value: Value) -> bool:
    """Tell whether a value is marked as sensitive; of an unknown value it is not known."""
    if isinstance(value, Sensitive) or (isinstance(value, Text) and first_sensitive(value)):
        return True
    if isinstance(value, (Unknown, Text)):
        raise Undetermined
    return False


@function("ephemeralasnull", nullable, structural=True, sets=True)
def ephemeral_as_null(value: Value) -> Value:
    """Return the value; an unknown one may be ephemeral, and null then."""
    if isinstance(value, Unknown):
        raise Undetermined
    return value
