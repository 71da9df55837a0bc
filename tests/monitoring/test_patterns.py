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
    """An event pattern takes an event, does not, or it cannot be told."""
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
