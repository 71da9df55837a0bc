"""Functions of sets. A set may hold unknown elements; which of them are equal to others is then not known."""

from __future__ import annotations

from collections.abc import Sequence

from infraspec.terraform.equality import equality
from infraspec.terraform.functions.parameters import collection
from infraspec.terraform.functions.registry import function
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.unification import unified
from infraspec.terraform.values import SetValue
from infraspec.unknown import Value


def _alike(lists: Sequence[list[Value]]) -> list[list[Value]]:
    """Convert the elements of all lists to one type."""
    items = iter(unified([item for values in lists for item in values]))
    return [[next(items) for _ in values] for values in lists]


def _holds(values: list[Value], item: Value) -> bool:
    """Tell whether an element equals the item; Undetermined if it is not known."""
    verdicts = [equality(item, other) for other in values]
    if True in verdicts:
        return True
    if None in verdicts:
        raise Undetermined
    return False


@function("setunion", collection, rest=collection, structural=True, sets=True)
def union(*lists: list[Value]) -> SetValue:
    """Return the elements of any of the sets."""
    return SetValue.of(item for values in _alike(lists) for item in values)


@function("setintersection", collection, rest=collection, structural=True, sets=True)
def intersection(*lists: list[Value]) -> SetValue:
    """Return the elements of all of the sets."""
    first, *others = _alike(lists)
    return SetValue.of(item for item in first if all(_holds(values, item) for values in others))


@function("setsubtract", collection, collection, structural=True, sets=True)
def difference(values: list[Value], removed: list[Value]) -> SetValue:
    """Return the elements of the first set that are not in the second."""
    values, removed = _alike([values, removed])
    return SetValue.of(item for item in values if not _holds(removed, item))


@function("setsymmetricdifference", collection, rest=collection, structural=True, sets=True)
def symmetric_difference(*lists: list[Value]) -> SetValue:
    """Return the elements of an odd number of the sets."""
    first, *others = _alike(lists)
    result = SetValue.of(first)
    for values in others:
        only_left = [item for item in result if not _holds(values, item)]
        only_right = [item for item in values if not _holds(result, item)]
        result = SetValue.of([*only_left, *only_right])
    return result
