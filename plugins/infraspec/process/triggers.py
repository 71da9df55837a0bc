"""What starts a workflow of GitHub, by the filters of its `on`, and how long a schedule leaves out.

Sources: GitHub Docs, "Workflow syntax for GitHub Actions: Filter pattern cheat sheet" and "Events that trigger
workflows".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from infraspec.core.finding import Location
from infraspec.process.markdown import line_of
from infraspec.process.workflows import Workflow

_DEFAULT_TYPES = ("opened", "synchronize", "reopened")
_NEEDED_TYPES = ("opened", "synchronize")
_CRON = re.compile(r"[0-9A-Za-z*,/-]+(?: +[0-9A-Za-z*,/-]+){4}")
_DAYS = 4 * 366
_MINUTES = 24 * 60


def listed(value: Any) -> list[str]:
    """Return a list of texts that may be written as one text."""
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, Sequence) else []


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression of a filter pattern."""
    parts = []
    for token in re.findall(r"\*\*/|\*\*|\\.|\[[^\]]*\]|.", text):
        plain = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "?", "+": "+"}.get(token)
        parts.append(plain or (token if token[0] == "[" else re.escape(token[-1])))
    try:
        return re.compile("".join(parts))
    except re.error:
        return re.compile(re.escape(text))


def selected(patterns: Sequence[str], name: str) -> bool:
    """Tell whether patterns select a name: the last one that matches counts, one with `!` takes it out."""
    found = False
    for pattern in patterns:
        if _pattern(pattern.removeprefix("!")).fullmatch(name):
            found = not pattern.startswith("!")
    return found


def types_of(workflow: Workflow, event: str) -> list[str]:
    """Return the activity types on which a workflow starts."""
    given = workflow.events.get(event)
    types = listed(given.get("types")) if isinstance(given, Mapping) and "types" in given else []
    return types or (list(_DEFAULT_TYPES) if event.startswith("pull_request") else [""])


def not_started(workflow: Workflow, event: str, branch: str) -> tuple[Location, str] | None:
    """Return where and why a workflow does not start for each change to a branch; None if it does."""
    place = Location(workflow.file, line_of(workflow.tree, "on"))
    if event not in workflow.events:
        return place, f"the workflow does not start on {event}"
    given = workflow.events[event]
    if not isinstance(given, Mapping):
        return None
    if event.startswith("pull_request") and (missing := set(_NEEDED_TYPES) - set(types_of(workflow, event))):
        line = line_of(given, "types", place.line)
        return Location(
            workflow.file, line
        ), f"the workflow does not start when a pull request is {' or '.join(sorted(missing))}"
    if event == "push" and not {"branches", "branches-ignore"} & set(given) and {"tags", "tags-ignore"} & set(given):
        return place, "the workflow starts for tags only"
    for key, wanted in (("branches", True), ("branches-ignore", False)):
        if key in given and event != "schedule" and selected(listed(given[key]), branch) != wanted:
            line = line_of(given, key, place.line)
            return Location(workflow.file, line), f"{key} leaves out the branch {branch}"
    return None


def left_out(workflow: Workflow, event: str, files: Iterable[str]) -> tuple[Location, str] | None:
    """Return where a filter of paths leaves out a file, and the first that it does; None if it leaves out none."""
    given = workflow.events.get(event)
    if not isinstance(given, Mapping):
        return None
    for key, wanted in (("paths", True), ("paths-ignore", False)):
        if key in given:
            patterns = listed(given[key])
            if file := next((one for one in files if selected(patterns, one) != wanted), ""):
                return Location(workflow.file, line_of(given, key)), file
    return None


def crons(workflow: Workflow) -> list[tuple[str, Location]]:
    """Return the schedules of a workflow."""
    given = workflow.events.get("schedule")
    return [
        (str(item.get("cron")), Location(workflow.file, line_of(given, number)))
        for number, item in enumerate(given if isinstance(given, Sequence) else ())
        if isinstance(item, Mapping)
    ]


def fault_of(cron: str) -> str:
    """Return what is wrong with a schedule; empty if GitHub and GitLab take it and it comes round."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - few repositories have schedules

    if not _CRON.fullmatch(cron.strip()) or re.search(r"[LW#]", re.sub("JUL|WED", "", cron.upper())):
        return f"`{cron}` is no schedule in five fields"
    try:
        CronSim(cron, datetime(2026, 1, 1))  # noqa: DTZ001 - a schedule in UTC
    except CronSimError as error:
        return f"`{cron}` is no schedule: {error}"
    return "" if _days(cron) else f"`{cron}` never comes round"


@cache
def _days(cron: str) -> dict[date, tuple[int, int, int]]:
    """Return the days of four years on which a schedule runs: first and last minute, and the longest gap between."""
    from cronsim import CronSim  # noqa: PLC0415 - few repositories have schedules

    minute, hour, *day = cron.split()
    start = datetime(2027, 12, 31, 23, 59)  # noqa: DTZ001 - a schedule in UTC
    end = start + timedelta(days=1, minutes=1)
    times = []
    for at in CronSim(f"{minute} {hour} * * *", start):
        if at >= end:
            break
        times.append(at.hour * 60 + at.minute)
    found: dict[date, tuple[int, int, int]] = {}
    gap = max([later - earlier for earlier, later in pairwise(times)], default=0)
    for at in CronSim(f"0 0 {' '.join(day)}", start):
        if at > start + timedelta(days=_DAYS):
            break
        found[at.date()] = (times[0], times[-1], gap)
    return found


def longest_gap(schedules: Iterable[str]) -> timedelta:
    """Return the longest time in four years between one run and the next of several schedules."""
    days: dict[date, list[tuple[int, int, int]]] = {}
    for cron in schedules:
        for day, times in _days(cron).items():
            days.setdefault(day, []).append(times)
    if not days:
        return timedelta.max
    longest, last = 0, None
    begin = min(days)
    for day in sorted(days):
        first = min(times[0] for times in days[day]) + (day - begin).days * _MINUTES
        if last is not None:
            longest = max(longest, first - last)
        longest = max(longest, min(times[2] for times in days[day]))
        last = max(times[1] for times in days[day]) + (day - begin).days * _MINUTES
    last_day = date(2027, 12, 31) + timedelta(days=_DAYS)
    ends = (last_day - begin).days * _MINUTES
    return timedelta(minutes=max(longest, ends - (last or 0) - _MINUTES))
