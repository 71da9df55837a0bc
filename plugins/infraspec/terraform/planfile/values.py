"""The values of one resource, decoded on first access: unknown parts as Unknown, secrets as Sensitive.

Terraform writes values, what is unknown of them and what is sensitive of them as three trees of the same shape
("JSON Output Format": `after`, `after_unknown`, `after_sensitive`). Here they become one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import Raw

from infraspec.core.errors import PlanError
from infraspec.core.unknown import Cause, Sensitive, Unknown, Value
from infraspec.terraform.plan import data_cause
from infraspec.terraform.planfile.records import ABSENT, REMEDY
from infraspec.terraform.provider.masking import hide, mask, step

_LARGEST_EXPONENT = 400


class LazyValues(Mapping[str, Value]):
    """Values that are built when the first of them is asked for, and once."""

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], dict[str, Value]]) -> None:
        self._build: Callable[[], dict[str, Value]] | None = build
        self._built: dict[str, Value] = {}

    @property
    def built(self) -> bool:
        """Tell whether the values were built yet."""
        return self._build is None

    def _values(self) -> dict[str, Value]:
        if self._build is not None:
            self._built = self._build()
            self._build = None
        return self._built

    def __getitem__(self, attribute: str) -> Value:
        return self._values()[attribute]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __contains__(self, attribute: object) -> bool:
        return attribute in self._values()

    def __repr__(self) -> str:
        return repr(self._values())

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (self._values(),)


class ValueTexts(NamedTuple):
    """The undecoded text of a resource's values, and of the trees that mark what of them is unknown and sensitive."""

    values: Raw
    unknown: Raw = ABSENT
    sensitive: tuple[Raw, ...] = ()


def lazy_values(address: str, type_: str, texts: ValueTexts, marks: Value = None) -> LazyValues:
    """Return the values of a resource instance, to be decoded on first access.

    `marks` is a further tree that is true where a value is sensitive. The access raises PlanError if the text turns
    out not to be a JSON object.
    """
    return LazyValues(partial(_build, address, type_, texts, marks))


def decode(raw: Raw, place: str) -> Value:
    """Decode the text of a value; None where there is none. Integral numbers are int."""
    if not bytes(raw):
        return None
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise PlanError("a value is not valid JSON", place=place, remedy=REMEDY) from None


def merge_unknown(value: Value, unknown: Value, address: str, cause: Cause | None = None) -> Value:
    """Put Unknown, named by its place, wherever `unknown` is true; `cause` is why, if that is not the apply.

    Where the value lacks the list or map that an unknown part lies in, it is made.
    """
    if unknown is True:
        return Unknown(address, cause)
    if isinstance(unknown, dict) and has_true(unknown):
        merged = dict(value) if isinstance(value, dict) else {}
        for key, part in unknown.items():
            if has_true(part):
                merged[key] = merge_unknown(merged.get(key), part, step(address, key), cause)
        return merged
    if isinstance(unknown, list) and has_true(unknown):
        items = list(value) if isinstance(value, list) else []
        items += [None] * (len(unknown) - len(items))
        for index, part in enumerate(unknown):
            items[index] = merge_unknown(items[index], part, step(address, index), cause)
        return items
    return value


def hide_marked(value: Value, marks: Value, address: str) -> Value:
    """Put Sensitive wherever `marks` is true; what lies there is not kept.

    A list may be marked by a list or by index. Where marks do not fit a value, all of it is hidden.
    """
    if marks is True:
        return Sensitive(address) if isinstance(value, Unknown) else hide(value, address)
    if not has_true(marks) or value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, dict) and isinstance(marks, dict):
        return {
            key: hide_marked(item, marks[key], step(address, key)) if key in marks else item
            for key, item in value.items()
        }
    if isinstance(value, list) and isinstance(marks, (list, dict)):
        by_index = marks if isinstance(marks, dict) else dict(enumerate(marks))
        marked = [key for key, mark in by_index.items() if has_true(mark)]
        if all(key in range(len(value)) for key in marked):
            return [hide_marked(item, by_index.get(i, False), step(address, i)) for i, item in enumerate(value)]
    return hide(value, address)


def _build(address: str, type_: str, texts: ValueTexts, marks: Value) -> dict[str, Value]:
    values = decode(texts.values, address)
    if b"true" in bytes(texts.unknown):
        values = _with_unknowns(values, decode(texts.unknown, address), address, type_)
    marked = [decode(text, address) for text in texts.sensitive if b"true" in bytes(text)]
    for tree in (*marked, marks):
        is_all = tree is True and isinstance(values, dict)  # then every attribute is marked
        values = hide_marked(values, dict.fromkeys(values, True) if is_all else tree, address)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise PlanError("the values of a resource are not an object", place=address, remedy=REMEDY)
    return mask(type_, address, values)


def _with_unknowns(values: Value, unknown: Value, address: str, type_: str) -> Value:
    """Put in the unknown parts; those of a data source are unknown because it was not read."""
    if not isinstance(unknown, dict) or f"data.{type_}." not in address:
        return merge_unknown(values, unknown, address)
    known = values if isinstance(values, dict) else {}
    return known | {
        name: merge_unknown(known.get(name), part, step(address, name), data_cause(address, type_, name))
        for name, part in unknown.items()
        if has_true(part)
    }


def has_true(tree: Value) -> bool:
    """Tell whether anything in a tree of marks is true."""
    if isinstance(tree, dict):
        return any(map(has_true, tree.values()))
    if isinstance(tree, list):
        return any(map(has_true, tree))
    return tree is True


def _number(text: str) -> int | float:
    """Read a number with fraction or exponent: `30.0` is the integer 30, as Terraform knows one kind of number."""
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("number out of range")
    return int(number) if number == number.to_integral_value() else float(number)


_DECODER = msgspec.json.Decoder(float_hook=_number)
