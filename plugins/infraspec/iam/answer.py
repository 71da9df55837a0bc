"""Answers with three values, after Kleene: yes, no, and maybe where the unknown parts decide."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Answer(Enum):
    """YES and NO hold whatever the unknown parts turn out to be; MAYBE says that they decide."""

    NO = 0
    MAYBE = 1
    YES = 2


def both(*answers: Answer) -> Answer:
    """Return the conjunction: NO if one is NO, YES if all are YES."""
    return min(answers, key=_rank, default=Answer.YES)


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
    return Answer(2 - answer.value)


def _rank(answer: Answer) -> int:
    return answer.value
