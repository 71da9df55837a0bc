from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.process.checklist import PullRequest
from infraspec.process.history import Alert
from infraspec.process.incidents import DeploymentRecord, Incident, incident_of
from infraspec.process.markdown import Item
from infraspec.reporting.kpi import GOALS, Figure, Period, Sources, kpi_plot, kpi_text, measured
from tests.process.test_incidents import record

PERIOD = Period(date(2026, 2, 10), date(2026, 4, 9))
NOTHING = Sources()


def moment(day: str) -> datetime:
    """Return noon of a day of 2026."""
    return datetime.fromisoformat(f"2026-{day}T12:00:00+00:00")


def incident(day: str, minutes: int | None = 20, environment: str = "prod") -> Incident:
    """Return an incident of a day, restored after some minutes."""
    start = moment(day)
    restored = None if minutes is None else start + timedelta(minutes=minutes)
    return replace(
        incident_of(record()),
        environment=environment,
        started=start,
        detected=start,
        restored=restored,
        resolved=restored,
    )


def request(ticked: str, merged: str | None = None) -> PullRequest:
    """Return a pull request that has ticked some of the items a and b."""
    items = tuple(Item(text, text in ticked, 1) for text in "ab")
    return PullRequest(1, items, moment(merged) if merged else None)


SOURCES = Sources(
    incidents=(incident("01-05"), incident("02-01"), incident("03-01", 40), incident("03-02", None, "dev")),
    deployments=(
        *(DeploymentRecord(moment("03-03"), "prod", "succeeded") for _ in range(99)),
        DeploymentRecord(moment("04-01"), "prod", "rolled-back"),
        DeploymentRecord(moment("05-01"), "prod", "failed"),
    ),
    alerts=(
        Alert(moment("03-01"), "a", "prod"),
        Alert(moment("03-05"), "b", "prod"),
        Alert(moment("03-05"), "c", ""),
        Alert(moment("01-05"), "d", "prod"),
    ),
    requests=(request("ab", "03-01"), request("a"), request("", "05-01")),
    checklist=("a", "b"),
)


def figure(number: int, sources: Sources = SOURCES, period: Period = PERIOD) -> Figure:
    """Return one of the figures."""
    return measured(sources, period)[number]


@pytest.mark.parametrize(
    ("number", "value", "before", "months", "is_kept"),
    [
        (0, 2, 2, (0, 2, 0), False),
        (1, 40, 20, (None, 40, None), False),
        (2, 99, None, (None, 100, 0), True),
        (3, 75, 50, (50, 75, 50), False),
        (4, 50, 0, (None, 50, None), False),
        (5, None, None, (None, None, None), None),
    ],
)
def test_figures(
    number: int,
    value: float,
    before: float | None,
    months: tuple[float | None, ...],
    is_kept: bool | None,  # noqa: FBT001 - a case
) -> None:
    """Each of what happened in the period alone; a month without data has none."""
    found = figure(number)

    assert (value, before, months) == (found.value, found.before, found.months)
    assert is_kept is found.is_kept


def test_time_of_changes() -> None:
    """It counts in the period of the deployment; the month of its picture has the bound of the whole period."""
    changes = (
        replace(request("", "01-10"), begun=moment("01-05")),
        replace(request("", "02-08"), begun=moment("02-07")),
        replace(request("", "03-02"), begun=moment("03-01"), is_infrastructure=False),
        request("", "03-02"),
    )
    deployments = tuple(DeploymentRecord(moment(day), "prod", "succeeded") for day in ("01-10", "02-10", "03-10"))
    sources = replace(NOTHING, requests=changes, deployments=deployments)
    found = figure(5, sources)

    assert (72, 120, (72, None, None), True) == (found.value, found.before, found.months, found.is_kept)
    assert "1 change of infrastructure" in kpi_text("shop", measured(sources, PERIOD), sources, PERIOD)
    assert kpi_plot("shop", [found], PERIOD).count('class="goal"') == 1


def test_one_environment() -> None:
    """Incidents, deployments and alerts of it; pull requests are of all."""
    assert [1, None, None, 75, None, None] == [found.value for found in measured(SOURCES.of("dev"), PERIOD)]


def test_nothing_is_unknown() -> None:
    """What is not given has no value, and reaches no goal."""
    for found in measured(NOTHING, PERIOD):
        assert (None, None) == (found.value, found.is_kept)


