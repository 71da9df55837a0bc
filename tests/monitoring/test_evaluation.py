"""How an alarm of the drill is evaluated: the tables of AWS for missing data, and the statistics.

Source of the tables: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
from fractions import Fraction

import pytest

from infraspec.monitoring.evaluation import MetricKey, NotEvaluatedError, Segment, Watch

KEY = MetricKey("shop", "Errors")
RETAINED = "retained"
THREE_OF_THREE = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("----0", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", RETAINED, "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", "ALARM", RETAINED, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("---X-", "ALARM", RETAINED, "ALARM", "OK"),
]


def watch(statistic: str = "Sum", *, needed: int = 3, missing: str = "missing") -> Watch:
    """Return an alarm on a metric, over three minutes."""
    keys = {"": (KEY, statistic, 1)}
    return Watch(keys, "", 1, 3, needed, missing, operator.gt, Fraction(5))


@pytest.mark.parametrize(
    ("needed", "row"), [*((3, row) for row in THREE_OF_THREE), *((2, row) for row in TWO_OF_THREE)]
)
def test_missing_data_are_treated_as_the_guide_says(needed: int, row: tuple[str, ...]) -> None:
    """Each row of the two tables: `X` breaches, `0` does not, `-` is missing, the newest last."""
    data, *expected = row
    values = {"X": Fraction(9), "0": Fraction(0)}
    world = {KEY: tuple(Segment(values[mark], at, at + 1) for at, mark in enumerate(data, 1) if mark in values)}

    assert expected == [
        watch(needed=needed, missing=missing).state(world, 5, RETAINED)
        for missing in ("missing", "ignore", "breaching", "notBreaching")
    ]


@pytest.mark.parametrize(
    ("statistic", "alarm"),
    [("Sum", True), ("Average", False), ("Minimum", False), ("Maximum", True), ("SampleCount", False), ("p90", True)],
)
def test_statistics(statistic: str, alarm: bool) -> None:  # noqa: FBT001 - a case
    """Of 1, 1 and 9 in a minute the sum, the maximum and the 90th percentile are above 5, the others are not."""
    world = {KEY: (Segment(Fraction(1), 1, count=2), Segment(Fraction(9), 1))}

    assert ("ALARM" if alarm else "OK") == watch(statistic).state(world, 9, "OK")


def test_what_is_not_evaluated_is_said() -> None:
    """A statistic that is not known here is named in the error."""
    with pytest.raises(NotEvaluatedError, match="tm90"):
        watch("tm90").state({}, 9, "OK")


@pytest.mark.parametrize("every", [1, 2, 5, 7])
@pytest.mark.parametrize(("after", "until"), [(0, 5), (3, 4), (5, 5), (0, 100), (13, 17), (-5, 2), (18, 25)])
def test_a_segment_counts_what_a_list_of_its_minutes_has(every: int, after: int, until: int) -> None:
    """What is published in a window is what counting each minute of it gives."""
    minutes = range(3, 20, every)

    assert sum(after < minute <= until for minute in minutes) == Segment(Fraction(1), 3, 20, every).within(after, until)
