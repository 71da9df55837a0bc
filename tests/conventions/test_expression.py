"""Regular expressions of the contract: the same texts match as in Python's re, without its backtracking."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.conventions.automaton import Automaton, parse_expression
from infraspec.core.errors import ContractError

_ATOMS = st.sampled_from(
    ["a", "b", "-", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "[]a]", r"[\]b-]", "1", "", "{", "(?:)"]
)
_SIGNS = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{,2}", "{0,2}", "*?", "+?", "{2}?"])


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, _SIGNS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        inner.map(lambda text: f"(?P<g>{text})" if "?P<" not in text else text),
    )


EXPRESSIONS = st.recursive(_ATOMS, _compound, max_leaves=8).map(
    lambda text: text.replace("(?P<g>", "(", text.count("(?P<g>") - 1)
)
TEXTS = st.text(alphabet="ab-1.]{\n", max_size=8)


def _automaton(regex: str) -> Automaton:
    return Automaton((parse_expression(regex, key="key"),), key="key")


@given(EXPRESSIONS, TEXTS)
def test_the_same_texts_match_as_in_re(regex: str, text: str) -> None:
    """An expression matches a text exactly if re.fullmatch does."""
    assert (re.fullmatch(regex, text) is not None) == _automaton(regex).matches(text)


@pytest.mark.parametrize(
    ("regex", "text", "expected"),
    [
        ("^a|b$", "a", True),
        ("^a|b$", "b", True),
        ("^prod$", "prod", True),
        ("^prod$", "prod\n", False),
        (r"\x41\u3042", "Aあ", True),
        ("{}", "{}", True),
        ("a{x}", "a{x}", True),
        ("a{,}", "aaa", True),
        ("[[a]", "[", True),
        (r"\t", "\t", True),
        ("", "", True),
        ("a|", "", True),
        ("[a-z0-9]+(-[a-z0-9]+)*", "a-b-c", True),
        ("[a-z0-9]+(-[a-z0-9]+)*", "a--b", False),
    ],
)
def test_syntax(regex: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a case of the table
    """Anchors at the ends, escapes, braces that are no quantifier and empty expressions are read as in Python."""
    assert expected == _automaton(regex).matches(text)


@pytest.mark.parametrize(
    ("regex", "construct"),
    [
        ("(?!prod)x", "(?!"),
        ("(?<=a)b", "(?<"),
        ("(?i)a", "(?i"),
        ("(?>a)", "(?>"),
        (r"(a)\1", r"\1"),
        (r"\bword", r"\b"),
        (r"\Aword", r"\A"),
        ("a^b", "anchor ^"),
        ("(a$)", "anchor $"),
        ("a*+", "possessive"),
        ("a{2000}", "more than 1000 times"),
        ("(" * 60 + "a" + ")" * 60, "nested more than 50"),
    ],
)
def test_what_is_not_regular_is_refused(regex: str, construct: str) -> None:
    """Lookaround, back-references, flags and the like end in an error that names the construct and the key."""
    with pytest.raises(ContractError) as caught:
        parse_expression(regex, key="names.placeholders.x")
    assert construct in caught.value.message
    assert caught.value.place == "names.placeholders.x"
    assert caught.value.found == regex


def test_an_expression_that_is_none_has_a_caret() -> None:
    """An error of the syntax shows where it is and says what to do."""
    with pytest.raises(ContractError) as caught:
        parse_expression("a(b", key="names.placeholders.x")
    assert caught.value.excerpt == "a(b\n ^"
    assert "backslash" in caught.value.remedy


def test_an_expression_that_grows_too_large_is_refused() -> None:
    """Nested repetitions that multiply end in an error and not in a long wait."""
    with pytest.raises(ContractError, match="too large"):
        _automaton("((a{1000}){1000}){1000}")


def test_nothing_backtracks() -> None:
    """An expression that is exponential in a backtracking matcher is linear here."""
    assert not _automaton("(a+)+(a|aa)+(a+)*b").matches("a" * 2000)