@pytest.mark.parametrize(
    ("number", "value", "before", "is_kept"),
    [
        (0, 1, 2, True),
        (0, 2, 3, False),
        (0, 0, 0, None),
        (0, 0, None, None),
        (1, 30, None, True),
        (1, 30.1, None, False),
        (2, 99, None, True),
        (2, 98.9, None, False),
        (3, 95, None, False),
        (3, 95.1, None, True),
        (4, 5, None, False),
        (4, 4.9, None, True),
        (5, 8, 10, True),
        (5, 8.1, 10, False),
        (5, 8, None, None),
    ],
)
def test_goals(number: int, value: float, before: float | None, is_kept: bool | None) -> None:  # noqa: FBT001 - a case
    """The bounds are those of the requirements: half, 30 minutes, 99 %, more than 95 %, less than 5 %, a fifth less."""
    assert is_kept is GOALS[number].is_kept(value, before)


@given(st.dates(date(2020, 1, 1), date(2027, 12, 31)), st.integers(0, 900))
def test_months_are_the_period(first: date, days: int) -> None:
    """Its parts follow one another without gap, and the period before is as long and ends where it begins."""
    period = Period(first, first + timedelta(days=days))
    months = period.months()

    assert (period.first, period.last) == (months[0].first, months[-1].last)
    assert all(one.last + timedelta(days=1) == other.first for one, other in pairwise(months))
    assert all((one.first.year, one.first.month) == (one.last.year, one.last.month) for one in months)
    assert period.before.last + timedelta(days=1) == first
    assert period.last - period.first == period.before.last - period.before.first


def test_the_day_is_that_of_utc() -> None:
    """A record of the morning of Tokyo belongs to the day before."""
    tokyo = datetime.fromisoformat("2026-02-10T08:00:00+09:00")

    assert not PERIOD.holds(tokyo)
    assert PERIOD.holds(tokyo + timedelta(hours=1))


def test_text() -> None:
    """Figures, goals, months, and what they are made of."""
    text = kpi_text("shop", measured(SOURCES, PERIOD), SOURCES, PERIOD, "kpi.svg")

    for fragment in (
        "# shop: success figures\n\n2026-02-10 to 2026-04-09, compared with 2025-12-13 to 2026-02-09",
        "| Incidents | 2 | 2 | at most 50 % of before | ❌ no |",
        "| Deployments that succeed | 99.0 % | - | at least 99 % | ✅ yes |",
        "![The figures by month](kpi.svg)",
        "| by month | 2026-02 | 2026-03 | 2026-04 |",
        "- Incidents: 2 records, 1 of them not restored yet",
        "- 1 alerts are left out",
    ):
        assert fragment in text


def test_text_of_nothing() -> None:
    """It says which source is missing, and no goal is reached."""
    text = kpi_text("shop", measured(NOTHING, PERIOD), NOTHING, PERIOD)

    assert 6 == text.count("| unknown |")
    assert ["[incidents]", "--deployments", "--pull-requests", "--alarms"] == [
        name
        for name in ("[incidents]", "--deployments", "--pull-requests", "--alarms")
        if name in text.replace("\\", "")
    ]


@pytest.mark.parametrize(
    "period", [PERIOD, Period(date(2026, 3, 1), date(2026, 3, 1)), Period(date(2020, 1, 1), date(2026, 4, 1))]
)
def test_plot(period: Period) -> None:
    """A panel for each figure, a bar for each month with data, all inside of the picture."""
    found = measured(SOURCES, period)
    root = ET.fromstring(kpi_plot("shop & <co>", found, period))  # noqa: S314 - our own text
    name = "{http://www.w3.org/2000/svg}"
    bars = root.findall(f".//{name}g/{name}rect")

    assert len(GOALS) == len(root.findall(f"{name}g"))
    assert len(bars) == sum(value is not None for one in found for value in one.months)
    assert all(0 <= float(bar.get("y", "-1")) and float(bar.get("height", "-1")) >= 0 for bar in bars)
    assert "shop & <co>: success figures" in str(root.findtext(f"{name}title"))


def test_plot_of_nothing() -> None:
    """Without data there are panels and goals, and no bar."""
    text = kpi_plot("shop", measured(NOTHING, PERIOD), PERIOD)

    assert 4 == text.count('class="goal"')
    assert "no data" in text
    assert 'class="bar"' not in text
