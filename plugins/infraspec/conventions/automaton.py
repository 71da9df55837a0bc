"""An automaton that tells whether a text matches, could still match, or where it departs.

Built as in Thompson, "Regular Expression Search Algorithm" (1968): the states a text can be in are followed all at
once, so the time is linear in the text. Sets of states that were reached once are remembered with their successors.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cache

from infraspec.conventions.expression import Characters, Choice, Expression, Repeat, Sequence
from infraspec.errors import ContractError
from infraspec.finding import Verdict
from infraspec.unknown import Text, Unknown

_MOST_STATES = 20_000


class Position:
    """The states that a beginning of a text leads to; no states means that nothing which begins so can match."""

    __slots__ = ("accepts", "following", "states")

    def __init__(self, states: frozenset[int], *, accepts: bool) -> None:
        self.states = states
        self.accepts = accepts
        self.following: dict[str, Position] = {}


class Automaton:
    """The texts that a sequence of expressions matches. `edges` of a state are (characters, target, part).

    `part` is the index of the expression in the sequence that the edge belongs to. Raises ContractError, naming
    `key`, if the expressions are too large.
    """

    def __init__(self, parts: tuple[Expression, ...], *, key: str = "") -> None:
        self.edges: list[list[tuple[Characters, int, int]]] = []
        self.epsilons: list[list[int]] = []
        self._key = key
        self._part = 0
        self._positions: dict[frozenset[int], Position] = {}
        self._beyond: dict[Position, Position] = {}
        state = first = self._state()
        for self._part, expression in enumerate(parts):
            state = self._emit(expression, state)
        self.final = state
        self.start = self._position([first])

    def matches(self, text: str) -> bool:
        """Tell whether the text as a whole matches."""
        return self.follow(self.start, text).accepts

    def judge(self, value: str | Text | Unknown) -> Verdict:
        """PROVEN or VIOLATED if it is so whatever the unknown parts become, else UNDETERMINED.

        A text with an unknown part is never PROVEN.
        """
        if isinstance(value, str):
            return Verdict.PROVEN if self.matches(value) else Verdict.VIOLATED
        position = self.start
        for part in value.parts if isinstance(value, Text) else (value,):
            position = self.follow(position, part) if isinstance(part, str) else self._after_anything(position)
        return Verdict.UNDETERMINED if position.accepts else Verdict.VIOLATED

    def follow(self, position: Position, text: str) -> Position:
        """Return the position that the text leads to."""
        for character in text:
            following = position.following.get(character)
            position = following or self._step(position, character)
            if not position.states:
                break
        return position

    def departure(self, text: str) -> int:
        """Return the length of the longest beginning of the text that something which matches begins with."""
        position = self.start
        for length, character in enumerate(text):
            position = self.follow(position, character)
            if not position.states:
                return length
        return len(text)

    def parts_at(self, position: Position) -> list[int]:
        """Return the indices of the parts that may go on at a position."""
        return sorted({part for state in position.states for _, _, part in self.edges[state]})

    def closure(self, states: Iterable[int]) -> frozenset[int]:
        """Return the states and those reached from them without a character."""
        reached = set(states)
        pending = list(reached)
        while pending:
            for target in self.epsilons[pending.pop()]:
                if target not in reached:
                    reached.add(target)
                    pending.append(target)
        return frozenset(reached)

    def _position(self, states: Iterable[int]) -> Position:
        reached = self.closure(states)
        if reached not in self._positions:
            self._positions[reached] = Position(reached, accepts=self.final in reached)
        return self._positions[reached]

    def _step(self, position: Position, character: str) -> Position:
        targets = [
            target for state in position.states for edge, target, _ in self.edges[state] if fits(edge, character)
        ]
        following = position.following[character] = self._position(targets)
        return following

    def _after_anything(self, position: Position) -> Position:
        if position not in self._beyond:
            states = set(position.states)
            pending = list(states)
            while pending:
                state = pending.pop()
                for target in (*self.epsilons[state], *(target for _, target, _ in self.edges[state])):
                    if target not in states:
                        states.add(target)
                        pending.append(target)
            self._beyond[position] = self._position(states)
        return self._beyond[position]

    def _state(self) -> int:
        if len(self.edges) >= _MOST_STATES:
            raise ContractError(
                "the expression is too large",
                place=self._key,
                expected=f"at most {_MOST_STATES} states after repetitions are written out",
                remedy="use smaller bounds in {m,n}, or * and +",
            )
        self.edges.append([])
        self.epsilons.append([])
        return len(self.edges) - 1

    def _emit(self, expression: Expression, start: int) -> int:
        """Add the states of an expression that begins at `start`; return the state where it ends."""
        match expression:
            case Characters():
                end = self._state()
                self.edges[start].append((expression, end, self._part))
                return end
            case Sequence(items):
                for item in items:
                    start = self._emit(item, start)
                return start
            case Choice(options):
                end = self._state()
                for option in options:
                    self._join(self._emit(option, self._branch(start)), end)
                return end
            case Repeat():
                return self._emit_repeat(expression, start)

    def _emit_repeat(self, repeat: Repeat, start: int) -> int:
        for _ in range(repeat.least):
            start = self._emit(repeat.item, self._branch(start))
        if repeat.most is None:
            loop = self._branch(start)
            self._join(self._emit(repeat.item, loop), loop)
            return self._branch(loop)
        end = self._state()
        for _ in range(repeat.most - repeat.least):
            self._join(start, end)
            start = self._emit(repeat.item, self._branch(start))
        self._join(start, end)
        return end

    def _branch(self, start: int) -> int:
        state = self._state()
        self._join(start, state)
        return state

    def _join(self, start: int, end: int) -> None:
        self.epsilons[start].append(end)


def fits(characters: Characters, character: str) -> bool:
    """Tell whether a character is of the set."""
    if characters.only:
        return characters.only == character
    return _set(characters.pattern).fullmatch(character) is not None


@cache
def _set(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(pattern)
