"""JSON text with unknown holes, decoded to a tree that keeps the holes.

A policy in a heredoc, `"Resource": "${aws_secretsmanager_secret.db.arn}"`, is text with an unknown part. Each hole is
replaced by a marker of private-use characters, the text is parsed as JSON, and the markers are put back as Unknown.
"""

from __future__ import annotations

import json
import re

from infraspec.unknown import JsonText, Text, Unknown, Value, computed_from, concatenate

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKER = re.compile(f"({_OPEN}\\d+{_CLOSE})")
_STRING_OR_MARKER = re.compile(f'("(?:[^"\\\\]|\\\\.)*")|({_OPEN}\\d+{_CLOSE})')


def decode_json(value: str | Text | Unknown) -> Value:
    """Decode JSON text, a Text with holes, or a JsonText; an Unknown decodes to `jsondecode(address)`.

    Raises ValueError (json.JSONDecodeError) if the known parts are not JSON.
    """
    if isinstance(value, str):
        return json.loads(value)
    if isinstance(value, JsonText):
        return value.tree
    if isinstance(value, Unknown):
        return Unknown(f"jsondecode({value.address})", computed_from(value))
    holes: list[Unknown] = []
    pieces = [part if isinstance(part, str) else _marker(holes, part) for part in value.parts]
    quoted = _STRING_OR_MARKER.sub(lambda match: match[1] or f'"{match[2]}"', "".join(pieces))
    return _restore(json.loads(quoted), holes)


def _marker(holes: list[Unknown], part: Unknown) -> str:
    holes.append(part)
    return f"{_OPEN}{len(holes) - 1}{_CLOSE}"


def _restore(tree: Value, holes: list[Unknown]) -> Value:
    match tree:
        case str() if _OPEN in tree:
            return _fill(tree, holes)
        case dict():
            return {_key(key, holes): _restore(item, holes) for key, item in tree.items()}
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


def _key(key: str, holes: list[Unknown]) -> str:
    return str(_fill(key, holes)) if _OPEN in key else key
