"""Answers with three values, after Kleene: yes, no, and maybe where the unknown parts decide."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """YES and NO hold whatever the unknown parts turn out to be; MAYBE says that they decide."""

    NO = 0
    MAYBE = 1
    YES = 2


_OPPOSITES = (Truth.YES, Truth.MAYBE, Truth.NO)


def all_of(*answers: Truth) -> Truth:
    """Return the conjunction: NO if one is NO, YES if all are YES."""
    return min(answers, default=Truth.YES)


def any_of(answers: Iterable[Truth]) -> Truth:
    """Return the disjunction: YES if one is YES, NO if all are NO; stops at the first YES."""
    best = Truth.NO
    for answer in answers:
        if answer is Truth.YES:
            return answer
        if answer is Truth.MAYBE:
            best = answer
    return best


def not_(answer: Truth) -> Truth:
    """Return the opposite; MAYBE stays MAYBE."""
    return _OPPOSITES[answer]
