"""JSON text around unknown parts is read as far as it goes: a hole takes the list or the object that it stands in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies

from infraspec.core.json_text import decode_json
from infraspec.core.unknown import Application, ComputedFrom, Text, Unknown, is_known

X, Y = Unknown("var.x"), Unknown("var.y")
ENCODED = Unknown("jsonencode(var.x)", ComputedFrom((X,), "", Application("jsonencode", (X,), "jsonencode(var.x)")))
TORN: dict[str, tuple[tuple[str | Unknown, ...], Any]] = {
    "between elements": (('{"a": [1, ', X, ' {"b": 2}], "c": 3}'), {"a": '${[1 ${var.x} {"b":2}]}', "c": 3}),
    "between members": (('[{"a": 1 ', X, ', "b": [', Y, "]}]"), [{"a": 1, "${var.x}": "${var.x}", "b": ["${var.y}"]}]),
    "before a member": (('{"a": {', X, ' "b": 1}, "c": 2}'), {"a": {"${var.x}": "${var.x}", "b": 1}, "c": 2}),
    "after a number": (('{"a": [1', X, '], "b": 1}'), {"a": "${[${jsondecode(1${var.x})}]}", "b": 1}),
    "one value": (('{"a": ', X, "}"), {"a": "${var.x}"}),
    "JSON text of something": (('{"a": ', ENCODED, "}"), {"a": "${var.x}"}),
    "JSON text in a text": (('{"a": "', ENCODED, '"}'), {"a": "${jsonencode(var.x)}"}),
    "around all": ((X, '{"a": 1}'), '${jsondecode(${var.x}{"a": 1})}'),
}


def shown(tree: Any) -> Any:
    """Return a tree with unknowns as their text."""
    match tree:
        case dict():
            return {key: shown(value) for key, value in tree.items()}
        case list():
            return [shown(value) for value in tree]
        case _:
            return tree if is_known(tree) else str(tree)


@pytest.mark.parametrize("torn", TORN)
def test_a_hole_in_the_structure(torn: str) -> None:
    """What the hole does not stand in is as it is."""
    parts, expected = TORN[torn]

    assert expected == shown(decode_json(Text(parts)))


@pytest.mark.parametrize("parts", [('{"a" "', X, '"}'), ('["', X, '" 1]'), ("{'a': \"", X, '"}')])
def test_text_that_no_hole_mends(parts: tuple[str | Unknown, ...]) -> None:
    """What is no JSON, whatever stands in its texts, is an error."""
    with pytest.raises(json.JSONDecodeError):
        decode_json(Text(parts))


VALUES = strategies.recursive(
    strategies.integers(0, 9) | strategies.sampled_from(["a", "b"]),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.sampled_from("abc"), inner),
    max_leaves=8,
)


def _without(whole: Any, seen: Any) -> Iterator[str]:
    """Yield what is seen of a tree and is not in the whole one."""
    if not is_known(seen) and isinstance(seen, Unknown):
        return
    if isinstance(seen, dict) and isinstance(whole, dict):
        for key, value in seen.items():
            if not key.startswith("${"):
                yield from _without(whole[key], value) if key in whole else [key]
    elif isinstance(seen, list) and isinstance(whole, list):
        if any(isinstance(one, Unknown) for one in seen):
            return  # which may be several
        for one, other in zip(whole, seen, strict=True):
            yield from _without(one, other)
    elif seen != whole:
        yield repr(seen)


@given(VALUES, strategies.data())
def test_nothing_is_made_up(tree: Any, data: strategies.DataObject) -> None:
    """Whatever piece of a text is hidden, between two words of it, what is read of the rest is in the whole."""
    words = [word for word in json.JSONEncoder().iterencode(tree) if word.strip()]
    start = data.draw(strategies.integers(0, len(words) - 1))
    end = data.draw(strategies.integers(start + 1, len(words)))
    depths = [*accumulate((word in "[{") - (word in "]}") for word in "".join(words[start:end]))]
    if min(depths) < 0 or depths[-1]:
        return  # a part that closes what stands around it is no reading of the text
    parts = [part for part in (" ".join(words[:start]), X, " ".join(words[end:])) if part]

    assert [] == list(_without(tree, decode_json(Text(tuple(parts)))))
