"""The success figures of a period: what the six improvements promise, made of records that people and AWS keep.

Source of the goals: docs/requirements.md; of the figures: DORA, "change failure rate" and "time to restore service".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from infraspec.process.alerts import Alert, false_alerts
from infraspec.process.checklist import PullRequest, compliance
from infraspec.process.incidents import Deployment, Incident, figures

Unit: TypeAlias = Literal["incidents", "minutes", "percent"]


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
        return f"{self.first} to {self.last}"


class Sources(Struct, frozen=True):
    """What the figures are made of; None for a source that was not given."""

    incidents: tuple[Incident, ...] | None = None
    deployments: tuple[Deployment, ...] | None = None
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
        """Whether the bound is kept; None if that cannot be told."""
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


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


GOALS = (
    Goal("Incidents", "incidents", 50, at_most=True, measure=_incidents, of_before=True),
    Goal("Time to recovery", "minutes", 30, at_most=True, measure=_recovery),
    Goal("Deployments that succeed", "percent", 99, at_most=False, measure=_deployments),
    Goal("Checklist compliance", "percent", 95, at_most=False, measure=_checklist, strict=True),
    Goal("False alerts", "percent", 5, at_most=True, measure=_false_alerts, strict=True),
)
"""The goals of the requirements: half as many incidents, 30 minutes, 99 %, more than 95 %, less than 5 %."""


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


def unplaced(alerts: Iterable[Alert]) -> int:
    """Return how many alerts are of no environment that could be told by the alarm's name."""
    return sum(not alert.environment for alert in alerts)


def still_open(incidents: Iterable[Incident]) -> int:
    """Return how many incidents are not restored yet: they have no time to recovery."""
    return sum(incident.restored is None for incident in incidents)
