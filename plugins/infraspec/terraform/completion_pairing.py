"""Which element of a planned list is which element of the source's.

A plan does not say whether a list is one or a set, whose order may differ between plan and source. So elements are
paired by what is known of them, and not at all where that leaves a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infraspec.unknown import Text, Unknown, Value, is_known

_MOST = 200
"""Longest lists whose elements are compared each with each."""


def pair(planned: Sequence[Value], source: Sequence[Value]) -> list[int] | None:
    """Return for each planned element the index of its source element; None if that cannot be told.

    In their own order if nothing known contradicts that; else by the one order in which nothing does.
    """
    if len(planned) != len(source):
        return None
    if all(map(_covers, source, planned)):
        return list(range(len(planned)))
    if len(planned) > _MOST:
        return None
    return _only_order(planned, source, _covers) or _only_order(planned, source, _may_equal)


def _only_order(
    planned: Sequence[Value], source: Sequence[Value], agrees: Callable[[Value, Value], bool]
) -> list[int] | None:
    """Return the one order in which the elements agree, found by settling those with one candidate left.

    Elements of which nothing is known come last, in order: any order of them is the same set.
    """
    candidates = {
        place: {index for index, other in enumerate(source) if agrees(other, element)}
        for place, element in enumerate(planned)
        if not isinstance(element, Unknown)
    }
    order: dict[int, int] = {}
    while candidates:
        place = min(candidates, key=lambda key: len(candidates[key]))
        left = candidates.pop(place)
        if len(left) != 1:
            return None
        order[place] = next(iter(left))
        for others in candidates.values():
            others.difference_update(left)
    rest = iter(sorted(set(range(len(source))) - set(order.values())))
    return [order[place] if place in order else next(rest) for place in range(len(planned))]


def _covers(source: Value, planned: Value) -> bool:
    """Tell whether the source has every known part of a planned value, and just so."""
    return _agree(source, planned, lambda known, other: bool(known == other) and is_known(other))


def _may_equal(source: Value, planned: Value) -> bool:
    """Tell whether nothing known of the source contradicts a planned value."""
    return _agree(source, planned, lambda known, other: isinstance(other, (Unknown, Text)) or bool(known == other))


def _agree(source: Value, planned: Value, leaf: Callable[[Value, Value], bool]) -> bool:
    if isinstance(planned, Unknown):
        return True
    if isinstance(planned, dict) and isinstance(source, dict):
        return all(_agree(source[key], item, leaf) for key, item in planned.items() if key in source)
    if isinstance(planned, list) and isinstance(source, list) and len(planned) == len(source):
        return all(_agree(other, item, leaf) for item, other in zip(planned, source, strict=True))
    return leaf(planned, source)
