"""Answers with three values, after Kleene: yes, no, and maybe where the unknown parts decide."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Answer(IntEnum):
    """YES and NO hold whatever the unknown parts turn out to be; MAYBE says that they decide."""

    NO = 0
    MAYBE = 1
    YES = 2


_OPPOSITES = (Answer.YES, Answer.MAYBE, Answer.NO)


def both(*answers: Answer) -> Answer:
    """Return the conjunction: NO if one is NO, YES if all are YES."""
    return min(answers, default=Answer.YES)


def either(answers: Iterable[Answer]) -> Answer:
    """Return the disjunction: YES if one is YES, NO if all are NO; stops at the first YES."""
    best = Answer.NO
    for answer in answers:
        if answer is Answer.YES:
            return answer
        if answer is Answer.MAYBE:
            best = answer
    return best


def negate(answer: Answer) -> Answer:
    """Return the opposite; MAYBE stays MAYBE."""
    return _OPPOSITES[answer]
