"""Values of expressions as a real Terraform gives them, from `terraform console`, with the types of collections.

A value is written as JSON, with {"list": […]}, {"set": […]} and {"map": {…}} for those, a plain array for a tuple and
{"object": {…}} for an object; {"error": true} stands for an expression that has no value.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r'\s*(<<-?EOT\n|(?:null|to\w+\(null\))(?: /\*.*?\*/)?|to(?:list|set|map)\(|"(?:[^"\\]|\\.)*"'
    r"|[][{}(),]|\([^)]*\)|[^\s,\])}]+)"
)
_KEY = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|<<-?EOT\n(?:.*\n)*?\s*EOT|\S+) = ')
_HEREDOC_END = re.compile(r"^\s*EOT(?=,?$| = )", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MOST = 60_000
"""Bytes of a line that the console reads."""

ERROR = {"error": True}
UNKNOWN = {"unknown": True}


def values(terraform: str, expressions: Sequence[str]) -> Iterator[Any]:
    """Yield the value of each expression."""
    for chunk in _chunks(expressions):
        yield from _evaluate(terraform, chunk)


def _chunks(expressions: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for expression in expressions:
        length = 2 * len(_guarded(expression).encode())
        if chunk and size + length > _MOST:
            yield chunk
            chunk, size = [], 0
        chunk.append(expression)
        size += length
    yield chunk


def _guarded(expression: str) -> str:
    return f"try([{expression}, jsonencode({expression})], null)"


def _evaluate(terraform: str, expressions: list[str]) -> list[Any]:
    """Return the values of some expressions; one that stops the console is told from the others by halving."""
    printed = _run(terraform, f"[{', '.join(map(_guarded, expressions))}]")
    if not printed and len(expressions) > 1:
        middle = len(expressions) // 2
        return _evaluate(terraform, expressions[:middle]) + _evaluate(terraform, expressions[middle:])
    return [*map(_decoded, _Reader(printed).read().parts)] if printed else [ERROR]


def _run(terraform: str, line: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.run(
            [terraform, "console"],
            cwd=directory,
            env={**os.environ, "TF_LOG": "", "CHECKPOINT_DISABLE": "1"},
            input=line + "\n",
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    return process.stdout if process.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is printed of a collection: its kind and its parts; of anything else the text, which may be cut."""

    kind: str
    parts: list[_Shape]


class _Reader:
    """Reads the shapes of values as the console prints them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> _Shape:
        """Return the shape of the value that comes next."""
        token = self._next()
        match token:
            case "tolist(" | "toset(" | "tomap(":
                inner = self.read()
                self._next()
                return _Shape(token[2:-1], inner.parts)
            case "[":
                return _Shape("tuple", [*self._items("]")])
            case "{":
                return _Shape("object", [*self._items("}")])
            case _ if token.startswith("<<"):
                self._at = _HEREDOC_END.search(self._text, self._at).end()  # type: ignore[union-attr] # it has one
        return _Shape(token, [])

    def _next(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise ValueError(self._text[self._at : self._at + 80])
        self._at = found.end()
        return found[1]

    def _items(self, end: str) -> Iterator[_Shape]:
        while (following := self._peek()) != end:
            if following == ",":
                self._next()
            elif end == "}":
                self._at = _KEY.match(self._text, self._at).end()  # type: ignore[union-attr] # an element has a key
                yield self.read()
            else:
                yield self.read()
        self._next()

    def _peek(self) -> str:
        at = self._at
        found = self._next()
        self._at = at
        return found


def _decoded(pair: _Shape) -> Any:
    """Return the value of an expression by its shape and its JSON."""
    if not pair.parts:
        return ERROR
    shape, text = pair.parts[0], pair.parts[-1]
    return _typed(shape, json.loads(_unquoted(text.kind))) if text.kind.startswith('"') else UNKNOWN


def _typed(shape: _Shape, value: Any) -> Any:
    match shape.kind:
        case "tuple":
            return [*map(_typed, shape.parts, value)]
        case "list" | "set":
            return {shape.kind: [*map(_typed, shape.parts, value)]}
        case "object" | "map":
            return {shape.kind: dict(zip(value, map(_typed, shape.parts, value.values()), strict=True))}
    return value


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(lambda found: _unescaped(found[0]), text[1:-1])


def _unescaped(escape: str) -> str:
    return chr(int(f"0x{escape[2:]}", 0)) if escape[1] in "xuU" else _LETTERS.get(escape[1], escape[1])
