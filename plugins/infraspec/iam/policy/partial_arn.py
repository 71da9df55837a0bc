"""What a pattern of a policy is asked about: text that may hold unknown parts and single unknown characters."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

from msgspec import Struct

from infraspec.core.unknown import Character, ConditionKey, Text, Unknown, Value, concatenate, is_one_value, render

_NAMES = ("arn", "partition", "service", "region", "account")

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it is read as a decorator
    """Compute a method's value once, and keep it as the attribute of its name: cached_property without its lock."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


def arn_fields(arn: Value) -> dict[str, Value]:
    """Split an ARN, known or partly known, into its first five fields; none if it is not certain to be one."""
    if isinstance(arn, str):
        known = arn.split(":", len(_NAMES))
        return dict(zip(_NAMES, known, strict=False)) if known[0] == "arn" and len(known) > len(_NAMES) else {}
    parts = arn.parts if isinstance(arn, Text) else (arn,)
    if not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return {}
    fields: list[list[str | Unknown]] = [[]]
    for part in parts:
        pieces = part.split(":") if isinstance(part, str) else [part]
        fields[-1].append(pieces[0])
        fields.extend([piece] for piece in pieces[1:])
        if len(fields) > len(_NAMES):
            break
    if len(fields) <= len(_NAMES):
        return {}
    joined = [field[0] if len(field) == 1 else concatenate(field) for field in fields[: len(_NAMES)]]
    alone = [value.parts[0] if isinstance(value, Text) and len(value.parts) == 1 else value for value in joined]
    return dict(zip(_NAMES, alone, strict=True))


_HEADER_COLONS = 5
_OPEN, SINGLE = "\ue000", "\ue001"
"""What stands for unknown text, and for one unknown character, in the code of a subject: no pattern holds them."""


def is_open(token: object) -> bool:
    """Tell whether a token is unknown text of any length, not one unknown character."""
    return isinstance(token, Unknown) and not isinstance(token, Character)


def identical(token: object, item: object) -> bool:
    """Tell whether a token is for certain what an item is.

    An unknown is itself, if it is one value wherever it stands.
    """
    return token == item and not (isinstance(item, Unknown) and not is_one_value(item.address))


def policy_variable(key: str) -> Unknown:
    """Return what a policy variable stands for, `${aws:username}`: what the request has."""
    return Unknown(f"policy variable {key}", ConditionKey(key))


def as_it_is(value: Value) -> Value:
    """Return the value itself: the `resolve` of a pattern or subject whose unknown parts stay as they are."""
    return value


class PartialArn(Struct, frozen=True, eq=False, dict=True):
    """What a request names: an ARN, `*` for actions without resources, the name of an action, a context key's value."""

    value: Value
    prefix: str
    """The literal text it begins with."""
    source: Unknown | None = None
    """The attribute the whole of it comes from, if it is one."""

    @classmethod
    def of(cls, value: Value, resolve: Callable[[Value], Value] = as_it_is) -> PartialArn:
        """Make a subject of known or partly known text; `resolve` narrows its unknown parts."""
        if type(value) is str:
            return _known_subject(value)
        narrowed = resolve(value)
        first = next(iter(parts_of(narrowed)), "")
        return cls(narrowed, first if isinstance(first, str) else "", value if isinstance(value, Unknown) else None)

    @lazy
    def tokens(self) -> tuple[str | Unknown, ...]:
        """The characters, known and unknown, and the parts of unknown length."""
        parts = parts_of(self.value)
        return tuple(token for part in parts for token in (part if isinstance(part, str) else (part,)))

    @lazy
    def known(self) -> bool:
        """Whether all of it is known."""
        return isinstance(self.value, str)

    @lazy
    def code(self) -> str:
        """The text, with a code in place of each unknown part."""
        if isinstance(self.value, str):
            return self.value
        parts = parts_of(self.value)
        return "".join(part if isinstance(part, str) else _OPEN if is_open(part) else SINGLE for part in parts)

    @lazy
    def lowered(self) -> str:
        """The code in lower case."""
        return self.code.lower()

    @lazy
    def lowered_prefix(self) -> str:
        """The literal text it begins with, in lower case."""
        return self.prefix.lower()

    @lazy
    def fields(self) -> tuple[str, ...]:
        """The code as the fields of an ARN, the first five in lower case; fewer than six if it is none."""
        fields = self.lowered.split(":", _HEADER_COLONS)
        fields[-1] = self.code.split(":", _HEADER_COLONS)[-1]
        return tuple(fields)

    @lazy
    def has_open(self) -> bool:
        """Whether it holds a part of unknown length."""
        return _OPEN in self.code

    def __str__(self) -> str:
        return shown(self.source or self.value)


@lru_cache(maxsize=8192)
def _known_subject(text: str) -> PartialArn:
    subject = PartialArn(text, text)
    subject.__dict__.update(known=True, code=text, lowered=text.lower())  # what every request asks for
    return subject


def shown(value: Value) -> str:
    """Write a value for a message: an attribute by its address."""
    return value.address if type(value) is Unknown else render(value)


def parts_of(value: Value) -> tuple[str | Unknown, ...]:
    """Return the pieces of a text, known and unknown."""
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, Text):
        return value.parts
    return (value,) if isinstance(value, Unknown) else (render(value),)
