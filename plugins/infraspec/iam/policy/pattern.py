"""Patterns of policies, as sequences of tokens: literal text with `*` and `?` that may hold unknown parts.

They are no regular expressions: to compile one takes longer than most policies are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from infraspec.core.unknown import Text, Unknown, Value, concatenate
from infraspec.iam.policy.partial_arn import PartialArn, as_it_is, identical, is_open, lazy, parts_of, shown

_Piece: TypeAlias = tuple[int, str]
"""Literal text and its offset in a segment."""


class Glob:
    """A pattern, split at its stars into segments; a segment is literal text between question marks."""

    __slots__ = ("_segments",)

    def __init__(self, text: str) -> None:
        self._segments = tuple(_Segment(segment) for segment in text.split("*"))

    def matches(self, text: str) -> bool:
        """Tell whether the pattern matches the whole text."""
        first, *middle = self._segments
        if not first.at(text, 0):
            return False
        if not middle:
            return len(text) == first.length
        position, last = first.length, middle.pop()
        for segment in middle:
            position = segment.find(text, position)
            if position < 0:
                return False
        return len(text) - last.length >= position and last.at(text, len(text) - last.length)


class _Segment:
    __slots__ = ("_pieces", "_text", "length")

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._text = None if "?" in text else text
        self._pieces: tuple[_Piece, ...] = () if self._text is not None else _pieces(text)

    def at(self, text: str, position: int) -> bool:
        """Tell whether the segment stands at a position."""
        if self._text is not None:
            return text.startswith(self._text, position)
        if position + self.length > len(text):
            return False
        return all(text.startswith(piece, position + offset) for offset, piece in self._pieces)

    def find(self, text: str, start: int) -> int:
        """Return the position after the first place of the segment from `start` on, or -1."""
        if self._text is not None:
            found = text.find(self._text, start)
            return found if found < 0 else found + self.length
        places = (position for position in range(start, len(text) - self.length + 1) if self.at(text, position))
        return next((position + self.length for position in places), -1)


def _pieces(text: str) -> tuple[_Piece, ...]:
    pieces, offset = [], 0
    for piece in text.split("?"):
        if piece:
            pieces.append((offset, piece))
        offset += len(piece) + 1
    return tuple(pieces)


@lru_cache(maxsize=16384)
def matcher(text: str) -> Callable[[str], bool]:
    """Return the test of a pattern; equal patterns share one."""
    literal = text.rstrip("?")
    if "?" not in literal:
        head, star, rest = text.partition("*")
        if not star:
            length = len(text)
            return text.__eq__ if literal == text else lambda given: len(given) == length and given.startswith(literal)
        if not rest:
            return lambda given: given.startswith(head)
    return Glob(text).matches


_HEADER_COLONS = 5
_UNTYPED_SERVICES = frozenset({"s3", "sns", "sqs", "execute-api"})
"""Services whose ARNs name the resource without its type."""


class Form(Enum):
    """What the text of a pattern is, which says how it is compared."""

    RESOURCE = "a Resource: wildcards, no regard to letter case in the first five fields"
    ACTION = "an Action: wildcards, no regard to letter case"
    ARN = "an ARN of a condition: wildcards within each of the six fields"
    LIKE = "text of a condition with wildcards"
    TEXT = "text without wildcards"


class Wildcard(Enum):
    """A wildcard of a pattern; the SEGMENT forms stand in the first five fields of an ARN."""

    STAR = "*"
    QUESTION = "?"
    SEGMENT_STAR = "segment *"
    SEGMENT_QUESTION = "segment ?"


class Verbatim(str):
    """Text in a pattern whose `*` and `?` are no wildcards: the value of a policy variable."""

    __slots__ = ()


Token: TypeAlias = str | Unknown | Wildcard
"""One known character, a wildcard, one unknown character (Character), or unknown text of any length (Unknown)."""
Part: TypeAlias = str | Unknown
"""A piece of a pattern: text, Verbatim text, or what is not known."""

_SPECIAL = re.compile(r"[*?]")
_TYPE_END = re.compile(r"[:/]")


class Pattern(Struct, frozen=True, dict=True):
    """A Resource, an Action, or a value of a condition. `value` is what the policy says, for messages."""

    value: Value
    parts: tuple[Part, ...]
    form: Form
    source: Unknown | None = None

    @classmethod
    def of(cls, value: Value, form: Form, resolve: Callable[[Value], Value] = as_it_is) -> Pattern:
        """Make a pattern of a form; `resolve` narrows its unknown parts."""
        if type(value) is str:
            return _known_pattern(value, form)
        return cls(value, parts_of(resolve(value)), form, value if isinstance(value, Unknown) else None)

    @classmethod
    def arn(cls, value: Value, resolve: Callable[[Value], Value] = as_it_is) -> Pattern:
        """Make the pattern of a Resource."""
        return cls.of(value, Form.RESOURCE, resolve)

    @classmethod
    def action(cls, value: Value) -> Pattern:
        """Make the pattern of an Action. Actions are compared without regard to letter case."""
        if type(value) is str:
            return _known_pattern(value, Form.ACTION)
        return cls(
            value, tuple(part.lower() if isinstance(part, str) else part for part in parts_of(value)), Form.ACTION
        )

    @lazy
    def known(self) -> str | None:
        """The whole text, if it is known and its wildcards are."""
        if not self.parts:
            return ""
        only = self.parts[0]
        return only if len(self.parts) == 1 and type(only) is str else None

    def is_known(self, _context: object) -> bool:
        """Tell whether all of it is known, whatever the request."""
        return all(isinstance(part, str) for part in self.parts)

    @lazy
    def loose(self) -> Callable[[str], bool]:
        """The test of known text in lower case that it passes if the pattern matches, whatever fields and case are."""
        return (lambda _text: True) if self.known is None or self.incomplete else matcher(self.known.lower())

    @lazy
    def lowered_prefix(self) -> str:
        """Literal text it begins with, in lower case."""
        return self.prefix.lower()

    def rejects(self, subject: PartialArn) -> bool:
        """Tell whether the subject is certain not to match, by text alone."""
        return not self.loose(subject.lowered) if subject.known else self.begins_apart(subject)

    def begins_apart(self, subject: PartialArn) -> bool:
        """Tell whether the two certainly begin differently, whatever follows."""
        prefix, given = self.lowered_prefix, subject.lowered_prefix
        return not (given.startswith(prefix) or prefix.startswith(given))

    @lazy
    def prefix(self) -> str:
        """Literal text it begins with, up to the first wildcard or unknown part."""
        first = self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""
        return first if self._is_literal(first) else _SPECIAL.split(first, maxsplit=1)[0]

    @lazy
    def plain(self) -> Value:
        """The text itself if it has no wildcard and is certainly equal to itself, else None."""
        if all(self._is_literal(part) if isinstance(part, str) else identical(part, part) for part in self.parts):
            joined = concatenate(str(part) if isinstance(part, str) else part for part in self.parts)
            return joined.parts[0] if isinstance(joined, Text) and len(joined.parts) == 1 else joined
        return None

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

    @lazy
    def doubtful(self) -> bool:
        """Whether a match is not certain: a wildcard in the resource type with text after it, or too few fields."""
        if self.form is Form.ARN:
            return self.known is not None and self.known.count(":") < _HEADER_COLONS
        if self.form is not Form.RESOURCE:
            return False
        if self.known is not None:
            tail = self.fields[_HEADER_COLONS] if len(self.fields) > _HEADER_COLONS else ""
            wild = _SPECIAL.search(tail)
            if wild is None or _TYPE_END.search(tail, 0, wild.start()) or self.fields[2] in _UNTYPED_SERVICES:
                return False
            return tail[wild.start() :].strip("*") != ""
        return _doubtful(list(self.tokens), self.header)

    @lazy
    def incomplete(self) -> bool:
        """Whether it is a Resource such as `arn:aws:sqs`, which has too few fields and no wildcard at the end."""
        text = self.known or ""
        arn = self.form is Form.RESOURCE and text.startswith("arn:")
        return arn and text.count(":") < _HEADER_COLONS and not text.endswith("*")

    @lazy
    def fields(self) -> tuple[str, ...]:
        """The known text as the fields of an ARN, the first five of a Resource in lower case."""
        text = self.known or ""
        if self.form is not Form.RESOURCE:
            return tuple(text.split(":", _HEADER_COLONS))
        fields = text.lower().split(":", _HEADER_COLONS)
        if len(fields) > _HEADER_COLONS:
            fields[-1] = text.split(":", _HEADER_COLONS)[-1]
        return tuple(fields)

    @lazy
    def _compiled(self) -> tuple[tuple[Token, ...], int, int]:
        tokens = [token for part in self.parts for token in self._tokens(part)]
        if self.form in {Form.LIKE, Form.TEXT}:
            return tuple(tokens), 0, 0
        header = _header(tokens)
        tokens[:header] = [_segmented(token) for token in tokens[:header]]
        if tokens and tokens[-1] is Wildcard.SEGMENT_STAR:  # the last character of an ARN expands over colons
            tokens[-1] = Wildcard.STAR
        folds = self.form is not Form.ARN
        folded = 0 if not folds or any(is_open(token) for token in tokens[:header]) else header
        return tuple(tokens), header if folds else 0, folded

    def _is_literal(self, part: str) -> bool:
        return self.form is Form.TEXT or isinstance(part, Verbatim) or not _SPECIAL.search(part)

    def _tokens(self, part: Part) -> Iterator[Token]:
        if isinstance(part, Unknown):
            return iter((part,))
        if self.form is Form.TEXT or isinstance(part, Verbatim):
            return iter(part)
        return (_WILDCARDS.get(character, character) for character in part)

    def __str__(self) -> str:
        return shown(self.value)


@lru_cache(maxsize=16384)
def _known_pattern(text: str, form: Form) -> Pattern:
    if form is Form.ACTION:
        return Pattern(text, (text.lower(),) if text else (), form)
    return Pattern(text, (text,) if text else (), form)


_WILDCARDS: Mapping[str, Token] = {"*": Wildcard.STAR, "?": Wildcard.QUESTION}


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
