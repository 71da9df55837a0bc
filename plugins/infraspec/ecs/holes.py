"""Text with unknown parts as one str, each unknown part standing in it as one private-use character.

So text can be split and matched by regular expressions, and what comes out is filled with the unknown parts again.
"""

from __future__ import annotations

from infraspec.character import Character
from infraspec.unknown import Text, Unknown, Value, concatenate

_FIRST = 0xE000
_CHARACTER_FIRST = 0xF000
_LAST = 0xF8FF
HOLE = f"[{chr(_FIRST)}-{chr(_CHARACTER_FIRST - 1)}]"
"""A regular expression of one part of unknown length."""
ONE = f"[{chr(_CHARACTER_FIRST)}-{chr(_LAST)}]"
"""A regular expression of exactly one unknown character."""


class HoledText:
    """The str of a value, `text`, and the way back: `fill` turns a piece of it into a value."""

    __slots__ = ("_parts", "text")

    def __init__(self, value: str | Text | Unknown) -> None:
        self._parts: dict[str, Unknown] = {}
        parts = value.parts if isinstance(value, Text) else (value,)
        self.text = "".join(part if isinstance(part, str) else self._mark(part) for part in parts)

    def fill(self, piece: str) -> Value:
        """Put the unknown parts back into a piece of the text."""
        if not self._parts:
            return piece
        parts = [self._parts.get(character, character) for character in piece]
        return parts[0] if len(parts) == 1 else concatenate(parts)

    def _mark(self, part: Unknown) -> str:
        first = _CHARACTER_FIRST if isinstance(part, Character) else _FIRST
        mark = chr(first + len(self._parts))
        self._parts[mark] = part
        return mark


def has_hole(text: str) -> bool:
    """Tell whether a piece has a part of unknown length."""
    return any(_FIRST <= ord(character) < _CHARACTER_FIRST for character in text)
