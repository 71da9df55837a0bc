"""Patterns of policies and the subjects they are asked about, as sequences of tokens.

A pattern is literal text with `*` and `?` that may hold unknown parts; a subject is literal text that may hold unknown
parts and single unknown characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TypeAlias

from infraspec.character import Character
from infraspec.unknown import Text, Unknown, Value, concatenate, render

_HEADER_COLONS = 5
_UNTYPED_SERVICES = frozenset({"s3", "sns", "sqs", "execute-api"})
"""Services whose ARNs name the resource without its type."""


class Wildcard(Enum):
    """A wildcard of a pattern; the SEGMENT forms stand in the first five fields of an ARN."""

    STAR = "*"
    QUESTION = "?"
    SEGMENT_STAR = "segment *"
    SEGMENT_QUESTION = "segment ?"


Token: TypeAlias = str | Unknown | Wildcard
"""One known character, a wildcard, one unknown character (Character), or unknown text of any length (Unknown)."""

_SPECIAL = re.compile(r"[*?]|\$\{")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def is_open(token: object) -> bool:
    """Tell whether a token is unknown text of any length, not one unknown character."""
    return isinstance(token, Unknown) and not isinstance(token, Character)


_FRESH = ("[?]", '["?"]', "uuid()", "timestamp()", "bcrypt(")


def identical(token: object, item: object) -> bool:
    """Tell whether a token is for certain what an item is.

    An unknown is itself, but the instance of an unknown key (`[?]`) may be another one elsewhere, and a function such
    as uuid() gives another value at each call.
    """
    return token == item and not (isinstance(item, Unknown) and any(mark in item.address for mark in _FRESH))


def as_it_is(value: Value) -> Value:
    """Return the value itself: the `resolve` of a pattern or subject whose unknown parts stay as they are."""
    return value


@dataclass(frozen=True)
class Subject:
    """What a request names: an ARN, `*` for actions without resources, or the name of an action."""

    value: Value
    prefix: str
    """The literal text it begins with."""
    source: Unknown | None = None
    """The attribute the whole of it comes from, if it is one."""

    @classmethod
    def of(cls, value: Value, resolve: Callable[[Value], Value] = as_it_is) -> Subject:
        """Make a subject of known or partly known text; `resolve` narrows its unknown parts."""
        narrowed = resolve(value)
        return cls(narrowed, _first_literal(narrowed), value if isinstance(value, Unknown) else None)

    @cached_property
    def tokens(self) -> tuple[str | Unknown, ...]:
        """The characters, known and unknown, and the parts of unknown length."""
        parts = _parts(self.value)
        return tuple(token for part in parts for token in (part if isinstance(part, str) else (part,)))

    def __str__(self) -> str:
        return shown(self.source or self.value)


@dataclass(frozen=True)
class Pattern:
    """A Resource, Action or their Not form. `value` is what the policy says, for messages."""

    value: Value
    narrowed: Value
    prefix: str
    """Literal text it begins with, up to the first wildcard, variable or unknown part."""
    plain: Value
    """The text itself if it has no wildcard and is certainly equal to itself, else None."""
    variables: bool = False
    """Whether `${…}` in its text is a policy variable."""
    source: Unknown | None = None

    @classmethod
    def arn(cls, value: Value, resolve: Callable[[Value], Value] = as_it_is, *, variables: bool = False) -> Pattern:
        """Make the pattern of a Resource; `resolve` narrows its unknown parts."""
        narrowed = resolve(value)
        variables = variables and any("${" in part for part in _literals(narrowed))
        wild = variables or any("*" in part or "?" in part for part in _literals(narrowed))
        plain = None if wild or not all(identical(part, part) for part in _parts(narrowed)) else narrowed
        prefix = _first_literal(narrowed)
        source = value if isinstance(value, Unknown) else None
        return cls(value, narrowed, _SPECIAL.split(prefix, maxsplit=1)[0], plain, variables, source)

    @classmethod
    def action(cls, value: Value) -> Pattern:
        """Make the pattern of an Action. Actions are compared without regard to letter case."""
        parts = [part.lower() if isinstance(part, str) else part for part in _parts(value)]
        lowered = parts[0] if len(parts) == 1 else concatenate(parts)
        return replace(cls.arn(lowered), value=value)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The characters, wildcards and unknown parts."""
        return self._compiled[0]

    @property
    def header(self) -> int:
        """How many tokens stand, or may stand, in the first five fields of an ARN: letter case does not count."""
        return self._compiled[1]

    @property
    def folded(self) -> int:
        """How many tokens stand in the first five fields for certain: no unknown text before may hold a colon."""
        return self._compiled[2]

    @property
    def doubtful(self) -> bool:
        """Whether a match is not certain: a wildcard in the resource type with more text after it."""
        return self._compiled[3]

    @cached_property
    def _compiled(self) -> tuple[tuple[Token, ...], int, int, bool]:
        tokens = list(_tokens(self.narrowed, variables=self.variables))
        header = _header(tokens)
        tokens[:header] = [_segmented(token) for token in tokens[:header]]
        if tokens and tokens[-1] is Wildcard.SEGMENT_STAR:  # the last character of an ARN expands over colons
            tokens[-1] = Wildcard.STAR
        folded = 0 if any(is_open(token) for token in tokens[:header]) else header
        return tuple(tokens), header, folded, _doubtful(tokens, header)

    def __str__(self) -> str:
        return shown(self.value)


