"""The text of an export of IAM: decoded, and walked entry by entry, so that each is known with its place in the file.

An account may have thousands of roles, and a run asks for the lines of a few.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from infraspec.errors import SnapshotError
from infraspec.finding import Location
from infraspec.json_lines import lines_by_path
from infraspec.terraform.iam_snapshot import COMMAND, EXPORT

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
"""What each page of the answer has, empty or not. Source: IAM API Reference, GetAccountAuthorizationDetails."""
EXPECTED = f"what `{COMMAND}` prints"

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The text of one entry, and the line of the file where it begins."""

    file: str
    line: int
    text: str = dataclasses.field(repr=False)
    _lines: dict[str, int] = dataclasses.field(default_factory=dict, repr=False)

    def locate(self, path: str) -> Location:
        """Return the line of a value in the entry, or of what it is a part of."""
        if not self._lines:
            self._lines.update(lines_by_path(self.text))
        while path and path not in self._lines:
            path = path.rpartition(".")[0]
        return Location(self.file, self.line + self._lines.get(path, 1) - 1)


class Entry(Struct, frozen=True):
    """One user, group, role or policy. `list` and `index` say where it stands, `span` what text it is."""

    list: str
    index: int
    value: Any
    span: Span

    @property
    def place(self) -> str:
        """Where it stands, for messages: `iam.json:12: RoleDetailList[0]`."""
        return f"{self.span.file}:{self.span.line}: {self.list}[{self.index}]"


class Page(Struct, frozen=True):
    """One answer of AWS: the lists that it has, their entries, and what else it says, by key."""

    lists: set[str] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)


def read(path: Path, name: str) -> str:
    """Return the text of a file, in UTF-8 or, as PowerShell writes it, UTF-16. Raises SnapshotError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__
        raise SnapshotError(
            "the file cannot be read", place=name, expected=EXPECTED, found=found, remedy=EXPORT
        ) from None
    if not data.strip():
        raise SnapshotError("the file is empty", place=name, expected=EXPECTED, remedy=EXPORT)
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise SnapshotError(
            "the file is not text",
            place=name,
            expected="JSON in UTF-8 or UTF-16",
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            remedy=EXPORT,
        ) from None


def pages(text: str, name: str) -> list[Page]:
    """Return the pages of a text: one, a list of them, or one after another. Raises SnapshotError if it is not JSON."""
    walk = _Walk(text, name)
    try:
        walk.document()
    except json.JSONDecodeError as error:
        ends = error.msg.startswith("Unterminated") or not text[error.pos :].strip()
        raise SnapshotError(
            "the JSON ends too early" if ends else "the file is not JSON",
            place=f"{name}:{error.lineno}:{error.colno}",
            expected=EXPECTED,
            found="a truncated file" if ends else error.msg,
            remedy=EXPORT,
        ) from None
    except RecursionError:
        raise SnapshotError("the JSON is nested too deeply", place=name, expected=EXPECTED, remedy=EXPORT) from None
    return walk.pages


class _Walk:
    """A walk through the text. Each method takes the position where something begins and returns the one after it."""

    def __init__(self, text: str, name: str) -> None:
        self.pages: list[Page] = []
        self._text = text
        self._name = name
        self._counts = dict.fromkeys(LISTS, 0)
        self._line, self._counted = 1, 0

    def document(self) -> None:
        at = self._skip(0)
        while at < len(self._text):
            at = self._skip(self._items(at, self._page) if self._is("[", at) else self._page(at))

    def _page(self, at: int) -> int:
        page = Page()
        self.pages.append(page)
        if self._is("{", at):
            return self._items(at, lambda start: self._member(page, start))
        value, at = _DECODER.raw_decode(self._text, at)
        page.others[f"a JSON {type(value).__name__}"] = None
        return at

    def _member(self, page: Page, at: int) -> int:
        key, at = _DECODER.raw_decode(self._text, at)
        at = self._skip(at)
        if not isinstance(key, str) or not self._is(":", at):
            raise json.JSONDecodeError("Expecting ':' after a key in quotes", self._text, at)
        at = self._skip(at + 1)
        if key in LISTS and self._is("[", at):
            page.lists.add(key)
            return self._items(at, lambda start: self._entry(page, key, start))
        page.others[key], at = _DECODER.raw_decode(self._text, at)
        return at

    def _entry(self, page: Page, key: str, at: int) -> int:
        value, end = _DECODER.raw_decode(self._text, at)
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        page.entries.append(Entry(key, self._counts[key], value, Span(self._name, self._line, self._text[at:end])))
        self._counts[key] += 1
        return end

    def _items(self, at: int, item: Callable[[int], int]) -> int:
        """Read an array or object, each of its items with `item`."""
        closing = "]" if self._is("[", at) else "}"
        at = self._skip(at + 1)
        while not self._is(closing, at):
            at = self._skip(item(at))
            if not self._is(closing, at):
                if not self._is(",", at):
                    raise json.JSONDecodeError("Expecting ','", self._text, at)
                at = self._skip(at + 1)
        return at + 1

    def _is(self, character: str, at: int) -> bool:
        return self._text.startswith(character, at)

    def _skip(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank else at
