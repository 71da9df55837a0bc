"""Failures in the terminal: in order of environments and rules, and what has one cause is said in full once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from infraspec.reporting.run.causes import Cause, causes
from infraspec.reporting.run.recorder import left_by
from infraspec.reporting.run.results import Entry, by_rule

_HEAD = re.compile(r"(^|: )(VIOLATED|UNDETERMINED) ")
_COLOURS = {"VIOLATED": "red", "UNDETERMINED": "yellow"}
_REMEDY = re.compile(r" {4}(fix|to know): ")


class Crash(Struct, frozen=True):
    """What pytest's short summary says of a failure."""

    message: str

    def __str__(self) -> str:
        return self.message


class Failure(Struct, frozen=True):
    """The text of a failure, which pytest shows in colour where it shows any: not with NO_COLOR, nor in a file."""

    text: str

    @property
    def reprcrash(self) -> Crash:
        """The first line, for the short summary."""
        return Crash(self.text.partition("\n")[0])

    def __str__(self) -> str:
        return self.text

    def toterminal(self, terminal: Any) -> None:
        """Write the text to a TerminalWriter, as pytest asks of what describes a failure."""
        for line in self.text.split("\n"):
            head = _HEAD.search(line)
            markup = {_COLOURS[head[2]]: True, "bold": True} if head else {"green": True} if _REMEDY.match(line) else {}
            terminal.line(line, **markup)


def arrange(reports: list[pytest.TestReport], environments: Sequence[str], verbosity: int) -> None:
    """Put failed reports in order, those that are not infraspec's first as they are, and shorten what is repeated.

    With a verbosity above 0 every finding is said in full, below 0 each cause has one line.
    """
    reports.sort(key=lambda report: _order(report, environments))
    if verbosity > 0:
        _say_in_full(reports)
        return
    entries = {id(report): _failing(report) for report in reports}
    found = causes(entry for some in entries.values() for entry in some)
    cause_of = {id(entry): cause for cause in found for entry in cause.entries}
    said: set[int] = set()
    for report in reports:
        if some := entries[id(report)]:
            texts = list(_texts(some, cause_of, said, verbosity))
            first = str(report.longrepr).partition("\n")[0]
            failure: Any = Failure("\n".join([first, *texts]))
            report.longrepr = failure


def _say_in_full(reports: Iterable[pytest.TestReport]) -> None:
    """Keep the texts, but do not let the short summary, which pytest leaves whole where CI is set, say them again."""
    for report in reports:
        if _failing(report):
            failure: Any = Failure(str(report.longrepr))
            report.longrepr = failure


def _order(report: pytest.TestReport, environments: Sequence[str]) -> tuple[object, ...]:
    left = left_by(report)
    if left is None:
        return (0,)
    rule = left["records"][0]["rule"] if left["records"] else ""
    return (1, by_rule(left["environment"], rule, environments), left["test"])


def _failing(report: pytest.TestReport) -> list[Entry]:
    left = left_by(report)
    rows = [row for record in (left or {"records": ()})["records"] for row in record["findings"]]
    if not rows:
        return []
    return [entry for entry in msgspec.convert(rows, list[Entry]) if entry.state == "failing"]


def _texts(entries: Iterable[Entry], cause_of: dict[int, Cause], said: set[int], verbosity: int) -> Iterable[str]:
    """Yield a cause in full where it comes first, with the others of it in a line each; later on a line."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(id(cause_of[id(entry)]), []).append(entry)
    for identity, group in groups.items():
        cause = cause_of[id(group[0])]
        is_first = identity not in said
        said.add(identity)
        if verbosity < 0:
            yield _line(cause, group) if is_first else f"as above: {_line(cause, group)}"
            continue
        if is_first:
            yield f"\n{group[0].finding}"
        for entry in group[1:] if is_first else group:
            alike = "    likewise: " if is_first else "\nas above: "
            yield f"{alike}{str(entry.finding).partition(chr(10))[0]}"
        others = [name for name in cause.environments if name != group[0].environment]
        if is_first and others:
            yield f"    also in:   {', '.join(others)}"


def _line(cause: Cause, group: Sequence[Entry]) -> str:
    head = str(group[0].finding).partition("\n")[0]
    more = f" and {len(group) - 1} more" if group[1:] else ""
    others = [name for name in cause.environments if name != group[0].environment]
    return f"{head}{more}" + (f" (also in {', '.join(others)})" if others else "")
