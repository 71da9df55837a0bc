"""Edits of HCL text that leave every other byte as it is: comments, alignment, line ends.

The tree of `infraspec.hcl` says where a node begins; where it ends is read off the tokens of the text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from infraspec.fixes.alignment import realigned
from infraspec.fixes.tokens import closing, indent_of, line_start, opening

_STEP = "  "


class Edit(Struct, frozen=True, order=True):
    """A text that takes the place of the characters of a file from `start` to `end`."""

    file: Path
    start: int
    end: int
    text: str


class OverlapError(ValueError):
    """Two edits are about the same characters."""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made, with the line ends of the text, and aligned as its lines are.

    Raises OverlapError.
    """
    pieces: list[str] = []
    changed: set[int] = set()
    position = line = 0
    newline = "\r\n" if "\r\n" in text else "\n"
    for edit in sorted(dict.fromkeys(edits), key=lambda one: (one.start, one.end)):
        if edit.start < position:
            raise OverlapError(edit.text)
        inserted = edit.text.replace("\r\n", "\n").replace("\n", newline)
        line += text.count("\n", position, edit.start)
        last = line + inserted.count("\n")
        first = line + (inserted.startswith(newline) and bool(text[line_start(text, edit.start) : edit.start].strip()))
        changed.update(range(first, last + (not inserted.endswith("\n"))))
        pieces += text[position : edit.start], inserted
        position, line = edit.end, last
    return realigned("".join([*pieces, text[position:]]), changed)


def _opens_line(text: str, at: int) -> bool:
    return not text[line_start(text, at) : at].strip()


def items_added(
    file: Path, text: str, at: int, items: Sequence[str], *, commas: bool, is_json: bool = False
) -> list[Edit]:
    """Return what adds items to the list or object whose bracket opens at an offset; a list has `commas`.

    JSON has none behind the last item.
    """
    pair = closing(text, at)
    if _opens_line(text, pair.start):
        own_line = pair.first is not None and _opens_line(text, pair.first.start)
        indent = indent_of(text, pair.first.start if own_line and pair.first else pair.start)
        indent += "" if own_line else _STEP
        ends = "," if commas else ""
        lines = f"{ends}\n".join(textwrap.indent(item, indent) for item in items)
        lines += "\n" if is_json else f"{ends}\n"
        begin = line_start(text, pair.start)
        edits = [Edit(file, begin, begin, lines)]
        if commas and pair.last is not None and pair.last.kind != "comma":
            edits.insert(0, Edit(file, pair.last.end, pair.last.end, ","))
        return edits
    if pair.last is None:
        joined = ", ".join(items)
        padded = joined if commas else f" {joined} "
        return [Edit(file, pair.inner, pair.start, padded)]
    before = "" if pair.last.kind == "comma" else ","
    continued = textwrap.indent(", ".join(items), indent_of(text, at)).lstrip()
    return [Edit(file, pair.last.end, pair.last.end, f"{before} {continued}")]


def first_argument(file: Path, text: str, at: int, argument: str) -> Edit:
    """Return what adds an argument before the others of the call that begins at an offset."""
    pair = closing(text, opening(text, at, "("))
    if pair.first is None:
        return Edit(file, pair.inner, pair.start, argument)
    if "\n" in text[pair.inner : pair.first.start] and _opens_line(text, pair.first.start):
        return Edit(file, pair.first.start, pair.first.start, f"{argument},\n{indent_of(text, pair.first.start)}")
    return Edit(file, pair.first.start, pair.first.start, f"{argument}, ")


def argument_added(file: Path, text: str, at: int, lines: str, after: int | None) -> Edit:
    """Return what adds lines to the block that begins at an offset: behind an argument's end, or before the brace."""
    brace = opening(text, at)
    pair = closing(text, brace)
    indent = indent_of(text, at) + _STEP
    own = textwrap.indent(lines, indent)
    if after is not None and "\n" in text[after : pair.start]:
        place = text.index("\n", after) + 1
        return Edit(file, place, place, f"{own}\n")
    if _opens_line(text, pair.start) and "\n" in text[brace : pair.start]:
        place = text.index("\n", brace) + 1 if after is None else line_start(text, pair.start)
        return Edit(file, place, place, f"{own}\n")
    inner = text[pair.inner : pair.start].strip()
    kept = f"{indent}{inner}\n" if inner else ""
    return Edit(file, pair.inner, pair.start, f"\n{kept}{own}\n{indent_of(text, at)}")


def block_added(file: Path, text: str, at: int, block: str) -> Edit:
    """Return what adds a nested block at the end of the block that begins at an offset."""
    pair = closing(text, opening(text, at))
    indent = indent_of(text, at)
    own = textwrap.indent(block, indent + _STEP)
    if _opens_line(text, pair.start):
        place = line_start(text, pair.start)
        return Edit(file, place, place, f"\n{own}\n")
    inner = text[pair.inner : pair.start].strip()
    kept = f"{indent}{_STEP}{inner}\n\n" if inner else ""
    return Edit(file, pair.inner, pair.start, f"\n{kept}{own}\n{indent}")


def blocks_after(file: Path, text: str, at: int, blocks: str) -> Edit:
    """Return what adds blocks behind the block that begins at an offset."""
    end = closing(text, opening(text, at)).start + 1
    line_end = text.find("\n", end)
    if line_end < 0:
        return Edit(file, len(text), len(text), f"\n\n{blocks}\n")
    return Edit(file, line_end + 1, line_end + 1, f"\n{blocks}\n")


def blocks_at_end(file: Path, text: str, blocks: str) -> Edit:
    """Return what adds blocks at the end of a file."""
    before = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return Edit(file, len(text), len(text), f"{before}{blocks}\n")
