"""Text of others, as it may be shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.core.errors import ContractError
from infraspec.core.finding import Finding, Location, Related, Verdict
from infraspec.core.visible_text import visible, visible_json, visible_line

SHOWN = {
    "\x1b[31mred": r"\x1b[31mred",
    "a\r::error::x": r"a\x0d::error::x",
    "a\r\nb": "a\nb",
    "a\n  ::error file=x::b": "a\n  \\x3a:error file=x::b",
    "::endgroup::": r"\x3a:endgroup::",
    "say ::add-mask::x": r"say \x3a:add-mask::x",
    "a ##[error]b": r"a \x23#[error]b",
    "##vso[task.complete]": r"\x23#vso[task.complete]",
    "\u202egnp.exe": r"\u202egnp.exe",
    "se\u200bcret": r"se\u200bcret",
    "tag\U000e0041": r"tag\U000e0041",
    "https://user:token@example.com/x": "https://***@example.com/x",
    "git::https://token@example.com/x.git?ref=1": "git::https://***@example.com/x.git?ref=1",
    "ssh://git@github.com/shop/infra": "ssh://git@github.com/shop/infra",
    "arn:aws:iam::aws:policy/ReadOnlyAccess": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "a.py::test_one and b.py::test_two": "a.py::test_one and b.py::test_two",
    "cidr_ipv6 ::/0 and ::ffff:10.0.0.1": "cidr_ipv6 ::/0 and ::ffff:10.0.0.1",
    "## A heading, a\ttab and 日本語 e\u0301": "## A heading, a\ttab and 日本語 e\u0301",
}
"""By what is given."""


@pytest.mark.parametrize("text", SHOWN)
def test_text(text: str) -> None:
    """What controls, turns or hides is an escape, a command is none; all else stays as it is."""
    assert SHOWN[text] == visible(text)


@given(st.text())
def test_text_that_is_shown_already(text: str) -> None:
    """A text that went through once stays as it is."""
    assert visible(text) == visible(visible(text))


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same(value: object) -> None:
    """What is escaped in JSON is what it was for who reads it."""
    text = json.dumps(value, ensure_ascii=False)

    if "@" not in text:
        assert value == json.loads(visible_json(text))


def test_a_name_has_one_line() -> None:
    """A line break in it is an escape."""
    assert r"a\n::error::b" == visible_line("a\n::error::b")


def test_findings_and_errors_are_visible() -> None:
    """Whoever makes them, and wherever they are shown."""
    finding = Finding(
        "names",
        Verdict.VIOLATED,
        'a["x\n::error::y"]',
        location=Location("\u202ea.tf", 3),
        found="a\x1b[0m",
        related=(Related("role", "r\u200b"),),
        also=(("b\x07", "c"),),
    )

    assert r'a["x\n\x3a:error::y"]' == finding.address
    assert r"\u202ea.tf" == (finding.location.file if finding.location else "")
    assert (r"a\x1b[0m", r"r\u200b", ((r"b\x07", "c"),)) == (finding.found, finding.related[0].address, finding.also)
    assert r"x\x07: no" == str(ContractError("no", place="x\x07"))
