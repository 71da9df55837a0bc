"""The success figures as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from infraspec.reporting.kpi import Figure, Goal, Period, Sources, still_open, unplaced
from infraspec.reporting.markdown import escape, table

_MARKS = {True: "✅ yes", False: "❌ no", None: "unknown"}


def kpi_text(title: str, found: Sequence[Figure], sources: Sources, period: Period, plot: str = "") -> str:
    """Return the figures with their goals, what they are made of, and their months; `plot` is a picture's path."""
    months = period.months()
    rows = [
        [figure.goal.name, _value(figure, figure.value), _value(figure, figure.before), _bound(figure), _kept(figure)]
        for figure in found
    ]
    monthly = [[figure.goal.name, *(_value(figure, value) for value in figure.months)] for figure in found]
    parts = [
        f"# {escape(title)}: success figures",
        f"{period}, compared with {period.before} (days in UTC).",
        table(["figure", "value", "before", "goal", "reached"], rows),
        f"![The figures by month]({plot})" if plot else "",
        table(["by month", *(f"{month.first:%Y-%m}" for month in months)], monthly),
        "\n".join(f"- {line}" for line in _made_of(sources, period)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def shown(goal: Goal, value: float) -> str:
    """Return a value with its unit."""
    match goal.unit:
        case "incidents":
            return f"{value:g}"
        case "minutes":
            return f"{value:.0f} min"
        case "percent":
            return f"{value:.1f} %"


def bound_text(goal: Goal) -> str:
    """Return the bound of a goal in words."""
    if goal.of_before:
        return f"at most {goal.bound:g} % of before"
    words = {(True, True): "below", (True, False): "at most", (False, True): "above", (False, False): "at least"}
    unit = "min" if goal.unit == "minutes" else "%"
    return f"{words[goal.at_most, goal.strict]} {goal.bound:g} {unit}"


def _value(figure: Figure, value: float | None) -> str:
    return "-" if value is None else shown(figure.goal, value)


def _bound(figure: Figure) -> str:
    return bound_text(figure.goal)


def _kept(figure: Figure) -> str:
    return _MARKS[figure.is_kept]


def _made_of(sources: Sources, period: Period) -> list[str]:
    """Say what each figure is made of, and what is missing from it."""
    chosen = sources.within(period)
    placeless = unplaced(chosen.alerts or ())
    lines = []
    if chosen.incidents is None:
        lines.append("Incidents and time to recovery: the contract has no [incidents].")
    else:
        still = still_open(chosen.incidents)
        ongoing = f", {still} of them not restored yet and without a time to recovery" if still else ""
        lines.append(f"Incidents: {_number(chosen.incidents, 'record')}{ongoing}. Recovery is from start to restored.")
    if chosen.deployments is None:
        lines.append("Deployments: no log is given (--deployments).")
    else:
        lines.append(f"Deployments: {_number(chosen.deployments, 'deployment')}. One that was rolled back has failed.")
    if chosen.requests is None:
        lines.append("Checklist: no pull requests are given (--pull-requests).")
    else:
        lines.append(f"Checklist: {_number(chosen.requests, 'pull request')} of {len(sources.checklist)} items each.")
    if chosen.alerts is None:
        lines.append("False alerts: no history of alarms is given (--alarms).")
    else:
        lines.append(
            f"False alerts: {_number(chosen.alerts, 'alert')}. One that no incident record is about counts as false: "
            "the share is an upper bound."
        )
    if placeless:
        lines.append(f"{placeless} alerts are left out: the alarm's name does not tell one environment.")
    return [escape(line) for line in lines]


def _number(rows: Sequence[object], noun: str) -> str:
    return f"{len(rows):,} {noun}{'' if len(rows) == 1 else 's'}"
