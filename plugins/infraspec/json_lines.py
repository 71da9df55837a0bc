"""The line on which each value of a JSON text begins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

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
