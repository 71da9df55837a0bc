"""Functions of lists, tuples and sets.

Source: Terraform Language, "Functions": `concat`, `compact` and the like leave out or add no text that an argument has.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from infraspec.core.errors import EvaluationError
from infraspec.core.limits import BUDGET, ROUND
from infraspec.core.unknown import OpenList, Text, Unknown, Value, is_known
from infraspec.terraform.language.conversions import to_bool
from infraspec.terraform.language.functions.parameters import (
    boolean,
    clusters,
    collection,
    function,
    integer,
    known_text,
    known_texts,
    mapping,
    nullable,
    number,
    pairs,
    present,
    sequence,
    text,
    texts,
)
from infraspec.terraform.language.operators import all_of, equality
from infraspec.terraform.language.partial_values import Undetermined, is_never_empty, is_scalar
from infraspec.terraform.language.types import unified
from infraspec.terraform.language.values import ListValue, MapValue, SetValue, is_indefinite, type_name

_KEEPING = frozenset({"concat", "distinct", "flatten", "reverse", "setunion", "sort", "tolist", "toset"})
"""The functions whose result has each text of each argument."""


def certain_elements(name: str, arguments: Sequence[Value]) -> Iterator[Value]:
    """Yield text that the result of a function certainly has, known or not; nothing of another function."""
    if name not in _KEEPING and name != "compact":
        return
    for argument in arguments:
        for item in _items(name, argument):
            if _is_text(item) and (name in _KEEPING or _is_kept(item)):
                yield item


def _items(name: str, argument: Value) -> Iterator[Value]:
    items = argument.items if isinstance(argument, OpenList) else argument if isinstance(argument, list) else ()
    for item in items:
        if name == "flatten" and isinstance(item, (list, OpenList)):
            yield from _items(name, item)
        else:
            yield item


def _is_text(item: Value) -> bool:
    """Tell whether an element is text: an unknown one that may be a list is none, and flatten would take it apart."""
    return isinstance(item, (str, Text)) or is_never_empty(item)


def _is_kept(item: Value) -> bool:
    return item != "" and (isinstance(item, str) or is_never_empty(item))


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
    """Return the value of a key, or the default, which has to be of the type of a map's elements either way."""
    is_map = isinstance(value, MapValue) and bool(value)
    if key in value:
        with suppress(Undetermined):
            _ = is_map and default and _as_element(default[0], value)
        return value[key]
    if not default:
        raise EvaluationError(f'the given map has no element with key "{key}"', remedy="give a default")
    return _as_element(default[0], value) if is_map else default[0]


def _as_element(default: Value, value: dict[str, Value]) -> Value:
    """Convert a default to the type of a map's elements, where that is a primitive one."""
    if default is None:
        return default
    kinds = {type_name(item) for item in value.values() if item is not None and not isinstance(item, Unknown)}
    is_collection = isinstance(default, (dict, list))
    if not (kinds or is_collection or (isinstance(default, str) and _NO_NUMBER.fullmatch(default))):
        raise Undetermined
    kind = kinds.pop() if len(kinds) == 1 else ""
    if kind in _CONVERSIONS and not is_collection:
        return _CONVERSIONS[kind](default)
    if not kind or (is_collection and kind not in _CONVERSIONS):
        return default
    if isinstance(default, Unknown):
        raise Undetermined
    raise EvaluationError("the default is of another type than the elements", expected=kind, found=type_name(default))


_CONVERSIONS = {"string": text, "number": number, "bool": boolean}
_NO_NUMBER = re.compile(r"(?!(?:true|false)\Z)[^\d.+-].*|", re.DOTALL)
"""Text that stays text in a map of any type, for it is neither a number nor a bool."""


@function("merge", rest=nullable, structural=True)
def merge(*maps: Value) -> dict[str, Value]:
    """Return the entries of all maps; of one key, that of the last. Null counts as an empty map.

    So does, behind null, a list that is empty; a set of text there is a map of each to itself.
    """
    objects = [
        mapping(_entries(value) if None in maps[:at] else value) for at, value in enumerate(maps) if value is not None
    ]
    merged = {key: item for value in objects for key, item in value.items()}
    return MapValue(merged) if objects and _are_of_one_type(objects) else merged


def _entries(value: Value) -> Value:
    if isinstance(value, SetValue) and all(isinstance(item, str) for item in value):
        return {item: item for item in known_texts(value)}
    return {} if value == [] else value


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
    if size < 0:
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
    given = [value for value in values if value is not None]
    try:
        values = tuple(unified(given))
    except EvaluationError:
        if any(isinstance(each, dict) and None in each.values() for each in given):  # null leaves the type open
            raise Undetermined from None
        raise
    for position, value in enumerate(values):
        last = position == len(values) - 1
        if isinstance(value, (Unknown, Text)) and not last and not is_never_empty(value):
            raise Undetermined
        if value != "":
            return value
    raise EvaluationError("no non-null, non-empty-string arguments")


@function("coalescelist", nullable, rest=nullable, structural=True)
def coalesce_list(*lists: Value) -> list[Value]:
    """Return the first list that is not empty.

    Terraform refuses a null without a type, and passes over one of a list: which of them a null is, is not known here.
    It refuses nulls alone.
    """
    if None in lists and any(values is not None for values in lists):
        raise Undetermined
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
    BUDGET.spend(count * (ROUND + len(lists)))
    items = [list(combination) for combination in itertools.product(*map(unified, lists))]
    return SetValue.of(items) if any(isinstance(values, SetValue) for values in lists) else ListValue(items)
