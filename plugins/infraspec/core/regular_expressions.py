"""Regular expressions in the syntax of RE2, matched in time that is linear in the text.

Source: "RE2 syntax" of the RE2 project. Python's `re` tries one way after the other, which takes it years for a pattern
such as `^([a-z0-9]+-?)+$`, so a pattern that somebody else wrote is matched here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct

from infraspec.core.errors import LimitError

_MEMORY = (4 << 20, 16 << 20)
"""What the program of a pattern, and the states that were reached, may take; the second is for those that are large."""
_MOST_WORK = 400_000_000
"""How many steps a search may take at worst: one for each instruction of the program and byte of the text."""
_MOST_SECONDS = 5
_CONTINUATION = re.compile(rb"[\x80-\xbf]")
"""A byte of UTF-8 that begins no character."""

_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")


class PatternError(ValueError):
    """A text is no regular expression of RE2's syntax."""


class RegularExpression(Struct, frozen=True):
    """A compiled pattern: how many groups it has, and the numbers of those that have a name."""

    pattern: str
    program: Any
    groups: int
    names: dict[str, int]

    def finditer(self, text: str) -> Iterator[Match]:
        """Yield the matches that do not overlap; an empty one that touches the one before does not count.

        Raises LimitError if it would take too long.
        """
        content = text.encode("utf-8", "surrogatepass")
        self._demand_small(len(content))
        position, end, begun = 0, -1, time.thread_time()
        while position <= len(content) and (found := self.program.search(content, position)):
            if not _splits_character(content, found.start()):  # RE2 finds `\B` there too
                if found.end() > position or found.start() != end:
                    yield Match(content, found)
                end = found.end()
            position = max(found.end(), position + 1)
            while _splits_character(content, position):
                position += 1
            if time.thread_time() - begun > _MOST_SECONDS:
                raise self._too_much(f"more than {_MOST_SECONDS} seconds in a text of {len(content)} bytes")

    def search(self, text: str) -> Match | None:
        """Return the first match. Raises LimitError if it would take too long."""
        return next(self.finditer(text), None)

    def sub(self, replacement: Callable[[Match], str], text: str) -> str:
        """Return the text with something in the place of each match. Raises LimitError if it would take too long."""
        pieces, position, found = [], 0, None
        for found in self.finditer(text):
            pieces += [found.text(position, found.start()), replacement(found)]
            position = found.end()
        return "".join([*pieces, found.text(position)]) if found else text

    def _demand_small(self, length: int) -> None:
        size = self.program.programsize
        if size * length > _MOST_WORK:
            raise self._too_much(f"a text of {length} bytes, and a pattern of {size} instructions")

    def _too_much(self, found: str) -> LimitError:
        return LimitError(
            "matching a regular expression takes too long",
            expected="a shorter text, or a pattern with fewer repetitions and classes",
            found=found,
        )


def _splits_character(content: bytes, offset: int) -> bool:
    return _CONTINUATION.match(content, offset) is not None


class Match(Struct, frozen=True):
    """A match in the bytes of a text."""

    content: bytes
    spans: Any

    def start(self) -> int:
        """Return the offset of its first byte."""
        return int(self.spans.start())

    def end(self) -> int:
        """Return the offset after its last byte."""
        return int(self.spans.end())

    def group(self, number: int) -> str | None:
        """Return the text of a group, None if it takes no part in the match."""
        start, end = self.spans.span(number)
        return None if start < 0 else self.text(start, end)

    def text(self, start: int, end: int | None = None) -> str:
        """Return a part of the text that was searched."""
        return self.content[start:end].decode("utf-8", "surrogatepass")


@lru_cache(maxsize=32)
def compiled(pattern: str) -> RegularExpression:
    """Compile a pattern; PatternError if it is none, LimitError if its program is too large."""
    import re2  # noqa: PLC0415 - takes 15 ms, and most runs match nothing

    if _BYTE.search(pattern):
        raise PatternError(r"invalid escape sequence: \C")
    program = _program(re2, pattern, 0)
    names = {name.decode(): number for name, number in program.groupindex.items()}
    strange = next((name for name in names if not name.isascii()), None)
    if strange is not None:
        raise PatternError(f"invalid named capture group: (?P<{strange}>")
    return RegularExpression(pattern, program, program.groups, names)


def begins(pattern: str, text: str) -> bool:
    """Tell whether a text has a match at its beginning. Raises PatternError or LimitError."""
    return compiled(rf"\A(?:{pattern})").search(text) is not None


def fits(pattern: str, text: str) -> bool:
    """Tell whether a text matches as a whole. Raises PatternError or LimitError."""
    return compiled(rf"\A(?:{pattern})\z").search(text) is not None


def _program(re2: Any, pattern: str, size: int) -> Any:
    options = re2.Options()
    options.log_errors, options.max_mem = False, _MEMORY[size]
    try:
        program = re2.compile(pattern.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace")
    else:
        re2.purge()  # what it would keep is kept here
        return program
    if not reason.startswith("pattern too large"):
        raise PatternError(reason) from None
    if size + 1 < len(_MEMORY):
        return _program(re2, pattern, size + 1)
    raise LimitError("a regular expression is too large", expected="fewer repetitions and classes", found=pattern[:100])
