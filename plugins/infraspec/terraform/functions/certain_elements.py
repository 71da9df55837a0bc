"""What a list certainly has that a function makes of lists which are not known whole.

Source: Terraform Language, "Functions": `concat`, `compact` and the like leave out or add no text that an argument has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infraspec.terraform.scalars import is_never_empty
from infraspec.unknown import OpenList, Text, Value

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
        if name == "flatten" and isinstance(item, list | OpenList):
            yield from _items(name, item)
        else:
            yield item


def _is_text(item: Value) -> bool:
    """Tell whether an element is text: an unknown one that may be a list is none, and flatten would take it apart."""
    return isinstance(item, str | Text) or is_never_empty(item)


def _is_kept(item: Value) -> bool:
    return item != "" and (isinstance(item, str) or is_never_empty(item))
