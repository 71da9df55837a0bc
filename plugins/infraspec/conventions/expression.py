"""Regular expressions of the contract, parsed to a tree that an automaton is built from.

Python's `re` backtracks: an expression such as `(a+)+b` can run for hours, and it cannot say where a text departs
from it or whether a text with an unknown part can still match. So the contract's expressions are read here. The syntax
is Python's, without what is not regular: no lookaround, no back-reference, no flag, no possessive quantifier, no
anchor but `^` at the beginning and `$` at the end. An expression is matched against a text as a whole.
"""

from __future__ import annotations

import re
import warnings
from typing import NoReturn, TypeAlias

from msgspec import Struct

from infraspec.errors import ContractError

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
            remedy=r"mend the expression; a backslash before ( ) [ ] { } . * + ? | \ makes it an ordinary character",
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
