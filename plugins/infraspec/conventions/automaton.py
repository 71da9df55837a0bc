"""An automaton that tells whether a text matches, could still match, or where it departs.

Built as in Thompson, "Regular Expression Search Algorithm" (1968): the states a text can be in are followed all at
once, so the time is linear in the text. Sets of states that were reached once are remembered with their successors.

Python's `re` backtracks: an expression such as `(a+)+b` can run for hours, and it cannot say where a text departs
from it or whether a text with an unknown part can still match. So the contract's expressions are read here. The syntax
is Python's, without what is not regular: no lookaround, no back-reference, no flag, no possessive quantifier, no
anchor but `^` at the beginning and `$` at the end. An expression is matched against a text as a whole.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cache
from typing import NoReturn, TypeAlias

from msgspec import Struct

from infraspec.core.errors import ContractError
from infraspec.core.finding import Verdict
from infraspec.core.unknown import Text, Unknown, parts_of

_DEEPEST = 50
_MOST_REPETITIONS = 1000
_GROUP = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]+\}|[dDwWsSafnrtv]|[^A-Za-z0-9])", re.DOTALL
)
_QUANTIFIER = re.compile(r"(?P<sign>[*+?])|\{(?P<least>\d*),(?P<most>\d*)\}|\{(?P<times>\d+)\}")
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class Characters(Struct, frozen=True):
    """One character out of a set. `pattern` is the set as Python's `re` writes it; `only` is its one character."""

    pattern: str
    only: str = ""


class Sequence(Struct, frozen=True):
    """One expression after the other."""

    items: tuple[Expression, ...]


class Choice(Struct, frozen=True):
    """One expression or another."""

    options: tuple[Expression, ...]


class Repeat(Struct, frozen=True):
    """An expression from `least` to `most` times; `most` is None for any number."""

    item: Expression
    least: int
    most: int | None


Expression: TypeAlias = Characters | Sequence | Choice | Repeat
ANY_TEXT = Repeat(Characters(r"[\s\S]"), 0, None)


def literal(text: str) -> Sequence:
    """Return the expression that matches the text and nothing else."""
    return Sequence(tuple(Characters(re.escape(character), character) for character in text))


def one_of(texts: tuple[str, ...]) -> Choice:
    """Return the expression that matches each of the texts and nothing else."""
    return Choice(tuple(literal(text) for text in texts))


def parse_expression(text: str, *, key: str) -> Expression:
    """Parse a regular expression; `key` is where it stands in the contract.

    Raises ContractError if it is not one, or is one of those that are not supported (see the module).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "possible nested set": Python reads it as we do
            re.compile(text)
    except re.error as error:
        excerpt = "" if error.pos is None else f"{text}\n{' ' * error.pos}^"
        raise ContractError(
            f"is not a regular expression: {error.msg}",
            place=key,
            expected="a regular expression as Python's re module reads it",
            found=text,
            remedy=r"fix the expression; a backslash before ( ) [ ] { } . * + ? | \ makes it an ordinary character",
            excerpt=excerpt,
        ) from None
    except (RecursionError, OverflowError):
        _refuse(text, key, "an expression of this size")
    return _Parser(text, key).parse()


def _refuse(text: str, key: str, construct: str) -> NoReturn:
    raise ContractError(
        f"the regular expression uses {construct}, which is not supported",
        place=key,
        expected="characters, sets such as [a-z0-9], groups, | and the quantifiers * + ? {m,n}",
        found=text,
        remedy="write the expression without it; the whole text is matched, so no anchor is needed",
    ) from None


class _Parser:
    """choice = sequence { "|" sequence };  sequence = { atom [ quantifier ] };  atom = set | group | character."""

    def __init__(self, text: str, key: str) -> None:
        self.text = text
        self.key = key
        self.at = 0
        self.depth = 0

    def parse(self) -> Expression:
        return self._choice()

    @property
    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _choice(self) -> Expression:
        options = [self._sequence()]
        while self._next == "|":
            self.at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Expression:
        items: list[Expression] = []
        if self.depth == 0 and self._next == "^":
            self.at += 1
        while self._next not in ("", "|", ")"):
            if self._next == "$" and self.depth == 0 and self.text[self.at + 1 : self.at + 2] in ("", "|"):
                self.at += 1
                break
            items.append(self._repeated())
        return Sequence(tuple(items))

    def _repeated(self) -> Expression:
        item = self._atom()
        match = _QUANTIFIER.match(self.text, self.at)
        if match is None:
            return item
        self.at = match.end()
        if self._next == "+":
            _refuse(self.text, self.key, "a possessive quantifier")
        if self._next == "?":  # lazy: the same texts match
            self.at += 1
        least, most = self._bounds(match)
        if max(least, most or 0) > _MOST_REPETITIONS:
            _refuse(self.text, self.key, f"a repetition of more than {_MOST_REPETITIONS} times")
        return Repeat(item, least, most)

    @staticmethod
    def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
        if match["sign"]:
            return _SIGNS[match["sign"]]
        if match["times"]:
            return int(match["times"]), int(match["times"])
        return int(match["least"] or 0), int(match["most"]) if match["most"] else None

    def _atom(self) -> Expression:
        character = self._next
        match character:
            case "(":
                return self._group()
            case "[":
                return self._set(_CLASS, "this kind of set")
            case "\\":
                return self._set(_ESCAPE, f"the escape {self.text[self.at : self.at + 2]}")
            case ".":
                self.at += 1
                return Characters(".")
            case "^" | "$":
                _refuse(self.text, self.key, f"the anchor {character} within the expression")
        self.at += 1
        return Characters(re.escape(character), character)

    def _group(self) -> Expression:
        match = _GROUP.match(self.text, self.at)
        if match is None:
            _refuse(self.text, self.key, f"the construct {self.text[self.at : self.at + 3]}…)")
        self.depth += 1
        if self.depth > _DEEPEST:
            _refuse(self.text, self.key, f"groups nested more than {_DEEPEST} deep")
        self.at = match.end()
        inner = self._choice()
        self.at += 1
        self.depth -= 1
        return inner

    def _set(self, kind: re.Pattern[str], construct: str) -> Characters:
        match = kind.match(self.text, self.at)
        if match is None:
            _refuse(self.text, self.key, construct)
        self.at = match.end()
        only = match[0][1] if match[0][0] == "\\" and not match[0][1].isalnum() else ""
        return Characters(match[0], only)


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
        for part in parts_of(value):
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
