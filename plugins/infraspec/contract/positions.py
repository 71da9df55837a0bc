"""The line of every key of a TOML text, which tomllib does not tell.

Source: TOML v1.0.0, "Keys", "Table", "Inline Table", "Array of Tables". Validity is tomllib's business: the scan
stops at the first thing it does not understand, and keeps what it has found so far.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from typing import NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top: `("waivers", 1, "expires")`."""

_TOKENS = re.compile(
    r'''
      (?P<blank> [ \t\r]+ | \#[^\n]* )
    | (?P<text>  """(?:\\.|[^\\])*?""""{0,2} | \'\'\'.*?\'\'\''{0,2} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<open>  ["'].* )
    | (?P<mark>  [\[\]{}=,.\n] )
    | (?P<bare>  [^\s\[\]{}=,."'\#]+ )
    ''',
    re.VERBOSE | re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _EndError(Exception):
    """The scan cannot go on."""


class Positions:
    """The lines of a text's keys; exact for valid TOML, and up to the first mistake otherwise."""

    def __init__(self, text: str) -> None:
        self._text = text
        scan = _Scan(text)
        scan.run()
        self._offsets = scan.offsets

    def line(self, path: KeyPath) -> int:
        """Return the line, from 1, of a key, or else of the closest table around it; 0 if there is none."""
        while path and path not in self._offsets:
            path = path[:-1]
        return self._line(self._offsets[path]) if path else 0

    def has(self, path: KeyPath) -> bool:
        """Tell whether there is a key or a table."""
        return path in self._offsets

    def last(self, line: int | None = None) -> KeyPath:
        """Return the last key or table that begins before the end of a line, or of the text."""
        before = [path for path, at in self._offsets.items() if line is None or self._line(at) <= line]
        return max(before, key=lambda path: (self._offsets[path], len(path)), default=())

    def on(self, line: int) -> list[KeyPath]:
        """Return the keys and tables that begin on a line."""
        return [path for path, at in self._offsets.items() if self._line(at) == line]

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1


class _Scan:
    """One pass over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.offsets: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        self._tokens = [
            _Token(match.lastgroup, match.group(), match.start())
            for match in _TOKENS.finditer(text)
            if match.lastgroup and match.lastgroup != "blank"
        ]
        self._next = 0

    def run(self) -> None:
        """Scan `(table-header | key-value)*`, one a line."""
        base: KeyPath = ()
        with suppress(_EndError, RecursionError):
            while True:
                self._newlines()
                if self._peek() == "[":
                    base = self._header()
                else:
                    self._pair(base)

    def _header(self) -> KeyPath:
        """`[key]` or `[[key]]`."""
        at = self._tokens[self._next].at
        self._expect("[")
        many = self._accept("[")
        path = self._entered(self._key())
        while self._accept("]"):
            pass
        if many:
            self.offsets.setdefault(path, at)
            position = self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, position)
        self._record(path, at)
        return path

    def _entered(self, key: tuple[str, ...]) -> KeyPath:
        """Put the position of the last table of an array after each key but the last that names one."""
        path: KeyPath = ()
        for index, part in enumerate(key, start=1):
            path = (*path, part)
            if path in self._tables and index < len(key):
                path = (*path, self._tables[path])
        return path

    def _pair(self, base: KeyPath) -> None:
        """`key = value`."""
        at = self._current().at
        path = base + self._key()
        self._record(path, at)
        self._expect("=")
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        """`part ( . part )*`, each bare or quoted."""
        parts = [self._part()]
        while self._accept("."):
            parts.append(self._part())
        return tuple(parts)

    def _part(self) -> str:
        token = self._take()
        if token.kind == "bare" and _BARE_KEY.fullmatch(token.text):
            return token.text
        if token.kind == "text":
            with suppress(tomllib.TOMLDecodeError):
                return str(tomllib.loads(f"key = {token.text}")["key"])
        raise _EndError

    def _value(self, path: KeyPath) -> None:
        """`[ items ]`, `{ pairs }`, or anything up to the next comma, bracket or line."""
        if self._accept("["):
            self._items(path)
        elif self._accept("{"):
            self._pairs(path)
        else:
            while self._peek() not in {",", "]", "}", "\n"}:
                self._take()

    def _items(self, path: KeyPath) -> None:
        position = 0
        while not self._closed("]"):
            item = (*path, position)
            self._record(item, self._current().at)
            self._value(item)
            position += 1

    def _pairs(self, path: KeyPath) -> None:
        while not self._closed("}"):
            self._pair(path)

    def _closed(self, mark: str) -> bool:
        self._newlines()
        if self._accept(","):
            self._newlines()
        return self._accept(mark)

    def _record(self, path: KeyPath, at: int) -> None:
        """Note where a key begins, and where the tables that it implies do."""
        for length in range(1, len(path)):
            self.offsets.setdefault(path[:length], at)
        self.offsets[path] = at

    def _newlines(self) -> None:
        while self._accept("\n"):
            pass

    def _current(self) -> _Token:
        if self._next >= len(self._tokens):
            raise _EndError
        return self._tokens[self._next]

    def _peek(self) -> str:
        token = self._current()
        return token.text if token.kind == "mark" else ""

    def _take(self) -> _Token:
        token = self._current()
        self._next += 1
        return token

    def _accept(self, mark: str) -> bool:
        if self._next < len(self._tokens) and self._peek() == mark:
            self._next += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise _EndError


def notation(path: KeyPath) -> str:
    """Write a key path as in TOML, list positions in brackets: `waivers[1].expires`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else _quoted(part))
    return text


def _quoted(part: str) -> str:
    return f"'{part}'" if "'" not in part and part.isprintable() else '"' + part.encode("unicode_escape").decode() + '"'
