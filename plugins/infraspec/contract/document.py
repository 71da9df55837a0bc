"""The text of a contract, parsed, with the place of every key.

Source: TOML v1.0.0, "Keys", "Table", "Inline Table", "Array of Tables". Validity is tomllib's business: the scan
stops at the first thing it does not understand, and keeps what it has found so far.
"""

from __future__ import annotations

import ast
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from infraspec.contract.field_types import KNOWN
from infraspec.contract.paths import display
from infraspec.core.errors import ContractError, WaiverError, unreadable
from infraspec.core.runtime import read_regular

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
            while not self._closed("}"):
                self._pair(path)
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


_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_TUPLE = re.compile(r"\(['\"].*\)")
_CURLY = tuple("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb")
_NULL = re.compile(r"(null|nil|none)\b", re.IGNORECASE)
_SECRET_TABLES = ("variables", "known", "url_variable")
_SECRET_WORD = re.compile("variables|known")


@dataclass(frozen=True)
class ContractDocument:
    """A contract file: `name` is its path as people see it, `data` what tomllib makes of the text."""

    path: Path
    name: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> ContractDocument:
        """Read and parse a file; ContractError if it cannot be read, is not UTF-8 or is not TOML."""
        name = display(Path(), path)
        text = _decode(_bytes(path, name), name)
        return cls(path, name, text, _parse(text, name))

    @cached_property
    def positions(self) -> Positions:
        """The lines of the keys; scanned on the way to an error only."""
        return Positions(self.text)

    def place(self, path: KeyPath) -> str:
        """Return `file:line` of a key or of the closest table around it."""
        line = self.positions.line(path)
        return f"{self.name}:{line}" if line else self.name


def is_secret(path: KeyPath) -> bool:
    """Tell whether a key holds values that no message may show: those of variables and known data."""
    return any(part in _SECRET_TABLES for part in path)


def too_deep(name: str) -> ContractError:
    """Make the error for nesting that passes Python's recursion limit."""
    return ContractError(
        "the contract is nested too deeply",
        place=name,
        expected="lists and tables a few levels deep",
        remedy="move deep values to a var file",
    )


def _bytes(path: Path, name: str) -> bytes:
    try:
        return read_regular(path, name)
    except OSError as error:
        raise unreadable(ContractError, name, error, "the contract") from None


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        found = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else f"the byte 0x{content[error.start]:02x}"
        raise _no_text(name, content.count(b"\n", 0, error.start) + 1, found) from None
    if "\0" in text:
        raise _no_text(name, text.count("\n", 0, text.index("\0")) + 1, "the byte 0x00, of which UTF-16 has many")
    if "\r" in text:
        raise ContractError(
            "a line ends with a carriage return alone",
            place=f"{name}:{text.count(chr(10), 0, text.index(chr(13))) + 1}",
            expected="lines that end with LF or CRLF, as TOML demands",
            found="CR",
            remedy="save the file with the line endings LF",
        )
    return text


def _no_text(name: str, line: int, found: str) -> ContractError:
    return ContractError(
        "the contract is not UTF-8" if "0x00" not in found else "the contract is no text",
        place=f"{name}:{line}",
        expected="text in UTF-8, as TOML demands",
        found=found,
        remedy="save the file with the encoding UTF-8",
    )


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise too_deep(name) from None
    except ValueError as error:
        raise _syntax_error(text, name, str(error)) from None


def _syntax_error(text: str, name: str, message: str) -> ContractError:
    """Turn tomllib's message, "Invalid value (at line 3, column 5)", into an error with place and excerpt."""
    positions = Positions(text)
    found = _POSITION.search(message)
    what = message[: found.start()] if found else message.partition(";")[0]
    line, column = int(found[1] or 0) if found else 0, int(found[2] or 0) if found else 0
    key = positions.last(line or None)
    if found and not line:
        line, column = positions.line(key), 1
    is_expiry = key[:1] == ("waivers",) and key[-1:] == ("expires",)
    is_day = is_expiry and not what.startswith("Cannot")
    told = _TUPLE.sub(lambda match: f"`{notation(ast.literal_eval(match[0]))}`", what[:1].lower() + what[1:])
    return (WaiverError if is_expiry else ContractError)(
        f"this is not TOML: {told}" + (f", at or after `{notation(key)}`" if key else ""),
        place=f"{name}:{line}:{column}" if line else name,
        expected="a date such as 2026-11-01" if is_day else "TOML v1.0.0",
        found=_first(text, what, key, line),
        remedy=_remedy(what, text.split("\n")[line - 1][column - 1 :] if line else "", is_day=is_day),
        excerpt="" if not line or _shows_secret(text, positions, line) else _excerpt(text, line, column),
    )


def _first(text: str, what: str, key: KeyPath, line: int) -> str:
    """Return where a key or table that is given twice stands first."""
    above = Positions("\n".join(text.split("\n")[: line - 1]))
    twice = what.startswith(("Cannot declare", "Cannot overwrite", "Duplicate"))
    return f"the first on line {above.line(key)}" if twice and above.has(key) else ""


def _remedy(what: str, value: str, *, is_day: bool) -> str:
    """Return what to write instead, by what tomllib says and by the text from there on."""
    if is_day:
        return "write a day that the calendar has as year-month-day, without quotes: expires = 2026-11-01"
    if what.startswith("Invalid value") and value[:1] in _CURLY:
        return "write straight quotes: \" or '"
    if what.startswith("Invalid value") and _NULL.match(value):
        return "TOML has no null: take the key out"
    return next((text for start, text in KNOWN.toml_remedies.items() if what.startswith(start)), "fix the line")


def _shows_secret(text: str, positions: Positions, line: int) -> bool:
    """Tell whether a line may hold a value of variables or known data; when in doubt, it does.

    The raw text counts too: after a stray quote the scan takes keys for text.
    """
    lines = text.split("\n")[:line]
    header = next((above for above in reversed(lines) if above.lstrip().startswith("[")), "")
    keys = [*positions.on(line), positions.last(line), positions.last(line - 1)]
    return any(map(is_secret, keys)) or any(map(_SECRET_WORD.search, (header, lines[-1])))


def _excerpt(text: str, line: int, column: int) -> str:
    content = text.split("\n")[line - 1]
    indent = "".join("\t" if character == "\t" else " " for character in content[: column - 1])
    return f"{content}\n{indent}^"
