"""Alignment of arguments and comments as `terraform fmt` has it, where an edit changes lines.

The signs of consecutive lines stand below each other, and so do the comments behind them. A line that opens a bracket
which it does not close ends such a group, and so does a line without a sign. A heredoc is a part of its first line.

Source: Terraform Language Documentation, "Style Guide" (Code Formatting), and what `terraform fmt` makes of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate

from msgspec import Struct

from infraspec.fixes.tokens import Token, tokens


class SourceLine(Struct, frozen=True):
    """A line of a file: what is before the sign of an argument, the sign and its value, and the comment behind them."""

    lead: str
    value: str = ""
    comment: str = ""
    is_inside: bool = False
    """Whether it begins inside of a heredoc or a comment."""

    @property
    def code(self) -> str:
        """The line without its comment."""
        return self.lead + self.value

    @property
    def is_argument(self) -> bool:
        """Whether its sign is aligned."""
        return bool(self.value)


def realigned(text: str, changed: Collection[int]) -> str:
    """Return a text in which the groups of some lines, by number from 0, are aligned.

    A group that was not aligned without these lines is left as it is.
    """
    if not changed:
        return text
    lines = _lines(text)
    for group in _groups(lines, lambda line: line.is_argument):
        _align(lines, group, changed, _with_sign)
    for group in _groups(lines, lambda line: bool(line.comment)):
        _align(lines, group, changed, _with_comment)
    return "\n".join(line.code + line.comment for line in lines)


def _groups(lines: Sequence[SourceLine], belongs: Callable[[SourceLine], bool]) -> Iterator[list[int]]:
    group: list[int] = []
    for number, line in enumerate(lines):
        if belongs(line):
            group.append(number)
        elif group and not line.is_inside:
            yield group
            group = []
    if group:
        yield group


Aligned = Callable[[SourceLine, int], SourceLine]


def _with_sign(line: SourceLine, width: int) -> SourceLine:
    return SourceLine(line.lead.rstrip().ljust(width) + " ", line.value, line.comment)


def _with_comment(line: SourceLine, width: int) -> SourceLine:
    code = line.code.rstrip().ljust(width) + " "
    return SourceLine(code[: len(line.lead)], code[len(line.lead) :], line.comment)


def _align(lines: list[SourceLine], group: Sequence[int], changed: Collection[int], aligned: Aligned) -> None:
    before = [number for number in group if number not in changed]
    if len(before) == len(group):
        return
    if before and any(aligned(lines[number], _width(lines, before, aligned)) != lines[number] for number in before):
        return
    width = _width(lines, group, aligned)
    for number in group:
        lines[number] = aligned(lines[number], width)


def _width(lines: Sequence[SourceLine], group: Sequence[int], aligned: Aligned) -> int:
    return max(len((lines[one].lead if aligned is _with_sign else lines[one].code).rstrip()) for one in group)


def _lines(text: str) -> list[SourceLine]:
    """Return the lines of a text; those that begin inside of a heredoc or a comment have no parts."""
    rows = text.split("\n")
    by_row: list[list[Token]] = [[] for _ in rows]
    number, inside = 0, set[int]()
    for token in tokens(text, 0):
        if token.kind == "newline":
            number += 1
            continue
        by_row[number].append(token)
        more = text.count("\n", token.start, token.end)
        inside.update(range(number + 1, number + more + 1))
        number += more
    starts = accumulate((len(row) + 1 for row in rows), initial=0)
    return [
        SourceLine(row, is_inside=True) if number in inside else _line(text, start, row, by_row[number])
        for number, (start, row) in enumerate(zip(starts, rows, strict=False))
    ]


def _line(text: str, start: int, row: str, found: Sequence[Token]) -> SourceLine:
    comment = found[-1] if len(found) > 1 and found[-1].kind == "comment" else None
    code, told = (row[: comment.start - start], row[comment.start - start :]) if comment else (row, "")
    signs = (token for token in found[1:] if _is_sign(text, token))
    sign = next(signs, None)
    depth = sum(_opens(token) for token in found if sign is not None and token.start >= sign.start)
    if sign is None or depth:
        return SourceLine(code, "", told)
    return SourceLine(code[: sign.start - start], code[sign.start - start :], told)


def _is_sign(text: str, token: Token) -> bool:
    beside = text[token.start - 1], text[token.end : token.end + 1]
    return text[token.start : token.end] == "=" and beside[0] not in "=!<>" and beside[1] not in {"=", ">"}


def _opens(token: Token) -> int:
    return (token.kind == "open") - (token.kind == "close")
