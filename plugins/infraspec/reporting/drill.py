"""The drill as a document: who hears of each failure, what stays silent, and the quiet week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from infraspec.core.truth import Truth
from infraspec.monitoring.drill.running import DrilledFailure, QuietWeek
from infraspec.monitoring.drill.verdicts import (
    HEARD,
    LATE,
    SILENT,
    UNDETERMINED,
    channels_that_hear,
    reasons,
    remedy,
    verdict,
)
from infraspec.reporting.document import Document, Field, Fields, Form, Items, Paragraph, Part, Table, Title, Tone, code

_TONES: dict[str, Tone] = {SILENT: "bad", LATE: "bad", UNDETERMINED: "doubtful", HEARD: "good"}


class DrillReport(Struct, frozen=True):
    """What a drill of an environment found."""

    environment: str
    outcomes: tuple[DrilledFailure, ...]
    week: QuietWeek

    @property
    def tone(self) -> Tone:
        """How it looks as a whole: bad if a failure is not heard of in time or something rings for nothing."""
        said = {verdict(outcome) for outcome in self.outcomes}
        if said & {SILENT, LATE} or self.week.rings or self.week.in_alarm:
            return "bad"
        return "doubtful" if UNDETERMINED in said or self.week.not_evaluated else "good"


def drill_document(report: DrillReport) -> Document:
    """Return a table of the failures, the reasons of those that are not heard of, and the quiet week."""
    return Document(partial(_parts, report), partial(_data, report))


def _parts(report: DrillReport, _form: Form) -> Iterator[Part]:
    said = [verdict(outcome) for outcome in report.outcomes]
    heard = said.count(HEARD)
    yield Title(
        f"Drill of {report.environment}: {heard} of {len(said)} failures are heard of in time", tone=report.tone
    )
    yield Table.of(("failure", "asked", "verdict", "level", "minutes", "who hears"), _rows(report.outcomes))
    for outcome in report.outcomes:
        if verdict(outcome) != HEARD:
            yield from _explained(outcome)
    yield from _of_week(report.week)


def _rows(outcomes: Sequence[DrilledFailure]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each failure and verdict: the resources that it is the same of are counted."""
    by_row: dict[tuple[str, ...], int] = {}
    for outcome in outcomes:
        failure, minute = outcome.failure, "" if outcome.minute is None else str(outcome.minute)
        row = (
            outcome.name,
            failure.level,
            verdict(outcome),
            outcome.level or "-",
            minute or "-",
            " ".join(channels_that_hear(outcome)) or "nobody",
        )
        by_row[row] = by_row.get(row, 0) + 1
    for (name, *cells), times in by_row.items():
        yield f"{name} ({times})" if times > 1 else name, *cells


def _explained(outcome: DrilledFailure) -> Iterator[Part]:
    said = verdict(outcome)
    yield Title(f"{outcome.name}: {said}", level=2, tone=_TONES[said])
    late = f", heard after {outcome.minute}" if said == LATE else ""
    yield Fields(
        (
            Field("about", outcome.subject),
            Field("what", outcome.failure.what),
            Field("asked", f"{outcome.failure.level} within {outcome.failure.minutes} minutes{late}"),
            Field("why", reasons(outcome, "--format json has them")),
            Field("fix", remedy(outcome)),
        )
    )


def _of_week(week: QuietWeek) -> Iterator[Part]:
    yield Title("A quiet week", level=2, tone="bad" if week.rings or week.in_alarm else "good")
    false = "1 false ring" if len(week.rings) == 1 else f"{len(week.rings)} false rings"
    yield Paragraph(f"{false}; in ALARM at its end: {', '.join(week.in_alarm) or 'none'}")
    if week.rings:
        yield Items.of(f"{source}: {times} times" for source, times in _counted(week).items())
    if week.not_evaluated:
        yield Paragraph("Not evaluated, so it cannot be told whether they ring:")
        yield Items.of((code(one.partition(": ")[0]), f": {one.partition(': ')[2]}") for one in week.not_evaluated)


def _counted(week: QuietWeek) -> dict[str, int]:
    counted: dict[str, int] = {}
    for ring in week.rings:
        counted[ring.source] = counted.get(ring.source, 0) + 1
    return counted


def _data(report: DrillReport) -> dict[str, Any]:
    week = report.week
    return {
        "environment": report.environment,
        "failures": [_of_outcome(outcome) for outcome in report.outcomes],
        "quiet_week": {
            "false_rings": _counted(week),
            "in_alarm": list(week.in_alarm),
            "not_evaluated": list(week.not_evaluated),
        },
    }


def _of_outcome(outcome: DrilledFailure) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "failure": outcome.name,
        "about": outcome.subject,
        "what": failure.what,
        "source": failure.source,
        "asked": {"level": failure.level, "minutes": failure.minutes},
        "verdict": verdict(outcome),
        "level": outcome.level,
        "minutes": outcome.minute,
        "rings": [
            {
                "minute": ring.minute,
                "source": ring.source,
                "channels": sorted(name for name, there in ring.channels.items() if there is Truth.YES),
                "lost": ring.lost,
            }
            for ring in outcome.rings
        ],
        "silent": list(outcome.silent),
    }
