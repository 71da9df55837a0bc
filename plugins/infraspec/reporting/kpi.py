"""The success figures as Markdown, and by month as an SVG picture: a panel for each, bars, and a line at its bound.

Source of the goals: docs/requirements.md; of the figures: DORA, "change failure rate" and "time to restore service".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.visible_text import visible
from infraspec.process.checklist import PullRequest, compliance
from infraspec.process.history import Alert, false_alerts
from infraspec.process.incidents import DeploymentRecord, Incident, figures
from infraspec.process.lead_time import LeadTime, lead_times
from infraspec.reporting.document import Items, Paragraph, Part, Table, Title, markdown, raw
from infraspec.reporting.language import say, say_number

Unit: TypeAlias = Literal["incidents", "minutes", "hours", "percent"]


class Period(Struct, frozen=True):
    """Days in UTC, both included."""

    first: date
    last: date

    def holds(self, moment: datetime) -> bool:
        """Tell whether a time is in the period."""
        return self.first <= moment.astimezone(UTC).date() <= self.last

    @property
    def before(self) -> Period:
        """The period of as many days that ends where this one begins."""
        length = self.last - self.first
        return Period(self.first - length - timedelta(days=1), self.first - timedelta(days=1))

    def months(self) -> list[Period]:
        """Return its parts by calendar month."""
        parts, first = [], self.first
        while first <= self.last:
            following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
            parts.append(Period(first, min(self.last, following - timedelta(days=1))))
            first = following
        return parts

    def __str__(self) -> str:
        return say("{first} to {last}", first=self.first, last=self.last)


class Sources(Struct, frozen=True):
    """What the figures are made of; None for a source that was not given."""

    incidents: tuple[Incident, ...] | None = None
    deployments: tuple[DeploymentRecord, ...] | None = None
    alerts: tuple[Alert, ...] | None = None
    requests: tuple[PullRequest, ...] | None = None
    checklist: tuple[str, ...] = ()

    def of(self, environment: str) -> Sources:
        """Return what is about one environment; pull requests are about all."""
        return replace(
            self,
            incidents=_where(self.incidents, lambda one: one.environment == environment),
            deployments=_where(self.deployments, lambda one: one.environment == environment),
            alerts=_where(self.alerts, lambda one: one.environment == environment),
        )

    def within(self, period: Period) -> Sources:
        """Return what happened in a period. A pull request without the day of its merge is in every one."""
        return replace(
            self,
            incidents=_where(self.incidents, lambda one: period.holds(one.started)),
            deployments=_where(self.deployments, lambda one: period.holds(one.at)),
            alerts=_where(self.alerts, lambda one: period.holds(one.at)),
            requests=_where(self.requests, lambda one: one.merged is None or period.holds(one.merged)),
        )


T = TypeVar("T")


def _where(rows: tuple[T, ...] | None, is_wanted: Callable[[T], bool]) -> tuple[T, ...] | None:
    return None if rows is None else tuple(row for row in rows if is_wanted(row))


class Goal(Struct, frozen=True):
    """A success figure: what it is, how it is measured, and the bound that it keeps. Shares are in percent.

    With `of_before` the bound is a share of the figure of the period before.
    """

    name: str
    unit: Unit
    bound: float
    at_most: bool
    measure: Callable[[Sources, Sources], float | None]
    strict: bool = False
    of_before: bool = False

    def is_kept(self, value: float, before: float | None) -> bool | None:
        """Tell whether a value keeps the bound; None if there is nothing to compare it with."""
        if self.of_before:
            return None if not before else value <= before * self.bound / 100
        inside = value < self.bound if self.at_most else value > self.bound
        return inside or (not self.strict and value == self.bound)


class Figure(Struct, frozen=True):
    """What a goal came to; None where there is nothing to make it of. `months` are those of the period."""

    goal: Goal
    value: float | None
    before: float | None
    months: tuple[float | None, ...]

    @property
    def is_kept(self) -> bool | None:
        """Whether the bound is kept; None if that cannot be decided."""
        return None if self.value is None else self.goal.is_kept(self.value, self.before)


def _incidents(chosen: Sources, _: Sources) -> float | None:
    return None if chosen.incidents is None else float(len(chosen.incidents))


def _recovery(chosen: Sources, _: Sources) -> float | None:
    return figures(chosen.incidents or (), ()).recovery_minutes


def _deployments(chosen: Sources, _: Sources) -> float | None:
    return _percent(figures((), chosen.deployments or ()).deployment_success)


def _checklist(chosen: Sources, _: Sources) -> float | None:
    return _percent(compliance(chosen.requests or (), chosen.checklist))


def _false_alerts(chosen: Sources, everything: Sources) -> float | None:
    """Return the share of false alerts; an incident of the period before may be what an alert of this one is about."""
    known = [alert for alert in chosen.alerts or () if alert.environment]
    if not known or everything.incidents is None:
        return None
    return 100 * len(false_alerts(known, everything.incidents)) / len(known)


def _change_times(chosen: Sources, everything: Sources) -> list[LeadTime]:
    """Return what the changes took that the deployments of a period brought; they may be of any time before."""
    wanted = {(one.environment, one.at) for one in chosen.deployments or ()}
    found = lead_times(everything.requests or (), everything.deployments or ())
    return [one for one in found if (one.environment, one.deployed) in wanted]


def _change_hours(chosen: Sources, everything: Sources) -> float | None:
    times = _change_times(chosen, everything)
    return sum(one.hours for one in times) / len(times) if times else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


GOALS = (
    Goal("Incidents", "incidents", 50, at_most=True, measure=_incidents, of_before=True),
    Goal("Time to recovery", "minutes", 30, at_most=True, measure=_recovery),
    Goal("Deployments that succeed", "percent", 99, at_most=False, measure=_deployments),
    Goal("Checklist compliance", "percent", 95, at_most=False, measure=_checklist, strict=True),
    Goal("False alerts", "percent", 5, at_most=True, measure=_false_alerts, strict=True),
    Goal("From first commit to deployment", "hours", 80, at_most=True, measure=_change_hours, of_before=True),
)
"""The goals of the requirements: half as many incidents, 30 minutes, 99 %, over 95 %, under 5 %, a fifth less time."""


def measured(sources: Sources, period: Period) -> tuple[Figure, ...]:
    """Return the figures of a period, of the one before, and of its months."""

    def measure(goal: Goal, within: Period) -> float | None:
        return goal.measure(sources.within(within), sources)

    return tuple(
        Figure(
            goal,
            measure(goal, period),
            measure(goal, period.before),
            tuple(measure(goal, month) for month in period.months()),
        )
        for goal in GOALS
    )


def _mark(figure: Figure) -> str:
    return {True: f"✅ {say('yes')}", False: f"❌ {say('no')}", None: say("unknown")}[figure.is_kept]


def kpi_text(title: str, found: Sequence[Figure], sources: Sources, period: Period, plot: str = "") -> str:
    """Return the figures with their goals, what they are made of, and their months; `plot` is a picture's path."""
    months = period.months()
    rows = [
        (
            say(figure.goal.name),
            _value(figure, figure.value),
            _value(figure, figure.before),
            bound_text(figure.goal),
            raw(_mark(figure)),
        )
        for figure in found
    ]
    monthly = [(say(figure.goal.name), *(_value(figure, value) for value in figure.months)) for figure in found]
    parts: list[Part] = [
        Title(say("{title}: success figures", title=title)),
        Paragraph(say("{period}, compared with {before} (days in UTC).", period=period, before=period.before)),
        Table.of((say("figure"), say("value"), say("before"), say("goal"), say("reached")), rows),
        *([Paragraph(raw(f"![{say('The figures by month')}]({plot})"))] if plot else []),
        Table.of((say("by month"), *(f"{month.first:%Y-%m}" for month in months)), monthly),
        Items.of(_made_of(sources, period)),
    ]
    return markdown(parts) + "\n"


