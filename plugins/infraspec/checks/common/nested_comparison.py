"""What the source has in nested blocks, or in a JSON document, beside what AWS has: field by field.

Which entries of a list are the same one, which lists have an order, what AWS fills in where nothing is set, and which
values may hold secrets is said by the catalogue (`NestedFields`). Every other field is compared too, known or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from infraspec.checks.common.live_comparison import WITHHELD, Difference, same
from infraspec.core.json_text import decode_json
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, is_known, render
from infraspec.resource_types import NestedFields

_OPEN = "${"
"""The beginning of a key that stands for members that are there or not."""


def nested_differences(name: str, expected: Value, found: Value, fields: NestedFields) -> Iterator[Difference]:
    """Yield each field of an attribute that AWS does not certainly have as the source says, by its dotted place.

    Neither value of a field that may hold a secret is in what is yielded.
    """
    wanted, there = (_normal(_tree(value), "", fields) for value in (expected, found))
    wanted, there = (None if _is_empty(one) else one for one in (wanted, there))
    yield from _compared(name, "", wanted, there, fields)


def _tree(value: Value) -> Value:
    if not isinstance(value, str | Text | JsonText):
        return value
    try:
        tree = decode_json(value)
    except ValueError:
        return value
    return value if isinstance(tree, Unknown) else tree


def _normal(value: Value, path: str, fields: NestedFields) -> Value:
    """Return a value without what is empty or as AWS fills it in; entries that have a name by that name."""
    match value:
        case Mapping() if not path and _is_off(value, fields):
            return {}
        case Mapping():
            pairs = ((key, _normal(item, _joined(path, key), fields)) for key, item in value.items())
            kept = {key: item for key, item in pairs if not _is_default(_joined(path, key), item, fields)}
            return {key: item for key, item in kept.items() if not _repeats(_joined(path, key), item, kept, fields)}
        case list() | tuple():
            return _list([_normal(item, path, fields) for item in value], path, fields)
        case _:
            return value


def _is_off(value: Mapping[str, Value], fields: NestedFields) -> bool:
    return bool(fields.switch) and same("false", value.get(fields.switch) or "false") is Truth.YES


class _Entries(dict[str, Value]):
    """The entries of a list by what tells them apart."""


def _list(items: Sequence[Value], path: str, fields: NestedFields) -> Value:
    names = fields.names.get(path)
    if names is None:
        is_block = len(items) == 1 and isinstance(items[0], Mapping) and path not in fields.ordered
        return items[0] if is_block else list(items)
    found = _Entries()
    for item in items:
        parts = [item.get(name) for name in names] if isinstance(item, Mapping) else [Unknown(path)]
        key = " ".join(render(part) for part in parts if part is not None)
        if not all(map(is_known, parts)) or key in found:
            return list(items)
        found[key] = item
    return found


def _is_default(path: str, value: Value, fields: NestedFields) -> bool:
    if _is_empty(value) or path in fields.ignored:
        return True
    return path in fields.defaults and same(fields.defaults[path], value) is Truth.YES


def _is_empty(value: Value) -> bool:
    return value is None or value == "" or (isinstance(value, Mapping | list | tuple) and not value)


def _repeats(path: str, value: Value, beside: Mapping[str, Value], fields: NestedFields) -> bool:
    """Tell whether a field says no more than the one beside it that AWS fills it in from."""
    other = fields.repeats.get(path)
    return other is not None and other in beside and same(beside[other], value) is Truth.YES


def _compared(shown: str, path: str, expected: Value, found: Value, fields: NestedFields) -> Iterator[Difference]:
    if isinstance(expected, _Entries) and found is None:
        found = _Entries()
    elif isinstance(found, _Entries) and expected is None:
        expected = _Entries()
    elif isinstance(expected, _Entries) is not isinstance(found, _Entries):
        expected, found = (list(one.values()) if isinstance(one, _Entries) else one for one in (expected, found))
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        yield from _members(shown, path, expected, found, fields)
        return
    answer = _same(path, expected, found, fields)
    if answer is not Truth.YES:
        difference = Difference(shown, expected, found, answer)
        yield Difference(shown, _shown(path, expected, fields), _shown(path, difference.shown, fields), answer)


def _members(
    shown: str, path: str, expected: Mapping[str, Value], found: Mapping[str, Value], fields: NestedFields
) -> Iterator[Difference]:
    is_named = isinstance(expected, _Entries)
    is_open = any(key.startswith(_OPEN) for key in expected)
    for key in (key for key in dict.fromkeys((*expected, *found)) if not key.startswith(_OPEN)):
        below = path if is_named else _joined(path, key)
        if fields.only_set and key not in expected and below not in fields.defaults:
            continue
        for one in _compared(f"{shown}.{key}", below, expected.get(key), found.get(key), fields):
            doubtful = is_open and key not in expected
            yield Difference(one.attribute, one.expected, one.found, Truth.MAYBE) if doubtful else one


def _same(path: str, expected: Value, found: Value, fields: NestedFields) -> Truth:
    if isinstance(expected, Sensitive):
        value = expected.reveal()
        return _same(path, value, found, fields) if is_known(value) else Truth.MAYBE
    if path in fields.ordered and isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return Truth.NO
        return all_of(*(same(*pair) for pair in zip(expected, found, strict=True)))
    if expected is None and found is None:
        return Truth.YES
    if expected is None or found is None:
        return Truth.MAYBE if isinstance(expected, Unknown) or isinstance(found, Unknown) else Truth.NO
    return same(expected, found)


def _shown(path: str, value: Value, fields: NestedFields) -> Value:
    """Return what a message has of a value: of an entry what tells it, of what may be a secret nothing."""
    if value is None or (isinstance(value, Unknown) and not isinstance(value, Sensitive)):
        return value
    if isinstance(value, Sensitive) or _is_hidden(path, fields):
        return WITHHELD
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return f"{len(value)} entries"
    if not isinstance(value, Mapping):
        return value
    told = [
        f"{key} {render(item)}"
        for key, item in value.items()
        if not isinstance(item, Mapping | list | tuple | Sensitive) and not _is_hidden(_joined(path, key), fields)
    ]
    return ", ".join(told) or WITHHELD


def _is_hidden(path: str, fields: NestedFields) -> bool:
    return any(not one or f"{path}.".startswith(f"{one}.") for one in fields.hidden) and not any(
        fnmatchcase(path, one) for one in fields.shown
    )


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
