"""Filter patterns, event patterns, composite rules and metric math, by data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infraspec.monitoring.alarms import UnreadableExpressionError, difference
from infraspec.monitoring.delivery import fires_with
from infraspec.monitoring.event_rules import takes
from infraspec.monitoring.log_metrics import counts

DATA = Path(__file__).parent / "data"


def cases(name: str) -> list[Any]:
    """Return the cases of a data file, numbered."""
    found = json.loads((DATA / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=str(number)) for number, case in enumerate(found)]


@pytest.mark.parametrize("case", cases("filter_patterns.json"))
def test_filter_pattern(case: dict[str, Any]) -> None:
    """A filter pattern counts an event, does not, or cannot be read."""
    assert case["counts"] is counts(case["pattern"], case["event"])


@pytest.mark.parametrize("case", cases("event_patterns.json"))
def test_event_pattern(case: dict[str, Any]) -> None:
    """An event pattern takes an event, does not, or it cannot be decided."""
    assert case["takes"] is takes(case["pattern"], case["event"])


@example('"\x1f"')
@example('$.a = "\\x"')
@given(st.text())
def test_any_text_is_a_filter_pattern_or_unreadable(pattern: str) -> None:
    """No text breaks the reader of filter patterns."""
    assert counts(pattern, '{"a": 1}') in {True, False, None}
    assert counts(f"{{{pattern}}}", '{"a": 1}') in {True, False, None}


@pytest.mark.parametrize(
    ("rule", "fires"),
    [
        ('ALARM("a")', True),
        ("ALARM(a)", True),
        ("ALARM(a) OR ALARM(b)", True),
        ("ALARM(b) OR (ALARM(a) AND TRUE)", True),
        ("NOT OK(a)", True),
        ("ALARM(a) AND (ALARM(b) OR NOT ALARM(b))", True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(a) AND NOT ALARM(b)", False),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA(a)", False),
        ("ALARM(b)", False),
        ("FALSE", False),
        ("ALARM(a) AND FALSE", False),
        ("ALARM(a", None),
        ("ALARM(a) ALARM(b)", None),
        (" OR ".join(f"ALARM(other{number})" for number in range(9)) + " OR ALARM(a)", None),
    ],
)
def test_composite_rule(rule: str, fires: bool | None) -> None:  # noqa: FBT001 - a table of cases
    """A composite alarm fires with another if its rule is true whatever the rest of its alarms are."""
    assert fires is fires_with(rule, "a", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a")


WANTED = "100 * failed / (failed + FILL(started, 0))"


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (WANTED, ""),
        ("failed / (FILL(started, 0) + failed) * 100", ""),
        ("100 * (failed / SUM([failed, started]))", ""),
        ("100 * failed / (failed + started)", "it has no value while there is no data of started"),
        ("100 * failed / started", "it computes something else"),
        ("failed / (failed + FILL(started, 0))", "it computes something else"),
        ("100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(started, 0))", ""),
        ("100 * started / (failed + FILL(started, 0))", "it computes something else"),
    ],
)
def test_expressions_are_compared_by_value(found: str, problem: str) -> None:
    """Another way to write it is the same; one that is silent for missing data, or computes another number, is not."""
    assert problem == difference(WANTED, found, ["failed", "started"])


@pytest.mark.parametrize("found", ["ANOMALY_DETECTION_BAND(failed)", "failed +", "failed > 3", "'x'", "other"])
def test_expressions_that_are_not_arithmetic_are_unreadable(found: str) -> None:
    """What is not evaluated here is said, not guessed."""
    with pytest.raises(UnreadableExpressionError):
        difference(WANTED, found, ["failed", "started"])


VAGUE = "x0123456789abcdef"
WORDS = st.sampled_from(["api", "api-1", "service:api", "service:*", "*", "RUNNING", ""])


@given(value=WORDS, wanted=WORDS, operator=st.sampled_from(["=", "!="]), begin=st.sampled_from(["", "service:", "api"]))
def test_what_a_filter_says_of_a_part_that_is_not_known_holds_for_each_value(
    value: str, wanted: str, operator: str, begin: str
) -> None:
    """A filter pattern says True or False of an event with an unknown part only if it does so whatever that is."""
    pattern = f'{{ $.group {operator} "{wanted}" && $.status = "RUNNING" }}'
    said = counts(pattern, json.dumps({"group": begin + VAGUE, "status": "RUNNING"}))
    assert said is None or said is counts(pattern, json.dumps({"group": begin + value, "status": "RUNNING"}))
    assert counts(pattern, json.dumps({"group": VAGUE, "status": "STOPPED"})) is False


MATCHERS = st.one_of(
    WORDS,
    st.sampled_from(["prefix", "suffix", "wildcard", "equals-ignore-case"]).flatmap(
        lambda name: WORDS.map(lambda word: {name: word})
    ),
    WORDS.map(lambda word: {"anything-but": [word]}),
)


@given(value=WORDS, matcher=MATCHERS, begin=st.sampled_from(["", "service:", "api"]))
def test_what_an_event_pattern_says_of_a_part_that_is_not_known_holds_for_each_value(
    value: str, matcher: Any, begin: str
) -> None:
    """An event pattern says True or False of an event with an unknown part only if it does so whatever that is."""
    pattern = {"group": [matcher], "status": ["RUNNING"]}
    said = takes(pattern, {"group": begin + VAGUE, "status": "RUNNING"})
    assert said is None or said is takes(pattern, {"group": begin + value, "status": "RUNNING"})
    assert takes(pattern, {"group": VAGUE, "status": "STOPPED"}) is False
