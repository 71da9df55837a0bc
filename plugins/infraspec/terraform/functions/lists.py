"""Functions of lists, tuples and sets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from infraspec.errors import EvaluationError, LimitError
from infraspec.terraform.conversions import to_bool
from infraspec.terraform.equality import all_of, equality
from infraspec.terraform.functions.characters import clusters
from infraspec.terraform.functions.parameters import collection, integer, nullable, present, sequence, texts
from infraspec.terraform.functions.registry import function
from infraspec.terraform.scalars import is_never_empty, is_scalar
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.unification import unified
from infraspec.terraform.values import ListValue, SetValue, is_indefinite, type_name
from infraspec.unknown import Text, Unknown, Value, is_known

_MOST_COMBINATIONS = 100_000


@function("length", present, structural=True)
def length(value: Value) -> int:
    """Count elements, entries, or user-perceived characters."""
    if isinstance(value, (list, dict)):
        return len(value)
    if isinstance(value, str):
        return len(clusters(value))
    if isinstance(value, (Unknown, Text)):
        raise Undetermined
    raise EvaluationError("argument must be a string, a collection type, or a structural type", found=type_name(value))


@function("element", sequence, integer, structural=True)
def element(values: list[Value], index: int) -> Value:
    """Return the element at an index, which wraps around in both directions."""
    if not values:
        raise EvaluationError("cannot use element function with an empty list", expected="at least one element")
    return values[index % len(values)]


@function("index", sequence, present, structural=True)
def index_of(values: list[Value], value: Value) -> int:
    """Return the index of the first element that equals a value."""
    for position, item in enumerate(values):
        verdict = equality(item, value)
        if verdict is None:
            raise Undetermined
        if verdict:
            return position
    raise EvaluationError("item not found", expected="an element of the list")


@function("contains", collection, present, structural=True, sets=True)
def contains(values: list[Value], value: Value) -> bool:
    """Tell whether an element equals a value."""
    verdicts = [equality(item, value) for item in values]
    return _decided(any_of(verdicts))


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Return the disjunction of three-valued verdicts."""
    opposite = all_of(None if verdict is None else not verdict for verdict in verdicts)
    return None if opposite is None else not opposite


def _decided(verdict: bool | None) -> bool:  # noqa: FBT001 - a verdict of three values
    if verdict is None:
        raise Undetermined
    return verdict


@function("alltrue", collection, structural=True, sets=True)
def all_true(values: list[Value]) -> bool:
    """Tell whether every element is true."""
    return _decided(all_of(_verdicts(values)))


@function("anytrue", collection, structural=True, sets=True)
def any_true(values: list[Value]) -> bool:
    """Tell whether an element is true."""
    return _decided(any_of(_verdicts(values)))


def _verdicts(values: list[Value]) -> list[bool | None]:
    converted = [False if value is None else to_bool(value) for value in values]
    return [None if isinstance(value, Unknown) else value for value in converted]


@function("concat", sequence, rest=sequence, structural=True)
def concat(*lists: list[Value]) -> list[Value]:
    """Return the elements of all lists: as a list if all of them are, converted to one type if there is one."""
    items = list(itertools.chain.from_iterable(lists))
    if not all(isinstance(values, ListValue) for values in lists):
        return items
    try:
        return ListValue(unified(items))
    except EvaluationError:
        return items


@function("flatten", collection, structural=True)
def flatten(values: list[Value]) -> list[Value]:
    """Return the elements of nested lists, tuples and sets; Undetermined if an unknown element may be a list."""
    return list(_flattened(values))


def _flattened(values: list[Value]) -> Iterator[Value]:
    if is_indefinite(values):
        raise Undetermined
    for item in values:
        if isinstance(item, list):
            yield from _flattened(item)
        elif isinstance(item, Unknown) and not is_scalar(item):
            raise Undetermined
        else:
            yield item


@function("reverse", collection, structural=True)
def backwards(values: list[Value]) -> list[Value]:
    """Return the elements in reverse order."""
    items = values[::-1]
    return ListValue(items) if isinstance(values, (ListValue, SetValue)) else list(items)


