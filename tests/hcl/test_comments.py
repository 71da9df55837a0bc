"""What each comment stands on, in texts that are made with the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infraspec.hcl.ast import SourceText
from infraspec.hcl.comments import comments
from infraspec.hcl.parser import parse

TRAPS = (
    '"plain"',
    '"# w0 // w0 /* w0 */"',
    '"a ${ f("} # w0", { x = "]" }) } \\" # w0"',
    '"$${ # w0"',
    '"%{ if a }# w0%{ endif }"',
    '<<-EOT\n  # w0 { [ (\n  ${ join("# w0", [1]) }\n  EOTX\n  EOT',
    '<<EOT\n/* w0\n"\nEOT',
)
"""Values with what looks like comments and brackets, and is text."""


class _Writer:
    """Write a configuration line by line; `stands` has the lines that each comment is to stand on."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw
        self.lines: list[str] = []
        self.stands: dict[str, tuple[int, int]] = {}
        self._names = 0

    def body(self, depth: int) -> None:
        """Write blocks and arguments."""
        for _ in range(self._draw(st.integers(0, 3))):
            kind = self._draw(st.sampled_from(["value", "value", "list", "object", "call", *["block"] * (depth > 0)]))
            self._item(kind, depth, "")

    def _item(self, kind: str, depth: int, after: str) -> None:
        before = [self._comment() for _ in range(self._draw(st.integers(0, 2)))]
        for name in before:
            shape = self._draw(st.sampled_from(["# {}", "// {}", "/* {} */", "/* {}\n more */"]))
            self._write(shape.format(name))
        first = len(self.lines) + 1
        self._names += 1
        name = f"n{self._names}"
        behind = self._comment() if self._draw(st.booleans()) else ""
        opening = f" # {behind}" if behind and kind != "value" and self._draw(st.booleans()) else ""
        if kind == "value":
            value = self._draw(st.sampled_from(TRAPS))
            behind = "" if value.startswith("<<") else behind
            self._write(f"{name} = {value}{after}")
        elif kind == "block":
            self._write(f'resource "x" "{name}" {{{opening}')
            self.body(depth - 1)
            self._write("}")
        elif kind == "object":
            self._write(f"{name} = {{{opening}")
            for _ in range(self._draw(st.integers(0, 2))):
                self._item("value", 0, "")
            self._write("}")
        else:
            bracket = "[" if kind == "list" else "f("
            self._write(f"{name} = {bracket}{opening}")
            for _ in range(self._draw(st.integers(1, 2)) if kind == "call" else self._draw(st.integers(0, 2))):
                self._element()
            self._write("]" if kind == "list" else ")")
        if behind and not opening:
            self.lines[-1] += f" # {behind}"
        place = first, len(self.lines)
        self.stands |= dict.fromkeys([*before, *filter(None, [behind])], place)

    def _element(self) -> None:
        before = self._comment() if self._draw(st.booleans()) else ""
        if before:
            self._write(f"# {before}")
        behind = self._comment() if self._draw(st.booleans()) else ""
        first = len(self.lines) + 1
        self._write(self._draw(st.sampled_from(['"e # w0",', "{\na = 1\n},", "[1, 2],", "g(\n1),"])))
        place = first, len(self.lines)
        if behind:
            self.lines[-1] += f" // {behind}"
        self.stands |= dict.fromkeys(filter(None, [before, behind]), place)

    def _comment(self) -> str:
        self._names += 1
        return f"c{self._names}"

    def _write(self, text: str) -> None:
        self.lines += text.split("\n")


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_comment_stands_on_what_it_is_written_at(data: st.DataObject) -> None:
    """Before or behind a block, an argument or an element, whatever strings and heredocs hold."""
    writer = _Writer(data.draw)
    writer.body(2)
    text = "\n".join([*writer.lines, ""])
    parse(text, "f")  # it is HCL

    found = {one.text.strip("#/* ").split()[0]: (one.first, one.last) for one in comments(SourceText("f", text))}

    assert writer.stands == found


NOWHERE = ("# c\n", "# c\n\na = 1\n", "b {\n  a = 1\n  # c\n}\n", "a = [\n  1,\n  # c\n]\n", "\n/* c */\n\nb {}\n")


@pytest.mark.parametrize("text", NOWHERE)
def test_a_comment_without_an_item_stands_on_nothing(text: str) -> None:
    """One at the end of a body, and one with an empty line after it, have nothing to stand on."""
    assert [(0, 0)] == [(one.first, one.last) for one in comments(SourceText("f", text))]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_expression_over_several_lines_is_one_item(end: str) -> None:
    """A comment in the middle of it stands on all of it, and lines may end as on Windows."""
    text = end.join(["a = (b ||", "  # c", "  c)", "d = { for k, v in x :", "  k => v # c", "}", ""])
    assert [(1, 3), (4, 5)] == [(one.first, one.last) for one in comments(SourceText("f", text))]


@settings(max_examples=300, deadline=None, database=None)
@given(
    text=st.lists(
        st.sampled_from(("{", "}", "[", "]", "(", ")", '"', "${", "<<E\n", "E\n", "#c\n", "/*", "*/", "\n", "a"))
    ).map("".join)
)
def test_any_text_is_read_to_its_end(text: str) -> None:
    """Text that is no HCL is none of its business: the parser says so."""
    for one in comments(SourceText("f", text)):
        assert 0 <= one.first <= one.last <= text.count("\n") + 1


def test_many_comments_before_an_item_stand_on_it() -> None:
    """All lines of a long comment stand on what follows; none is looked for among the others."""
    found = comments(SourceText("f", "# c\n" * 20_000 + "a = 1\n"))
    assert (20_000, {(20_001, 20_001)}) == (len(found), {(one.first, one.last) for one in found})


def test_a_comment_that_is_never_closed_ends_with_the_text() -> None:
    """It is one comment, however often another one seems to begin in it."""
    assert ["/* c " * 20_000] == [one.text for one in comments(SourceText("f", "/* c " * 20_000))]
