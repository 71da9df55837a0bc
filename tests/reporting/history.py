"""Runs of some weeks, to make trends of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from infraspec.core.finding import Verdict
from infraspec.reporting.run.results import Count, Entry, Moved, Problem, Results
from tests.reporting.results import RUN, entry


def at(day: int, *entries: Entry, ran: Mapping[str, Sequence[str]] | None = None, **changes: Any) -> Results:
    """Return the results of a day of November 2026: `ran` are rules by environment, by default `names` in dev."""
    suite: Literal["static", "live"] = changes.pop("suite", "static")
    looked = ran or {"dev": ("names",)}
    run = replace(
        RUN,
        time=f"2026-11-{day:02}T08:00:00+00:00",
        environments=tuple(name for name in looked if name != "repository"),
        plans=(),
        suite=suite,
        commit=f"{day:02}" * 20,
        complete=changes.pop("complete", True),
    )
    counts = [_count(name, rule, entries) for name, rules in looked.items() for rule in rules]
    return Results(version=1, run=run, counts=tuple(counts), findings=entries, **changes)


def _count(environment: str, rule: str, entries: Sequence[Entry]) -> Count:
    own = [one for one in entries if (one.environment, one.finding.rule) == (environment, rule)]
    states = [one.state for one in own]
    bad = [one.finding.verdict for one in own if one.state in {"failing", "warning"}]
    return Count(
        environment,
        rule,
        3,
        bad.count(Verdict.VIOLATED),
        bad.count(Verdict.UNDETERMINED),
        states.count("waived"),
        states.count("known"),
    )


QUEUE = entry()
OTHER = entry(address="aws_sqs_queue.other")
MOVED = (Moved("dev", "module.jobs", "module.work"),)
BROKEN = Problem("broken", "test_names.py::test_names[dev]", "dev", "PolicyError")