@function("slice", sequence, integer, integer, structural=True)
def part(values: list[Value], start: int, end: int) -> list[Value]:
    """Return the elements from a start index to before an end index."""
    if not 0 <= start <= end <= len(values):
        expected = f"0 <= start <= end <= {len(values)}"
        raise EvaluationError("the indices do not fit the list", expected=expected, found=f"{start} and {end}")
    return type(values)(values[start:end])


@function("chunklist", collection, integer, structural=True)
def chunks(values: list[Value], size: int) -> ListValue:
    """Split into lists of a size; of size 0, into one."""
    if size < 0 and values:
        raise EvaluationError("the size must not be negative", found=str(size))
    items = unified(values)
    step = size or max(len(items), 1)
    return ListValue(ListValue(items[start : start + step]) for start in range(0, len(items), step))


@function("sort", texts, structural=True)
def ordered(values: list[Value]) -> ListValue:
    """Sort text by code point."""
    if None in values:
        raise EvaluationError("an element is null", expected="text", found="null")
    if len(values) > 1 and not is_known(values):
        raise Undetermined
    return ListValue(sorted(values) if len(values) > 1 else values)


@function("compact", texts, structural=True)
def compact(values: list[Value]) -> ListValue:
    """Remove null and empty elements; Undetermined if an unknown one may be empty."""
    if any(not isinstance(value, (str, type(None))) and not is_never_empty(value) for value in values):
        raise Undetermined
    return ListValue(value for value in values if value not in (None, ""))


@function("distinct", collection, structural=True)
def distinct(values: list[Value]) -> ListValue:
    """Remove the elements that equal an earlier one."""
    kept: list[Value] = []
    for item in unified(values):
        if not _decided(any_of([equality(item, other) for other in kept])):
            kept.append(item)
    return ListValue(kept)


@function("one", collection, structural=True)
def only(values: list[Value]) -> Value:
    """Return the only element, or null of none."""
    if len(values) > 1:
        raise EvaluationError(
            "must be a list, set, or tuple value with either zero or one elements", found=str(len(values))
        )
    return values[0] if values else None


@function("coalesce", nullable, rest=nullable, structural=True)
def coalesce(*values: Value) -> Value:
    """Return the first value that is neither null nor empty text, converted to the common type."""
    values = tuple(unified([value for value in values if value is not None]))
    for position, value in enumerate(values):
        last = position == len(values) - 1
        if isinstance(value, (Unknown, Text)) and not last and not is_never_empty(value):
            raise Undetermined
        if value != "":
            return value
    raise EvaluationError("no non-null, non-empty-string arguments")


@function("coalescelist", nullable, rest=nullable, structural=True)
def coalesce_list(*lists: Value) -> list[Value]:
    """Return the first list that is not empty."""
    checked = [values if isinstance(values, Unknown) else sequence(values) for values in lists]
    for values in checked:
        if isinstance(values, Unknown):
            raise Undetermined
        if values:
            return values
    raise EvaluationError("no non-null arguments", expected="a list that is not empty")


@function("matchkeys", collection, collection, collection, structural=True)
def match_keys(values: list[Value], keys: list[Value], wanted: list[Value]) -> ListValue:
    """Return the values of which the key at the same position is among the wanted ones."""
    if len(values) != len(keys):
        raise EvaluationError("length of keys and values should be equal", found=f"{len(keys)} and {len(values)}")
    together = unified([*keys, *wanted])
    keys, wanted = together[: len(keys)], together[len(keys) :]
    pairs = zip(unified(values), keys, strict=True)
    return ListValue(value for value, key in pairs if _decided(any_of([equality(key, item) for item in wanted])))


@function("setproduct", collection, collection, rest=collection, structural=True)
def combinations(*lists: list[Value]) -> list[Value]:
    """Return every combination of elements; a set if an argument is one."""
    count = 1
    for values in lists:
        count *= len(values)
    if count > _MOST_COMBINATIONS:
        raise LimitError(
            "setproduct makes too many combinations", expected=f"at most {_MOST_COMBINATIONS}", found=str(count)
        )
    items = [list(combination) for combination in itertools.product(*map(unified, lists))]
    return SetValue.of(items) if any(isinstance(values, SetValue) for values in lists) else ListValue(items)
