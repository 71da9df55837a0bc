"""The text of a file, with lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property


class Source:
    """A text and where it came from. `name` is the path as it is shown to people."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        while (position := find("\n", starts[-1])) >= 0:
            starts.append(position + 1)
        return starts

    def line(self, at: int) -> int:
        """Return the line number, from 1, of an offset."""
        return bisect_right(self._starts, at)

    def column(self, at: int) -> int:
        """Return the column, from 1, of an offset."""
        return at - self._starts[self.line(at) - 1] + 1

    def place(self, at: int) -> str:
        """Return `name:line:column`."""
        return f"{self.name}:{self.line(at)}:{self.column(at)}"

    def excerpt(self, at: int) -> str:
        """Return the line of an offset with a caret under its column."""
        start = self._starts[self.line(at) - 1]
        line = self.text[start:].split("\n", 1)[0].rstrip("\r")
        indent = "".join("\t" if character == "\t" else " " for character in line[: at - start])
        return f"{line}\n{indent}^"
