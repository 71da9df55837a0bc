"""The drill as a document: who hears of each failure, what stays silent, and the quiet week.

Titles, verdicts, labels and what a failure is are in the language of the report; why it is silent and what to change
quote the source and stay English, as in findings.
"""

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
from infraspec.reporting.document import (
    Document,
    Field,
    Fields,
    Form,
    Items,
    Paragraph,
    Part,
    Table,
    TextSpan,
    Title,
    Tone,
    Words,
    code,
)
from infraspec.reporting.language import say, say_number

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
    title = say(
        "Drill of {environment}: {heard} of {number} failures raise an alert in time",
        environment=report.environment,
        heard=said.count(HEARD),
        number=len(said),
    )
    yield Title(title, tone=report.tone)
    names = say("failure"), say("asked"), say("verdict"), say("level"), say("minutes"), say("alerted")
    yield Table.of(names, _rows(report.outcomes))
    for outcome in report.outcomes:
        if verdict(outcome) != HEARD:
            yield from _explained(outcome)
    yield from _of_week(report.week)


def _rows(outcomes: Sequence[DrilledFailure]) -> Iterator[tuple[Words, ...]]:
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
            " ".join(channels_that_hear(outcome)) or say("nobody"),
        )
        by_row[row] = by_row.get(row, 0) + 1
    for (name, level, said, *cells), times in by_row.items():
        yield f"{name} ({times})" if times > 1 else name, level, _verdict(said), *cells


def _verdict(said: str) -> TextSpan:
    return TextSpan(say(said), _TONES[said])


def _explained(outcome: DrilledFailure) -> Iterator[Part]:
    said, failure = verdict(outcome), outcome.failure
    yield Title((f"{outcome.name}: ", _verdict(said)), level=2, tone=_TONES[said])
    asked = say("{level} within {minutes} minutes", level=failure.level, minutes=failure.minutes)
    late = say(", alerted after {minutes}", minutes=outcome.minute) if said == LATE else ""
    rows = (
        (say("about"), outcome.subject),
        (say("what"), say(failure.what)),
        (say("asked"), asked + late),
        (say("why"), reasons(outcome, "--format json has them")),
        (say("fix"), remedy(outcome)),
    )
    yield Fields(tuple(Field(label, text) for label, text in rows))


def _of_week(week: QuietWeek) -> Iterator[Part]:
    yield Title(say("A quiet week"), level=2, tone="bad" if week.rings or week.in_alarm else "good")
    rings, left = say_number(len(week.rings), "false alarm"), ", ".join(week.in_alarm) or say("none")
    yield Paragraph(say("{rings}; in ALARM at its end: {left}", rings=rings, left=left))
    if week.rings:
        yield Items.of(say("{source}: {times} times", source=one, times=times) for one, times in _counted(week).items())
    if week.not_evaluated:
        yield Paragraph(say("Whether these alarms fire cannot be decided:"))
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
