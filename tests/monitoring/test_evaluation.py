"""How an alarm of the drill is evaluated: the tables of AWS for missing data, and the statistics.

Source of the tables: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
import random
from fractions import Fraction

import pytest

from infraspec.monitoring.boolean_expressions import STATES
from infraspec.monitoring.evaluation import ANY_STATE, MetricKey, NotEvaluatedError, Segment, Watch

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


COMPARED = (operator.gt, operator.ge, operator.lt, operator.le)
STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50")


def any_watch(choose: random.Random) -> Watch:
    """Return some alarm on a metric."""
    period, periods = choose.randint(1, 2), choose.randint(1, 3)
    missing = choose.choice(["missing", "ignore", "breaching", "notBreaching"])
    compare, threshold = choose.choice(COMPARED), Fraction(choose.choice(["0", "0.5", "1", "3"]))
    keys = {"": (KEY, choose.choice(STATISTICS), period)}
    return Watch(keys, "", period, periods, choose.randint(1, periods), missing, compare, threshold)


@pytest.mark.parametrize("seed", range(60))
def test_default_values_leave_open_what_lines_may_come(seed: int) -> None:
    """However many lines a filter does not match, and when, the state is one of those that are said to be possible."""
    choose = random.Random(seed)  # noqa: S311 - to choose cases
    watch, default = any_watch(choose), Fraction(choose.choice([0, 1, 5]))
    counted = tuple(
        Segment(Fraction(1), at, at + 1) for at in range(1, 15) if choose.random() < choose.choice([0, 0.4])
    )
    for before in STATES:
        possible = watch.states({KEY: counted}, 14, frozenset({before}), {KEY: (default,)})
        for _ in range(20):
            often = choose.random()
            lines = (
                Segment(default, at, at + 1, count=choose.choice([1, 3, 10_000]))
                for at in range(1, 15)
                if choose.random() < often
            )
            assert watch.state({KEY: (*counted, *lines)}, 14, before) in possible


@pytest.mark.parametrize(
    ("default", "statistic", "threshold", "expected"),
    [
        ("0", "Sum", "0", {"ALARM"}),
        ("0", "Maximum", "0", {"ALARM"}),
        ("0", "Average", "0", {"ALARM"}),
        ("0", "Average", "0.5", {"ALARM", "OK"}),
        ("0", "Minimum", "0", {"ALARM", "OK"}),
        ("0", "SampleCount", "0", {"ALARM"}),
        ("0", "SampleCount", "1", {"ALARM", "OK"}),
        ("1", "Sum", "1", {"ALARM", "OK"}),
        ("-1", "Sum", "0", {"ALARM", "OK"}),
    ],
)
def test_a_default_value_leaves_open_what_it_changes_alone(
    default: str, statistic: str, threshold: str, expected: set[str]
) -> None:
    """Of one line that counts 1, beside any number of others: a sum above 0 is certain with a default value of 0."""
    watch = Watch({"": (KEY, statistic, 1)}, "", 1, 1, 1, "notBreaching", operator.gt, Fraction(threshold))
    world = {KEY: (Segment(Fraction(1), 9, 10),)}

    assert expected == watch.states(world, 9, frozenset({"OK"}), {KEY: (Fraction(default),)})


def test_a_default_value_that_is_not_known_leaves_all_open() -> None:
    """And one of another metric nothing."""
    world = {KEY: (Segment(Fraction(9), 1),)}

    assert ANY_STATE == watch().states(world, 9, frozenset({"OK"}), {KEY: (None,)})
    assert {"ALARM"} == watch().states(world, 9, frozenset({"OK"}), {MetricKey("shop", "Other"): (None,)})
