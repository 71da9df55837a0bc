from __future__ import annotations

import pytest
from msgspec.structs import replace

from infraspec.core.finding import Verdict
from infraspec.reporting.run.results import Count, Problem, Results
from infraspec.reporting.trends.history import Trend, level_of, trends
from tests.reporting.history import BROKEN, MOVED, OTHER, QUEUE, at
from tests.reporting.results import RUN, WAIVER, entry


def only(*runs: Results, columns: int = 60) -> Trend:
    """Return the one trend of runs."""
    (trend,) = trends(runs, columns)
    return trend


def ages(trend: Trend) -> dict[str, tuple[int, bool]]:
    """Return the open findings by address: days, and whether the oldest run has them."""
    return {one.entry.finding.address: (one.days, one.is_oldest) for one in trend.open}


def test_age() -> None:
    """A finding is as old as the first run of those without a gap that have it."""
    trend = only(at(1, OTHER), at(3), at(5, QUEUE, OTHER), at(9, QUEUE, OTHER))

    assert {QUEUE.finding.address: (4, False), "aws_sqs_queue.other": (4, False)} == ages(trend)
    assert (0, 0) == (trend.opened, trend.fixed)


def test_what_the_oldest_run_has_may_be_older() -> None:
    """Nobody knows since when the findings of the first run were there."""
    assert {QUEUE.finding.address: (6, True)} == ages(only(at(1, QUEUE), at(7, QUEUE)))


def test_moves_are_followed() -> None:
    """A finding is as old under the address that a moved block gives it, and nothing is new or fixed by it."""
    after = entry(address=QUEUE.finding.address.replace("jobs", "work"))
    trend = only(at(1), at(2, QUEUE), at(8, after, moves=MOVED), at(9, after, moves=MOVED))

    assert {"module.work.aws_sqs_queue.this": (7, False)} == ages(trend)
    assert 1 == only(at(1), at(2, QUEUE), at(8, after)).opened
    assert 0 == only(at(1), at(2, QUEUE), at(8, after, moves=MOVED)).opened


def test_a_move_of_another_environment_moves_nothing() -> None:
    """Moves hold in their environment."""
    moves = (replace(MOVED[0], environment="prod"),)

    assert {QUEUE.finding.address: (7, True)} == ages(only(at(1, QUEUE), at(8, QUEUE, moves=moves)))


def test_new_and_mended() -> None:
    """The last run is compared with the one before."""
    trend = only(at(1, QUEUE), at(2, OTHER))

    assert (1, 1) == (trend.opened, trend.fixed)


def test_a_rule_that_did_not_run_mends_nothing() -> None:
    """Its findings stay open, with the day on which somebody looked."""
    trend = only(at(1), at(2, QUEUE), at(5, ran={"dev": ("tags",)}, complete=False))
    (one,) = trend.open

    assert (2, 0, "02" * 20) == (one.looked.day, one.days, one.commit)
    assert (0, 0) == (trend.opened, trend.fixed)
    assert [None] == [cells[-1] for rule, cells in trend.rows.items() if rule == "names"]


def test_a_waived_finding_stays_open() -> None:
    """A waiver does not make a finding younger."""
    trend = only(at(1), at(2, QUEUE), at(4, entry(state="waived", waiver=WAIVER)))

    assert {QUEUE.finding.address: (2, False)} == ages(trend)


def test_advice_is_not_open() -> None:
    """What is proven is nothing to fix, also where it could be better."""
    assert () == only(at(1, entry(verdict=Verdict.PROVEN, state="advice", advice=True))).open


def test_equal_findings_are_counted() -> None:
    """Two findings of one key are one line."""
    (one,) = only(at(1, QUEUE, QUEUE)).open

    assert 2 == one.times


def test_suites_and_environments_are_apart() -> None:
    """The same rule of the two suites, or of two environments, has nothing to do with one another."""
    both = {"dev": ("names",), "prod": ("names",)}
    found = trends([at(1, QUEUE, ran=both), at(2, suite="live"), at(3, ran={"repository": ("process",)})], 60)

    assert [("static", "dev"), ("static", "prod"), ("static", "repository"), ("live", "dev")] == [
        (trend.suite, trend.environment) for trend in found
    ]
    assert [1, 0, 0, 0] == [len(trend.open) for trend in found]


def test_tests_without_a_verdict() -> None:
    """They are counted in their environment; an error that ends the run counts in every one."""
    ended = Problem("broken", "", "repository", "HclSyntaxError", "x.tf:1: no HCL")
    both = {"dev": ("names",), "prod": ("names",)}
    runs = [
        at(1, ran=both, problems=(BROKEN,)),
        replace(at(2), counts=(), run=replace(RUN, environments=()), problems=(ended,)),
    ]
    runs[1] = replace(runs[1], run=replace(runs[1].run, time="2026-11-02T08:00:00+00:00"))
    found = {trend.environment: [column.broken for column in trend.columns] for trend in trends(runs, 60)}

    assert {"dev": [1, 1], "prod": [0, 1], "repository": [1]} == found


def test_few_columns_and_old_findings() -> None:
    """The runs that are not shown count for ages."""
    trend = only(*(at(day, QUEUE) for day in range(1, 21)), columns=3)

    assert [18, 19, 20] == [column.time.day for column in trend.columns]
    assert {QUEUE.finding.address: (19, True)} == ages(trend)


@pytest.mark.parametrize(
    ("numbers", "level"),
    [
        ((3, 1, 1, 1, 1), "violated"),
        ((3, 0, 1, 1, 1), "undetermined"),
        ((3, 0, 0, 1, 0), "accepted"),
        ((0, 0, 0, 0, 1), "accepted"),
        ((3, 0, 0, 0, 0), "proven"),
        ((0, 0, 0, 0, 0), "empty"),
    ],
)
def test_the_worst_counts(numbers: tuple[int, int, int, int, int], level: str) -> None:
    """A cell is as bad as the worst finding; what is waived is not proven."""
    assert level == level_of(Count("dev", "names", *numbers))
