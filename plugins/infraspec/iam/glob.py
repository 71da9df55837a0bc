"""Wildcard patterns of `*` and `?` over known text.

They are no regular expressions: to compile one takes longer than most policies are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

_Piece: TypeAlias = tuple[int, str]
"""Literal text and its offset in a segment."""


class Glob:
    """A pattern, split at its stars into segments; a segment is literal text between question marks."""

    __slots__ = ("_segments",)

    def __init__(self, text: str) -> None:
        self._segments = tuple(_Segment(segment) for segment in text.split("*"))

    def matches(self, text: str) -> bool:
        """Tell whether the pattern matches the whole text."""
        first, *middle = self._segments
        if not first.at(text, 0):
            return False
        if not middle:
            return len(text) == first.length
        position, last = first.length, middle.pop()
        for segment in middle:
            position = segment.find(text, position)
            if position < 0:
                return False
        return len(text) - last.length >= position and last.at(text, len(text) - last.length)


class _Segment:
    __slots__ = ("_pieces", "_text", "length")

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._text = None if "?" in text else text
        self._pieces: tuple[_Piece, ...] = () if self._text is not None else _pieces(text)

    def at(self, text: str, position: int) -> bool:
        """Tell whether the segment stands at a position."""
        if self._text is not None:
            return text.startswith(self._text, position)
        if position + self.length > len(text):
            return False
        return all(text.startswith(piece, position + offset) for offset, piece in self._pieces)

    def find(self, text: str, start: int) -> int:
        """Return the position after the first place of the segment from `start` on, or -1."""
        if self._text is not None:
            found = text.find(self._text, start)
            return found if found < 0 else found + self.length
        places = (position for position in range(start, len(text) - self.length + 1) if self.at(text, position))
        return next((position + self.length for position in places), -1)


def _pieces(text: str) -> tuple[_Piece, ...]:
    pieces, offset = [], 0
    for piece in text.split("?"):
        if piece:
            pieces.append((offset, piece))
        offset += len(piece) + 1
    return tuple(pieces)


@lru_cache(maxsize=16384)
def matcher(text: str) -> Callable[[str], bool]:
    """Return the test of a pattern; equal patterns share one."""
    literal = text.rstrip("?")
    if "?" not in literal:
        head, star, rest = text.partition("*")
        if not star:
            length = len(text)
            return text.__eq__ if literal == text else lambda given: len(given) == length and given.startswith(literal)
        if not rest:
            return lambda given: given.startswith(head)
    return Glob(text).matches
