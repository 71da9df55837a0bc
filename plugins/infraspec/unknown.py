"""Values that are not known before apply, text that holds one, and values that must not be shown.

A value of the Terraform language is None, bool, int, float, str, list or dict of such values, or one of the classes
here. They compare by what they name: the same unknown on both sides is equal to itself, and to nothing else.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A value of the Terraform language: JSON-like, with Unknown, Text, JsonText and Sensitive in any place."""


class Unknown:
    """A value known only after apply, named by its Terraform address and attribute.

    `address` is such as `module.db.aws_db_instance.this[0].endpoint`, `var.image_tag`, or a function that could not
    be computed: `uuid()`, `upper(aws_kms_key.main.arn)`.
    """

    __slots__ = ("address",)

    def __init__(self, address: str) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"<{self.address}>"

    def __str__(self) -> str:
        return f"${{{self.address}}}"


class Sensitive(Unknown):
    """A value that is known but must not be shown, named by where it comes from.

    Everything that does not deal with sensitivity treats it as unknown, so it cannot reach a message, a repr or a
    report. `reveal` gives the value to the evaluator alone, which marks what it computes from it.
    """

    __slots__ = ("_value",)

    def __init__(self, address: str, value: Value = None) -> None:
        super().__init__(address)
        self._value = value

    def reveal(self) -> Value:
        """Return the value itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare what is hidden too: what is computed from a sensitive value is named after it."""
        return isinstance(other, Sensitive) and other.address == self.address and bool(other._value == self._value)

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"<{self.address} (sensitive)>"

    def __str__(self) -> str:
        return "(sensitive value)"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.address,)


class OpenList(Unknown):
    """A list, set or tuple that certainly has some texts, `items`, in any order and perhaps among others.

    Everything that does not look for `items` treats it as unknown. No item holds anything sensitive.
    """

    __slots__ = ("items",)

    def __init__(self, address: str, items: Iterable[Value]) -> None:
        super().__init__(address)
        self.items = tuple(item for item in items if _is_shown(item))

    @property
    def entries(self) -> tuple[Value, ...]:
        """What certainly is in it, and an unknown that stands for all that may be."""
        return (*self.items, Unknown(self.address))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.address, self.items)


def _is_shown(item: Value) -> bool:
    return isinstance(item, str | Text | Unknown) and not any(isinstance(part, Sensitive) for part in unknowns(item))


def shows(value: Value) -> bool:
    """Tell whether anything of a value is known, which an Unknown as a whole hides unless it is an OpenList."""
    return not isinstance(value, Unknown) or isinstance(value, OpenList)


def opened(unknown: Unknown, items: Iterable[Value]) -> Unknown:
    """Return a list that is unknown, with what it certainly has."""
    found = OpenList(unknown.address, items)
    return found if found.items else unknown


class Text:
    """Text with unknown parts: `parts` alternates str and Unknown, and holds at least one Unknown."""

    __slots__ = ("__dict__", "_parts")

    def __init__(self, parts: tuple[str | Unknown, ...]) -> None:
        self._parts = parts

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The parts in order; no two neighbours are both str."""
        return self._parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


class JsonText(Text):
    """The JSON text of a tree that holds unknowns; the tree is kept."""

    __slots__ = ("tree",)

    def __init__(self, tree: Value) -> None:
        super().__init__(())
        self.tree = tree

    @cached_property
    def _encoded(self) -> tuple[str | Unknown, ...]:
        return tuple(_merge(_json_parts(self.tree)))

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The encoded text, unknown leaves standing in it as they are."""
        return self._encoded


def composed(text: str) -> str:
    """Bring text to Unicode's form NFC, in which Terraform keeps every text."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def concatenate(parts: Iterable[str | Unknown | Text]) -> str | Text:
    """Join known and unknown pieces of text; the result is str if all of it is known.

    A lone JsonText stays one, so that its tree can still be decoded.
    """
    pieces = [part for part in parts if part != ""]
    if len(pieces) == 1 and isinstance(pieces[0], Text):
        return pieces[0]
    merged = tuple(_merge(_flatten(pieces)))
    if not merged:
        return ""
    if len(merged) == 1 and isinstance(merged[0], str):
        return composed(merged[0])
    return Text(merged)


def unknowns(value: Value) -> Iterator[Unknown]:
    """Yield every Unknown (Sensitive too) in a value, in order, with repetitions."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, JsonText):
        yield from unknowns(value.tree)
    elif isinstance(value, Text):
        for part in value.parts:
            if isinstance(part, Unknown):
                yield part
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from unknowns(item)


def is_known(value: Value) -> bool:
    """Tell whether nothing in the value is unknown or sensitive."""
    return next(unknowns(value), None) is None


def render(value: Value) -> str:
    """Write a value for a message: text as it is, `${address}` for an unknown, JSON for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, (Unknown, Text)):
        return str(value)
    return str(concatenate(_json_parts(value)))


def _flatten(parts: Iterable[str | Unknown | Text]) -> Iterator[str | Unknown]:
    for part in parts:
        if isinstance(part, Text):
            yield from part.parts
        else:
            yield part


def _merge(parts: Iterable[str | Unknown]) -> Iterator[str | Unknown]:
    pending: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pending.append(part)
            continue
        if pending:
            yield "".join(pending)
            pending = []
        yield part
    if pending:
        yield "".join(pending)


def _json_parts(tree: Value) -> Iterator[str | Unknown]:
    """Encode as Terraform's jsonencode: no blanks, keys sorted, `<`, `>` and `&` escaped."""
    if isinstance(tree, dict):
        for position, key in enumerate(sorted(tree, key=str)):
            yield ("{" if position == 0 else ",") + encode_json(str(key)) + ":"
            yield from _json_parts(tree[key])
        yield "}" if tree else "{}"
    elif isinstance(tree, (list, tuple)):
        for position, item in enumerate(tree):
            yield "[" if position == 0 else ","
            yield from _json_parts(item)
        yield "]" if tree else "[]"
    elif isinstance(tree, JsonText | Text):
        yield '"'
        for part in tree.parts:
            yield encode_json(part)[1:-1] if isinstance(part, str) else part
        yield '"'
    elif isinstance(tree, Unknown):
        yield tree
    elif isinstance(tree, float):
        yield number_text(tree)
    else:
        yield json.dumps(tree, ensure_ascii=False).translate(_ESCAPES)


_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode_json(value: Value) -> str:
    """Encode a wholly known value as Terraform's `jsonencode` does."""
    return str(concatenate(_json_parts(value)))


def number_text(number: float) -> str:
    """Write a number as Terraform does, in JSON too: no exponent, no trailing zeros, as many digits as a float has."""
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")