def shown(goal: Goal, value: float) -> str:
    """Return a value with its unit."""
    match goal.unit:
        case "incidents":
            return f"{value:g}"
        case "minutes":
            return f"{value:.0f} min"
        case "hours":
            return f"{value:.1f} h"
        case "percent":
            return f"{value:.1f} %"


def bound_text(goal: Goal) -> str:
    """Return the bound of a goal in words."""
    if goal.of_before:
        return say("at most {bound} % of before", bound=f"{goal.bound:g}")
    bound = f"{goal.bound:g} {'min' if goal.unit == 'minutes' else '%'}"
    if goal.at_most:
        return say("below {bound}", bound=bound) if goal.strict else say("at most {bound}", bound=bound)
    return say("above {bound}", bound=bound) if goal.strict else say("at least {bound}", bound=bound)


def _value(figure: Figure, value: float | None) -> str:
    return "-" if value is None else shown(figure.goal, value)


def _made_of(sources: Sources, period: Period) -> list[str]:
    """Say what each figure is made of, and what is missing from it."""
    chosen = sources.within(period)
    placeless = sum(not alert.environment for alert in chosen.alerts or ())
    lines = []
    if chosen.incidents is None:
        lines.append(say("Incidents and time to recovery: the contract has no [incidents]."))
    else:
        still = sum(incident.restored is None for incident in chosen.incidents)
        records = say_number(len(chosen.incidents), "record", ",")
        if still:
            lines.append(
                say(
                    "Incidents: {records}, {number} of them not restored yet and without a time to recovery.",
                    records=records,
                    number=still,
                )
            )
        else:
            lines.append(say("Incidents: {records}.", records=records))
        lines[-1] += say(" Recovery is from start to restored.")
    if chosen.deployments is None:
        lines.append(say("Deployments: no log is given (--deployments)."))
    else:
        lines.append(
            say(
                "Deployments: {deployments}. One that was rolled back has failed.",
                deployments=say_number(len(chosen.deployments), "deployment", ","),
            )
        )
    if chosen.requests is None:
        lines.append(say("Checklist: no pull requests are given (--pull-requests)."))
    else:
        lines.append(
            say(
                "Checklist: {requests} of {number} items each.",
                requests=say_number(len(chosen.requests), "pull request", ","),
                number=len(sources.checklist),
            )
        )
    if chosen.alerts is None:
        lines.append(say("False alerts: no history of alarms is given (--alarms)."))
    else:
        lines.append(
            say(
                "False alerts: {alerts}. One that no incident record is about counts as false: "
                "the share is an upper bound.",
                alerts=say_number(len(chosen.alerts), "alert", ","),
            )
        )
    if chosen.deployments is None or all(one.begun is None for one in sources.requests or ()):
        lines.append(
            say(
                "From first commit to deployment: no deployments, or no pull requests with commits and files are given."
            )
        )
    else:
        lines.append(
            say(
                "From first commit to deployment: {changes} of infrastructure, "
                "each until the first deployment of an environment that succeeded after its merge.",
                changes=say_number(len(_change_times(chosen, sources)), "change", ","),
            )
        )
    if placeless:
        lines.append(
            say("{number} alerts are left out: the alarm's name does not identify one environment.", number=placeless)
        )
    return lines


