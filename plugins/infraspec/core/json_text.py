"""JSON text with unknown holes, decoded to a tree that keeps the holes.

A policy in a heredoc, `"Resource": "${aws_secretsmanager_secret.db.arn}"`, is text with an unknown part. Each hole is
replaced by a marker of private-use characters, the text is parsed as JSON, and the markers are put back as Unknown.

A hole is taken for a part of the value it stands in, as its author means it: a quotation mark in it, which would make
other keys of it, is not reckoned with. Of a value in quotes that would have to be excluded wherever a variable has no
value, and then nothing could be said of one in three such texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from infraspec.core.unknown import (
    Application,
    JsonText,
    Sensitive,
    Text,
    Unknown,
    Value,
    computed_from,
    concatenate,
    render,
)

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def lines_by_path(text: str) -> Mapping[str, int]:
    """Map the dotted path of every value (`containerDefinitions.0.image`) to its line; the text must be JSON."""
    return {".".join(map(str, path)): line for path, line in _values(text)}


def double_key(text: str) -> tuple[str, int, int] | None:
    """Return a key that one object has twice, with the lines of both values, or None; the text must be JSON."""
    seen: dict[tuple[str | int, ...], int] = {}
    for path, line in _values(text):
        if path in seen:
            return str(path[-1]), seen[path], line
        seen[path] = line
    return None


def _values(text: str) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Yield the path and line of every value."""
    path: list[str | int] = []
    kinds: list[str] = []
    line, position, key_next = 1, 0, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        word = token[0]
        if key_next and word[0] == '"':
            path[-1] = json.loads(word)
            key_next = False
        elif word in "]}":
            kinds.pop()
            path.pop()
            key_next = False
        elif word == ",":
            key_next = kinds[-1] == "{"
            if not key_next:
                path[-1] = int(path[-1]) + 1
        elif word != ":":
            yield tuple(path), line
            if word in "[{":
                kinds.append(word)
                path.append("" if word == "{" else 0)
                key_next = word == "{"


def object_keys(value: Value) -> frozenset[str] | None:
    """Return the names of the keys of the JSON object that a text holds, a sensitive one too, and nothing of the rest.

    What certainly holds no object has none. None if it is not known.
    """
    text = value.reveal() if isinstance(value, Sensitive) else value
    if not isinstance(text, str | Text):
        return None
    try:
        tree = decode_json(text)
    except ValueError:
        return frozenset() if isinstance(text, str) else None
    keys = frozenset(map(str, tree)) if isinstance(tree, Mapping) else frozenset()
    return None if isinstance(tree, Unknown) or any("${" in key for key in keys) else keys


_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKER = re.compile(f"({_OPEN}\\d+{_CLOSE})")
_STRING_OR_MARKER = re.compile(f'("(?:[^"\\\\]|\\\\.)*")|({_OPEN}\\d+{_CLOSE})')


def decode_json(value: str | Text | Unknown) -> Value:
    """Decode JSON text, a Text with holes, or a JsonText; an Unknown decodes to `jsondecode(address)`.

    Of text that is JSON only with what a hole holds, the innermost list around the hole is not known; the innermost
    object has the members that are seen, and one of an unknown name. Raises ValueError (json.JSONDecodeError) if the
    known parts are not JSON, whatever the holes hold.
    """
    if isinstance(value, str):
        return json.loads(value)
    if isinstance(value, JsonText):
        return value.tree
    if isinstance(value, Unknown):
        return Unknown(f"jsondecode({value.address})", computed_from(value))
    holes: list[Unknown] = []
    pieces = [part if isinstance(part, str) else _marker(holes, part) for part in value.parts]
    text = "".join(pieces)
    for match in _STRING_OR_MARKER.finditer(text):
        if match[2]:
            index = int(match[2][1:-1])
            holes[index] = _encoded(holes[index])
    try:
        return _restore(json.loads(_STRING_OR_MARKER.sub(lambda match: match[1] or f'"{match[2]}"', text)), holes)
    except ValueError:
        if not any(match[2] for match in _STRING_OR_MARKER.finditer(text)):
            raise
    try:
        return _TornText(text, holes).document()
    except (ValueError, IndexError):
        return Unknown(f"jsondecode({' '.join(str(value).split())})", computed_from(value))


def _encoded(hole: Unknown) -> Unknown:
    """Return what a hole outside of quotation marks stands for, where it is the JSON text of something."""
    call = Application.of(hole)
    value = call.arguments[0] if call is not None and call.function == "jsonencode" else hole
    return value if type(value) is Unknown else hole


def _marker(holes: list[Unknown], part: Unknown) -> str:
    holes.append(part)
    return f"{_OPEN}{len(holes) - 1}{_CLOSE}"


def _restore(tree: Value, holes: list[Unknown]) -> Value:
    match tree:
        case str() if _OPEN in tree:
            return _fill(tree, holes)
        case dict():
            return {
                str(_fill(key, holes)) if _OPEN in key else key: _restore(item, holes) for key, item in tree.items()
            }
        case list():
            return [_restore(item, holes) for item in tree]
        case _:
            return tree


def _fill(text: str, holes: list[Unknown]) -> str | Text | Unknown:
    pieces = [piece for piece in _MARKER.split(text) if piece]
    parts = [holes[int(piece[1:-1])] if piece[0] == _OPEN else piece for piece in pieces]
    if len(parts) == 1 and isinstance(parts[0], Unknown):
        return parts[0]
    return concatenate(parts)


class _TornText:
    """JSON text in which holes stand for more or less than one value: between members, or in the place of commas."""

    def __init__(self, text: str, holes: list[Unknown]) -> None:
        self._words = _TOKEN.findall(text)
        self._holes = holes

    def document(self) -> Value:
        """Return the tree. Raises ValueError, or IndexError at its end, for text that the holes do not explain."""
        self._words.reverse()
        found = self._value()
        if self._words:
            raise ValueError(self._words[-1])
        return found

    def _value(self) -> Value:
        word = self._words.pop()
        if word in "[{":
            return self._members("]" if word == "[" else "}")
        return self._hole(word) if _MARKER.fullmatch(word) else _restore(json.loads(word), self._holes)

    def _hole(self, word: str) -> Unknown:
        found = _fill(word, self._holes)
        return found if isinstance(found, Unknown) else Unknown(f"jsondecode({found})", computed_from(found))

    def _members(self, end: str) -> Value:
        """Read a list or an object up to its closing bracket."""
        members: dict[str, Value] = {}
        order, torn = "", None
        while (word := self._words[-1]) != end:
            if word == ",":
                order += self._words.pop()
            elif _OPEN in word and word[0] != '"':
                torn, order = self._hole(self._words.pop()), f"{order}_" if _MARKER.fullmatch(word) else "torn"
                members[f"{torn}"] = torn
            else:
                key = self._key() if end == "}" else str(len(members))
                members[key], order = self._value(), f"{order}_"
        self._words.pop()
        is_whole = re.fullmatch("(_(,_)*)?", order) and not (torn and end == "}")
        if not is_whole and torn is None:
            raise ValueError(order)
        if end == "}":
            return members
        seen = [*members.values()]
        return seen if is_whole else Unknown(f"[{' '.join(map(render, seen))}]", computed_from(torn))

    def _key(self) -> str:
        key, colon = json.loads(self._words.pop()), self._words.pop()
        if colon != ":" or not isinstance(key, str):
            raise ValueError(key)
        return str(_restore(key, self._holes))
