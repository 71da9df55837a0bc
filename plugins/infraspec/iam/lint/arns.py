"""Whether a resource of a policy may be an ARN of a type, field by field.

Source: Service Authorization Reference ("Resource types"); AWS General Reference, "Amazon Resource Names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from msgspec import Struct

from infraspec.iam.answer import Answer
from infraspec.iam.lint.fault import Resolve
from infraspec.iam.matching import match
from infraspec.iam.pattern import Pattern, Subject, is_open, shown
from infraspec.iam.reference import ResourceType
from infraspec.iam.subject import policy_variable
from infraspec.unknown import Text, Unknown, Value, concatenate, render

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SAME = {"codestar-connections": "codeconnections"}
"""Services that were renamed: the ARN of the one is that of the other."""
_HEADER = 5
_NO_HEADER = "arn:::::"
"""What stands for the first five fields where the last one is compared alone."""


class Entry(Struct, frozen=True):
    """A resource that a policy lists: `value` as it is written, `text` with its parts narrowed.

    Policy variables in it are unknown parts too.
    """

    value: Value
    text: Value

    @classmethod
    def of(cls, value: Value, resolve: Resolve) -> Entry:
        """Read a resource; `resolve` narrows its unknown parts."""
        narrowed = resolve(value)
        parts = narrowed.parts if isinstance(narrowed, Text) else (narrowed,)
        if not any(isinstance(part, str) and "${" in part for part in parts):
            return cls(value, narrowed)
        return cls(value, concatenate(piece for part in parts for piece in _with_variables(part)))

    @property
    def service(self) -> str:
        """The service that it names for certain, or nothing."""
        split = _split(self.text)
        return _service(split[0]) if split else ""

    @property
    def may_be_all(self) -> bool:
        """Whether it is, or may be, everything: `*`, `arn:aws:s3:::*`."""
        parts = self.text.parts if isinstance(self.text, Text) else (self.text,)
        if any(is_open(part) for part in parts):
            return True
        return not render(self.text).split(":", _HEADER)[-1].strip("*")

    def may_be(self, kind: ResourceType) -> bool:
        """Tell whether it matches some ARN of a type for some value of its unknown parts."""
        split = _split(self.text)
        if split is None:
            return match(_pattern(self.text), kind.subject) is not Answer.NO
        header, tail = split
        service = _service(header)
        if service and kind.service and service != renamed(kind.service):
            return False
        if kind.service == "s3" and _is_regional(header) not in (None, "${Region}" in kind.arn):
            return False
        if (kind.service, kind.name) == ("s3", "bucket") and any("/" in part for part in _known(tail)):
            return False  # a bucket's name has no slash
        pattern = _pattern(concatenate([_NO_HEADER, tail]))
        if match(pattern, _tail_subject(kind)) is not Answer.NO:
            return True
        crossing = header.endswith("*:") and not next(_known(tail), "").startswith(_type_in(kind))
        return crossing and any(match(pattern, rest) is not Answer.NO for rest in _after_type(kind))

    def __str__(self) -> str:
        return shown(self.value)


def renamed(service: str) -> str:
    """Return the name that a service has now."""
    return _SAME.get(service, service)


def _with_variables(part: str | Unknown) -> list[str | Unknown]:
    if not isinstance(part, str):
        return [part]
    pieces = _VARIABLE.split(part)
    return [policy_variable(piece) if position % 2 else piece for position, piece in enumerate(pieces)]


def _split(value: Value) -> tuple[str, Value] | None:
    """Split an ARN after its fifth colon; None if an unknown part may hold it.

    Fields hold no colon themselves; an unknown part of the first five is written `$`.
    """
    parts = value.parts if isinstance(value, Text) else (value,)
    if not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return None
    colons = 0
    for position, part in enumerate(parts):
        if not isinstance(part, str):
            continue
        fields = part.split(":", _HEADER - colons)
        colons += len(fields) - 1
        if colons == _HEADER:
            header = "".join("$" if isinstance(piece, Unknown) else piece for piece in parts[:position])
            return header + ":".join(fields[:-1]) + ":", concatenate([fields[-1], *parts[position + 1 :]])
    return None


def _service(header: str) -> str:
    """Return the service that the first fields of an ARN name for certain, or nothing."""
    service = header.split(":")[2].lower()
    return "" if set("*?$") & set(service) else renamed(service)


def _is_regional(header: str) -> bool | None:
    """Tell whether an ARN names a region; None if its region is a wildcard or not known."""
    region = header.split(":")[3]
    return None if set("*?$") & set(region) else bool(region)


@lru_cache(maxsize=512)
def _pattern(text: Value) -> Pattern:
    return Pattern.arn(text)


def _type_in(kind: ResourceType) -> str:
    """Return how the last field of a type's ARNs begins; where a policy writes that, it means that field."""
    return _tail_subject(kind).prefix.removeprefix(_NO_HEADER) or "an ARN without a type"


@cache
def _after_type(kind: ResourceType) -> tuple[Subject, ...]:
    """Return what follows each colon of the last field: a wildcard for the account may stand for all before.

    `…:*:db-*` is then a pattern of `…:111122223333:secret:db-x`. AWS does not document it, and its own policies count
    on it.
    """
    split = _split(kind.subject.value)
    rests = []
    while split is not None and (split := _split(concatenate(["arn::::", split[1]]))) is not None:
        rests.append(Subject.of(concatenate([_NO_HEADER, split[1]])))
    return tuple(rests)


@cache
def _tail_subject(kind: ResourceType) -> Subject:
    split = _split(kind.subject.value)
    return Subject.of(concatenate([_NO_HEADER, split[1]])) if split else kind.subject


def _known(value: Value) -> Iterator[str]:
    parts = value.parts if isinstance(value, Text) else (value,)
    return (part for part in parts if isinstance(part, str))
