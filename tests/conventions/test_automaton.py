"""Three-valued matching of texts with unknown parts: never a verdict that a value of the unknown part contradicts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infraspec.conventions.automaton import Automaton, literal, parse_expression
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Sensitive, Text, Unknown, concatenate

_HIDDEN = Unknown("random_id.this.hex")
_REGEXES = st.sampled_from(["a*b", "(a|b)+-1", "[ab]{2,3}", "a?b?-?1?", "ab-1", "(a-)*b", "", r"\w+-\d"])
_TEXTS = st.text(alphabet="ab-1", max_size=7)


def _automaton(*regexes: str) -> Automaton:
    return Automaton(tuple(parse_expression(regex, key="key") for regex in regexes))


@given(st.lists(_REGEXES, min_size=1, max_size=3), _TEXTS, st.integers(0, 7), st.integers(0, 7))
def test_hiding_a_part_never_contradicts_the_known_verdict(regexes: list[str], text: str, start: int, end: int) -> None:
    """With a part hidden the verdict is the known one, or UNDETERMINED."""
    automaton = _automaton(*regexes)
    start, end = sorted((start, end))
    hidden = concatenate((text[:start], _HIDDEN, text[end:]))
    assert automaton.judge(hidden) in {Verdict.UNDETERMINED, automaton.judge(text)}


@given(_REGEXES, _TEXTS, _TEXTS)
def test_violated_means_that_no_value_matches(regex: str, before: str, after: str) -> None:
    """A text with a hole is VIOLATED exactly if no filling of the hole up to a length matches."""
    automaton = _automaton(regex)
    fillings = ("", *(f + g + h + i for f in "ab-1" for g in ("", *"ab-1") for h in ("", *"b-1") for i in ("", "1")))
    fits = any(automaton.matches(before + filling + after) for filling in fillings)
    verdict = automaton.judge(concatenate((before, _HIDDEN, after)))
    if fits:
        assert verdict is Verdict.UNDETERMINED
    else:
        assert verdict is not Verdict.PROVEN


def test_two_holes() -> None:
    """Known text between two unknown parts still counts."""
    automaton = _automaton("a+-b+")
    assert automaton.judge(Text((_HIDDEN, "-", _HIDDEN))) is Verdict.UNDETERMINED
    assert automaton.judge(Text((_HIDDEN, "--", _HIDDEN))) is Verdict.VIOLATED
    assert automaton.judge(Text((_HIDDEN, "c", _HIDDEN))) is Verdict.VIOLATED


def test_wholly_unknown_and_sensitive_values_are_open() -> None:
    """An Unknown is UNDETERMINED, and so is a Sensitive, whose value is not looked at."""
    automaton = _automaton("prod")
    assert automaton.judge(_HIDDEN) is Verdict.UNDETERMINED
    assert automaton.judge(Sensitive("var.name", "prod")) is Verdict.UNDETERMINED
    assert automaton.judge(Sensitive("var.name", "other")) is Verdict.UNDETERMINED


def test_the_departure_is_the_longest_beginning_that_can_go_on() -> None:
    """The departure counts the characters up to the first one that nothing which matches has there."""
    automaton = Automaton((literal("daily-"), parse_expression("postgres|mysql", key="key")))
    assert automaton.departure("daily-mysql5") == len("daily-mysql")
    assert automaton.departure("daily-post") == len("daily-post")
    assert automaton.departure("weekly") == 0


def test_parts_at_a_position() -> None:
    """The parts that can go on at a position are those of the sequence given."""
    automaton = Automaton((parse_expression("a+", key="key"), literal("-b")))
    assert automaton.parts_at(automaton.follow(automaton.start, "a")) == [0, 1]
    assert automaton.parts_at(automaton.follow(automaton.start, "a-")) == [1]
    assert automaton.parts_at(automaton.follow(automaton.start, "x")) == []
