"""Regular expressions that somebody else wrote."""

from __future__ import annotations

import pytest

from infraspec.core import regular_expressions
from infraspec.core.errors import LimitError
from infraspec.core.regular_expressions import PatternError, begins, compiled, fits

HOSTILE = ["^([a-z0-9]+-?)+$", "(a|aa)+$", "(a*)*b", "^(.*)*x$", r"(\w+\s?)+#"]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_pattern_that_backtracks_for_years_is_matched_at_once(pattern: str) -> None:
    """No pattern takes more time than what is linear in the text."""
    assert compiled(pattern).search("a" * 100_000 + "!?") is None


def test_an_empty_match_is_not_found_in_the_middle_of_a_character() -> None:
    """RE2 sees bytes, and a text has characters."""
    assert [0, 2] == [found.start() for found in compiled(r"\b|\B").finditer("é")]


def test_what_is_replaced_keeps_what_stands_around_it() -> None:
    """Text between the matches, which may take more bytes than it has characters, stays."""
    assert "é-ü-" == compiled("[ab]+").sub(lambda _: "-", "éaüb")
    assert "é" == compiled("x").sub(lambda _: "-", "é")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(?=b)", "invalid perl operator: (?="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        (r"a\C", r"invalid escape sequence: \C"),
        ("(?P<é>a)", "invalid named capture group: (?P<é>"),
    ],
)
def test_what_terraform_refuses_is_refused(pattern: str, reason: str) -> None:
    """Lookaround, back-references, single bytes and names that are not ASCII are no part of the syntax."""
    with pytest.raises(PatternError) as caught:
        compiled(pattern)
    assert reason == str(caught.value)


def test_a_pattern_of_many_instructions_is_compiled() -> None:
    """The keys of AWS's tags have 128 characters of a large class."""
    assert fits(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}", "env: près")


@pytest.mark.parametrize(
    ("pattern", "text"), [(r"\pL{500}", "a" * 10_000), (r"(\PL\PN){500}" * 9, ""), ("a.*b|a", "a" * 20_000)]
)
def test_what_would_take_too_long_is_an_error(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program or a text is too large, or a text is read again and again."""
    monkeypatch.setattr(regular_expressions, "_MOST_SECONDS", 0.01)

    with pytest.raises(LimitError):
        list(compiled(pattern).finditer(text))


def test_the_beginning_or_the_whole_of_a_text_is_asked_for() -> None:
    """An alternative is bound by the ends like the others."""
    assert begins("a|b", "bc")
    assert not begins("a|b", "cb")
    assert not fits("a|b", "bc")
