"""What a doctor says: lines with a state and a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct


class State(Enum):
    """How it stands: a warning limits what can be known, a problem stops it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Line(Struct, frozen=True):
    """One thing that was looked at. `remedy` is what to do, of several lines; empty if all is well."""

    topic: str
    state: State
    message: str
    remedy: str = ""

    @classmethod
    def ok(cls, topic: str, message: str) -> Line:
        """Say that all is well."""
        return cls(topic, State.OK, message)

    @classmethod
    def warning(cls, topic: str, message: str, remedy: str) -> Line:
        """Say that something limits what can be known."""
        return cls(topic, State.WARNING, message, remedy)

    @classmethod
    def problem(cls, topic: str, message: str, remedy: str) -> Line:
        """Say that something cannot work."""
        return cls(topic, State.PROBLEM, message, remedy)


def worst(lines: Iterable[Line]) -> State:
    """Return the worst state of some lines."""
    states = {line.state for line in lines}
    return next((state for state in (State.PROBLEM, State.WARNING) if state in states), State.OK)