_WIDTH, _HEIGHT = 360, 190
_LEFT, _TOP = 16, 62
_BASE = _HEIGHT - 26
_COLUMNS = 2


def kpi_plot(title: str, found: Sequence[Figure], period: Period) -> str:
    """Return the picture; months that miss the bound have another colour, those without data no bar."""
    rows = -(-len(found) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT
    said = "; ".join(f"{say(figure.goal.name)}: {_value_or_no_data(figure)}" for figure in found)
    panels = "\n".join(line for at, figure in enumerate(found) for line in _panel(at, figure, period.months()))
    template = Template(Path(__file__).with_name("kpi.svg").read_text(encoding="utf-8"))
    size = {"width": width, "height": height}
    return template.substitute(
        size, title=escape(visible(title)), period=period, description=escape(said), panels=panels
    )


def _panel(at: int, figure: Figure, months: Sequence[Period]) -> Iterable[str]:
    left, top = at % _COLUMNS * _WIDTH, at // _COLUMNS * _HEIGHT
    yield f'<g transform="translate({left} {top})">'
    yield f'<text class="title" x="{_LEFT}" y="24">{escape(say(figure.goal.name))}</text>'
    said = escape(say("{value}; goal: {bound}", value=_value_or_no_data(figure), bound=bound_text(figure.goal)))
    yield f'<text class="quiet" x="{_LEFT}" y="42">{said}</text>'
    bound = _bound(figure, len(months))
    values = [value for value in (*figure.months, bound) if value is not None]
    scale = (_BASE - _TOP) / (max(values, default=0) or 1)
    step = (_WIDTH - 2 * _LEFT) / len(months)
    spots = [
        (f"{month.first:%Y-%m}", value, _LEFT + (number + 0.5) * step)
        for number, (month, value) in enumerate(zip(months, figure.months, strict=True))
    ]
    for spot in spots:
        yield from _bar(figure.goal, spot, min(step * 0.7, 48), scale)
    yield f'<line class="axis" x1="{_LEFT}" y1="{_BASE}" x2="{_WIDTH - _LEFT}" y2="{_BASE}"/>'
    if bound is not None:
        y = _round(_BASE - bound * scale)
        yield f'<line class="goal" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _LEFT}" y2="{y}"/>'
    every = -(-len(months) // 6)  # of many months, every second or third has room for its name
    for spot in spots[(len(months) - 1) % every :: every]:
        yield from _labels(figure.goal, spot, scale)
    yield "</g>"


_Spot: TypeAlias = tuple[str, float | None, float]
"""A month, its value, and where its bar stands in pixels from the left."""


def _bar(goal: Goal, spot: _Spot, width: float, scale: float) -> Iterable[str]:
    month, value, middle = spot
    if value is None:
        return
    missed = not goal.of_before and goal.is_kept(value, None) is False
    height = value * scale
    box = f'x="{_round(middle - width / 2)}" y="{_round(_BASE - height)}" width="{_round(width)}"'
    name = f"{month}: {shown(goal, value)}"
    yield f'<rect class="{"missed" if missed else "bar"}" {box} height="{_round(height)}"><title>{name}</title></rect>'


def _labels(goal: Goal, spot: _Spot, scale: float) -> Iterable[str]:
    month, value, middle = spot
    at = f'x="{_round(middle)}" text-anchor="middle"'
    yield f'<text class="quiet" {at} y="{_BASE + 16}">{month}</text>'
    if value is not None:
        text = shown(goal, value).removesuffix(" %").removesuffix(" min").removesuffix(" h")
        yield f'<text class="value" {at} y="{_round(_BASE - value * scale - 4)}">{text}</text>'


def _bound(figure: Figure, months: int) -> float | None:
    """Return the bound of one month: that of a number of incidents is shared out over the months."""
    goal = figure.goal
    if not goal.of_before:
        return goal.bound
    shared = months if goal.unit == "incidents" else 1
    return figure.before * goal.bound / 100 / shared if figure.before else None


def _value_or_no_data(figure: Figure) -> str:
    return say("no data") if figure.value is None else shown(figure.goal, figure.value)


def _round(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
