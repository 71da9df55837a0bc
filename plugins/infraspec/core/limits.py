"""What an input may cost, in one place, and the budget that an evaluation spends.

Terraform itself has no such limits; an input that passes one here is named with its place, and everything else is
judged as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from msgspec import Struct, field

from infraspec.core.errors import LimitError, TerraformError, counted
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value

MOST_INSTANCES = 250_000
"""How many resource and module instances one evaluation may have."""

MOST_MODULES = 10_000
"""How many module instances one evaluation may have."""

MOST_PER_BLOCK = 20_000
"""How many instances one count or for_each may make."""

MOST_REFERENCES = 100
"""How many expressions may lead one into the next."""

MOST_CHARACTERS = 8 << 20
"""The size of a value: its characters, and 8 for each of its elements."""

MOST_NEW_CHARACTERS = 128 << 20
"""The size of all large texts and collections that one evaluation may make."""

MOST_LEVELS = 100
"""How deeply lists and objects may be nested in a value."""

MOST_STEPS = 2_000_000
"""What the evaluation of one expression may take: a step is about a third of a microsecond."""

MOST_STEPS_IN_ALL = 6_000_000
"""What the expressions that take many steps may take together."""

FREE_STEPS = 1_000
"""What each expression may take, whatever the others have taken."""

MOST_FILE_BYTES = 8 << 20
"""The size of a file that is read as a whole."""

MOST_HASHED_BYTES = 1 << 30
"""The size of a file of which a digest is made."""

ROUND, CALL = 10, 10
"""The steps of a round of a for expression, and of a call."""

_ELEMENT, _PART = 8, 64
_PLAIN = frozenset({int, float, bool, type(None), Unknown})
_LARGE = 1 << 14


class Allowance(Struct):
    """What is left to one evaluation, and the sizes of the large values in it that are known."""

    steps: int = MOST_STEPS_IN_ALL
    characters: int = MOST_NEW_CHARACTERS
    sizes: dict[int, tuple[Value, int, int]] = field(default_factory=dict)
    exceeded: list[LimitError] = field(default_factory=list)
    """What went beyond a limit, and is not known for it."""
    refused: list[TerraformError] = field(default_factory=list)
    """What is made of a name that is not declared, and is not known for it."""
    each: int = MOST_STEPS
    """The steps of one expression."""

    def charge(self, steps: int) -> None:
        """Take the steps of an expression that took many."""
        self.steps -= steps
        self.each = min(MOST_STEPS, max(FREE_STEPS, self.steps))


class Budget:
    """What is left to the expression that is being evaluated."""

    __slots__ = ("allowance", "depth", "left")

    def __init__(self) -> None:
        self.allowance = Allowance()
        self.left = MOST_STEPS
        self.depth = 0
        """How many expressions have led to this one."""

    def spend(self, steps: int) -> None:
        """Take some steps; LimitError if there are no more."""
        self.left -= steps
        if self.left < 0:
            raise LimitError(
                "evaluating the expression takes too many steps",
                expected=f"at most {MOST_STEPS:,} for one expression, {MOST_STEPS_IN_ALL:,} for all that are so large",
                remedy="let for expressions and functions go over fewer elements",
            )

    def begin(self, allowance: Allowance) -> tuple[Allowance, int, int]:
        """Begin an expression, and return what `end` is to be given."""
        before = self.allowance, self.left, allowance.each
        self.allowance, self.left = allowance, allowance.each
        self.depth += 1
        return before

    def end(self, before: tuple[Allowance, int, int]) -> None:
        """End an expression."""
        allowance, left, begun = before
        if begun - self.left > FREE_STEPS:
            self.allowance.charge(begun - self.left)
        self.allowance, self.left = allowance, left
        self.depth -= 1


BUDGET = Budget()
"""The budget of what is being evaluated now."""


def demand_length(characters: int) -> None:
    """Raise LimitError for a text, or a collection of eighths, that would be too large."""
    if characters > MOST_CHARACTERS:
        _too_large(characters)
    if characters > _LARGE:
        BUDGET.allowance.characters -= characters
        if BUDGET.allowance.characters < 0:
            raise LimitError(
                "the values of the configuration are too large together",
                expected=f"at most {MOST_NEW_CHARACTERS:,} characters in large values",
                remedy="make fewer large values",
            )


def _too_large(characters: int) -> NoReturn:
    raise LimitError(
        "the value is too large",
        expected=f"at most {MOST_CHARACTERS:,} characters; each element of a collection counts as {_ELEMENT}",
        found=f"{counted(characters, 'character', ',')} or more",
        remedy="make a smaller value",
    )


def _too_deep() -> LimitError:
    return LimitError("the value is nested too deeply", expected=f"at most {MOST_LEVELS} levels of lists and objects")


def steps_of(value: Value) -> int:
    """Return the steps that a function takes to look at an argument. LimitError if it is too large."""
    return len(value) >> 8 if type(value) is str else size_of(value) >> 4


def size_of(value: Value) -> int:
    """Return the size of a value; LimitError if it is too large, or nested too deeply."""
    kind = type(value)
    if kind is str:
        return len(value)
    return _ELEMENT if kind in _PLAIN else _measured(value, 0)[0]


def _measured(value: Value, depth: int) -> tuple[int, int]:
    """Return the size of a value, and how many levels it has; a part that is there twice counts twice."""
    match value:
        case list():
            return _collection(value, 0, value, depth)
        case dict():
            return _collection(value, sum(map(len, value)), value.values(), depth)
        case str():
            return len(value), 0
        case JsonText():
            return _measured(value.tree, depth)
        case Text():
            return sum(len(part) if type(part) is str else _PART + size_of(part) for part in value.parts), 0
        case Sensitive():
            return _measured(value.reveal(), depth)
        case _:
            return _ELEMENT, 0


def _collection(value: Value, size: int, parts: Iterable[Value], depth: int) -> tuple[int, int]:
    known = BUDGET.allowance.sizes
    if id(value) in known:
        size, levels = known[id(value)][1:]
    elif depth > MOST_LEVELS:
        raise _too_deep()
    else:
        size, levels = _sum(size, parts, depth)
    if size > _LARGE:
        known[id(value)] = (value, size, levels)
    if size > MOST_CHARACTERS:
        _too_large(size)
    if depth + levels > MOST_LEVELS:
        raise _too_deep()
    return size, levels


def _sum(size: int, parts: Iterable[Value], depth: int) -> tuple[int, int]:
    levels = 1
    for part in parts:
        kind = type(part)
        if kind is str:
            size += len(part) + _ELEMENT
        elif kind in _PLAIN:
            size += 2 * _ELEMENT
        else:
            inner, below = _measured(part, depth + 1)
            size += inner + _ELEMENT
            levels = max(levels, below + 1)
            if size > MOST_CHARACTERS:
                break
    return size, levels
