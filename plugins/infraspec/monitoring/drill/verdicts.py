"""What is said of a failure that the drill made happen: whether it is heard of, and why it is not."""

from __future__ import annotations

from infraspec.core.truth import Truth
from infraspec.monitoring.drill.running import DrilledFailure

SILENT, UNDETERMINED, LATE, HEARD = "silent", "undetermined", "late", "heard"
_MOST_REASONS = 5


def verdict(outcome: DrilledFailure) -> str:
    """Return in a word whether a failure is heard of at its level in time."""
    if outcome.heard is Truth.YES:
        return HEARD
    if outcome.heard is Truth.MAYBE:
        return UNDETERMINED
    return SILENT if outcome.minute is None else LATE


def channels_that_hear(outcome: DrilledFailure) -> list[str]:
    """Return the channels that certainly hear of a failure, sorted."""
    return sorted({name for ring in outcome.rings for name, there in ring.channels.items() if there is Truth.YES})


def reasons(outcome: DrilledFailure, more: str) -> str:
    """Return why a failure is not heard of, a line for each reason; `more` says where those are that are too many."""
    told = list(outcome.silent) or [
        f"the alarms that fire do not reach every channel of the level {outcome.failure.level}"
    ]
    rest = len(told) - _MOST_REASONS
    return "\n".join([*told[:_MOST_REASONS], *([f"and {rest} more: {more}"] if rest > 0 else [])])


def remedy(outcome: DrilledFailure) -> str:
    """Return what lets the people of its level hear of a failure."""
    level = outcome.failure.level
    if outcome.rings:
        return f"route the alarms that fire to every channel of the level {level}: see infraspec check, rule alarms"
    names = ", ".join(sorted({metric.name for metric in outcome.failure.metrics}))
    events = ", ".join(sorted({event.event for event in outcome.failure.events}))
    watched = f"the metric {names}" if names else f"the events {events}"
    return f"add or correct an alarm or rule on {watched} that sends to the topic of level {level}"
