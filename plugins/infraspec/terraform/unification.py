"""One type for several values, as a list, set or map of them needs.

Source: Terraform Language, "Type Constraints" (Conversion of Complex Types). `[1, "a"]` becomes `["1", "a"]`; objects
of the same attributes are unified attribute by attribute, others as maps; tuples of the same length element by element.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from infraspec.errors import EvaluationError
from infraspec.terraform.conversions import to_text
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import ListValue, SetValue, is_indefinite, type_name, with_items
from infraspec.unknown import Unknown, Value

_PRIMITIVE = frozenset({"string", "number", "bool"})


def unified(items: Sequence[Value]) -> list[Value]:
    """Return the items converted to one type.

    Raises EvaluationError if there is none, Undetermined if it depends on a value that is not known.
    """
    kinds = {_kind(item) for item in items if item is not None}
    known = kinds - {"unknown"}
    if known <= _PRIMITIVE:
        return _unified_primitives(items, known, uncertain="unknown" in kinds)
    if len(known) > 1:
        raise _no_common_type(known)
    if "unknown" in kinds and any(_is_convertible(item) for item in items):
        raise Undetermined
    return _unified_objects(items) if known == {"object"} else _unified_sequences(items)


def _kind(value: Value) -> str:
    match value:
        case Unknown():
            return "unknown"
        case dict():
            return "object"
        case list():
            return "list"
        case _:
            return type_name(value)


def _no_common_type(kinds: set[str]) -> EvaluationError:
    found = " and ".join(sorted(kinds))
    return EvaluationError("elements have no common type", expected="elements of one type", found=found)


def _is_convertible(value: Value) -> bool:
    """Tell whether the value holds a number or bool, which an unknown text beside it would turn to text."""
    if isinstance(value, dict):
        return any(map(_is_convertible, value.values()))
    if isinstance(value, list):
        return any(map(_is_convertible, value))
    return isinstance(value, (bool, int, float))


def _unified_primitives(items: Sequence[Value], known: set[str], *, uncertain: bool) -> list[Value]:
    if "string" in known:
        return [None if item is None else to_text(item) for item in items]
    if known and uncertain:
        raise Undetermined
    if len(known) > 1:
        raise _no_common_type(known)
    return list(items)


def _unified_objects(items: Sequence[Value]) -> list[Value]:
    objects = [item for item in items if isinstance(item, dict)]
    if all(item.keys() == objects[0].keys() for item in objects):
        columns = {key: iter(unified([item[key] for item in objects])) for key in objects[0]}
        return [_rebuilt(item, lambda key: columns[key]) for item in items]
    values = iter(unified([value for item in objects for value in item.values()]))
    return [_rebuilt(item, lambda _: values) for item in items]


def _rebuilt(item: Value, source: Callable[[str], Iterator[Value]]) -> Value:
    return with_items(item, ((key, next(source(key))) for key in item)) if isinstance(item, dict) else item


def _unified_sequences(items: Sequence[Value]) -> list[Value]:
    if any(map(is_indefinite, items)):
        raise Undetermined
    lists = [item for item in items if isinstance(item, list)]
    if all(type(item) is list and len(item) == len(lists[0]) for item in lists):
        rows = iter(zip(*[unified(column) for column in zip(*lists, strict=True)], strict=True))
        return [_row(item, rows) for item in items]
    values = iter(unified([value for item in lists for value in item]))
    return [_taken(item, values, _kind_of_all(lists)) for item in items]


def _kind_of_all(lists: Sequence[list[Value]]) -> Callable[[list[Value]], list[Value]]:
    """Return what makes the common type: a list if one of them is, a set of sets and tuples, else a plain list."""
    if any(isinstance(item, ListValue) for item in lists):
        return ListValue
    return SetValue.of if any(isinstance(item, SetValue) for item in lists) else list


def _row(item: Value, rows: Iterator[tuple[Value, ...]]) -> Value:
    return list(next(rows, ())) if isinstance(item, list) else item


def _taken(item: Value, values: Iterator[Value], kind: Callable[[list[Value]], list[Value]]) -> Value:
    return kind([next(values) for _ in item]) if isinstance(item, list) else item