def shown(value: Value) -> str:
    """Write a value for a message: an attribute by its address."""
    return value.address if type(value) is Unknown else render(value)


def _first_literal(value: Value) -> str:
    parts = _parts(value)
    return parts[0] if parts and isinstance(parts[0], str) else ""


def _parts(value: Value) -> tuple[str | Unknown, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, Text):
        return value.parts
    return (value,) if isinstance(value, Unknown) else (render(value),)


def _literals(value: Value) -> Iterator[str]:
    return (part for part in _parts(value) if isinstance(part, str))


def _tokens(value: Value, *, variables: bool) -> Iterator[Token]:
    for part in _parts(value):
        if isinstance(part, Unknown):
            yield part
        elif variables and "${" in part:
            yield from _with_variables(part)
        else:
            yield from map(_character, part)


def _with_variables(text: str) -> Iterator[Token]:
    """Source: IAM User Guide, "IAM policy elements: Variables and tags", with its escapes `${*}`, `${?}`, `${$}`."""
    position = 0
    for variable in _VARIABLE.finditer(text):
        yield from map(_character, text[position : variable.start()])
        name = variable[1].strip()
        yield name if name in {"*", "?", "$"} else Unknown(f"policy variable {name}")
        position = variable.end()
    yield from map(_character, text[position:])


def _character(character: str) -> Token:
    return {"*": Wildcard.STAR, "?": Wildcard.QUESTION}.get(character, character)


def _segmented(token: Token) -> Token:
    if token is Wildcard.STAR:
        return Wildcard.SEGMENT_STAR
    return Wildcard.SEGMENT_QUESTION if token is Wildcard.QUESTION else token


def _header(tokens: list[Token]) -> int:
    colons = 0
    for position, item in enumerate(tokens):
        colons += item == ":"
        if colons == _HEADER_COLONS:
            return position + 1
    return len(tokens)


def _doubtful(tokens: list[Token], header: int) -> bool:
    service = "".join(token for token in tokens[:header] if isinstance(token, str)).split(":")[2:3]
    if header == len(tokens) or (service and service[0] in _UNTYPED_SERVICES):
        return False
    for position in range(header, len(tokens)):
        if tokens[position] in (":", "/"):
            return False
        if isinstance(tokens[position], Wildcard):
            return any(token is not Wildcard.STAR for token in tokens[position:])
    return False
