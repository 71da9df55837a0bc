"""Texts found by how they begin, without comparing each with each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Beginnings(Struct, Generic[T]):
    """Things by a text, found by texts of which one is the beginning of the other."""

    _things: dict[str, list[T]] = field(default_factory=dict)
    _sorted: list[str] = field(default_factory=list)

    def add(self, text: str, thing: T) -> None:
        """Keep a thing under a text."""
        self._things.setdefault(text, []).append(thing)

    def all(self) -> Iterator[T]:
        """Yield everything."""
        for things in self._things.values():
            yield from things

    def beside(self, text: str) -> Iterator[T]:
        """Yield what is kept under a text that begins with the given one, or that the given one begins with."""
        if len(self._sorted) != len(self._things):
            self._sorted = sorted(self._things)
        for length in range(len(text)):
            yield from self._things.get(text[:length], ())
        for position in range(bisect_left(self._sorted, text), len(self._sorted)):
            if not self._sorted[position].startswith(text):
                break
            yield from self._things[self._sorted[position]]
