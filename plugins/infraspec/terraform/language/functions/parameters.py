"""The types of parameters: each converts an argument, or raises EvaluationError.

An unknown part passes, so that a structural function can look at it; a list, map or number that is unknown as a whole
decides nothing, so it raises Undetermined.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct

from infraspec.core.errors import EvaluationError
from infraspec.core.limits import Allowance
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.language.conversions import iterate, to_bool, to_number, to_text
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import SetValue, exact_number, type_name

Parameter: TypeAlias = Callable[[Value], Value]
"""Converts an argument to a parameter's type; raises EvaluationError."""


class Files(Protocol):
    """The files that expressions may read, and what else they are evaluated with.

    `beginnings` are the texts that attributes are known to begin with, by address; `further` gives functions that
    Terraform does not have.
    """

    @property
    def allowance(self) -> Allowance:
        """What is left to the evaluation."""

    @property
    def beginnings(self) -> Mapping[str, str]:
        """The beginnings of attributes."""

    @property
    def further(self) -> Callable[[str], Function | None]:
        """What finds a function that Terraform does not have."""

    @property
    def root(self) -> Path:
        """The directory that relative paths start from."""

    def read(self, path: str) -> bytes:
        """Return the content of a file; FileAccessError if it lies outside, FileReadError if it cannot be read."""

    def replaced(self, path: str) -> str | None:
        """Return the text that a file has in place of its own."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path; FileAccessError if it lies outside, FileReadError if there can be no such path."""


class Function(Struct, frozen=True):
    """A function of the language.

    `parameters` convert the required arguments, `optional` those that may follow, `rest` any number of further ones.
    A `structural` function is called with arguments that hold unknown parts (never with a set that does, unless it
    takes `sets`); the result of another one is unknown then. `files` makes the files its first argument.
    """

    name: str
    compute: Callable[..., Value]
    parameters: Sequence[Parameter]
    optional: Sequence[Parameter] = ()
    rest: Parameter | None = None
    structural: bool = False
    sets: bool = False
    files: bool = False

    def convert(self, arguments: Sequence[Value]) -> list[Value]:
        """Return the arguments as the parameters want them; EvaluationError if one does not fit."""
        count = len(arguments)
        least, most = len(self.parameters), len(self.parameters) + len(self.optional)
        if count < least or (count > most and self.rest is None):
            expected = f"{least}" if least == most else f"{least} to {most}"
            expected = f"at least {least}" if self.rest else expected
            many = "few" if count < least else "many"
            raise EvaluationError(f"too {many} arguments", expected=expected, found=str(count))
        parameters = [*self.parameters, *self.optional]
        converted = []
        for position, argument in enumerate(arguments):
            parameter = parameters[position] if position < len(parameters) else self.rest
            converted.append(parameter(argument) if parameter else argument)
        return converted


REGISTRY: dict[str, Function] = {}


def function(
    name: str,
    *parameters: Parameter,
    optional: Sequence[Parameter] = (),
    rest: Parameter | None = None,
    structural: bool = False,
    sets: bool = False,
    files: bool = False,
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated callable as a function of the language."""

    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        REGISTRY[name] = Function(name, compute, parameters, optional, rest, structural, sets, files)
        return compute

    return register


SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
"""White space of Unicode."""

_INTRICATE = re.compile(
    "[\u0590-\u109f\u1100-\u11ff\u1700-\u1cff\u1dc0-\u1dff\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3099\u309a"
    "\ua670-\ua6ff\ua800-\uabff\ud7b0-\udfff\ufeff\U00010000-\U0001efff\U0001fb00-\U000dffff\U000e0080-\U0010ffff]"
)
"""Characters of scripts in which the rules for user-perceived characters are more than those of `_CLUSTER`."""

_EXTENDING = (
    "\u0300-\u036f\u0483-\u0489\u200c\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
)
_PICTURE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934-\u2b55\u3030\u303d\u3297"
    "\u3299\U0001f000-\U0001f1e5\U0001f201-\U0001f3fa\U0001f400-\U0001faff"
)
_CLUSTER = re.compile(
    rf"\r\n|[\x00-\x1f\x7f-\x9f\xad]|[\U0001f1e6-\U0001f1ff]{{2}}[{_EXTENDING}\u200d]*"
    rf"|[{_PICTURE}][{_EXTENDING}]*(?:\u200d[{_PICTURE}][{_EXTENDING}]*)*\u200d?[{_EXTENDING}\u200d]*|.[{_EXTENDING}\u200d]*",
    re.DOTALL,
)
"""One user-perceived character. Source: Unicode Standard Annex #29, "Grapheme Cluster Boundary Rules"."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def clusters(value: str) -> list[str]:
    """Split text into user-perceived characters, which Terraform counts; Undetermined where that is intricate."""
    normal = value if value.isascii() else unicodedata.normalize("NFC", value)
    if not normal.isascii() and _INTRICATE.search(normal):
        raise Undetermined
    return list(normal) if normal.isascii() and "\r\n" not in normal else _CLUSTER.findall(normal)


def utf8(value: str) -> bytes:
    """Encode text, half a surrogate pair as the replacement character."""
    return value.encode() if value.isascii() else _SURROGATE.sub("\ufffd", value).encode()


def well_formed(value: str) -> str:
    """Bring text to Unicode's form NFC, as Terraform does, half a surrogate pair to the replacement character."""
    return value if value.isascii() else unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", value))


def _simple(change: Callable[[str], str], special: dict[str, str]) -> Callable[[str], str]:
    """Map character by character, leaving out the mappings to several characters, as Go does."""

    def apply(value: str) -> str:
        if value.isascii():
            return change(value)
        return "".join(special.get(old, new if len(new := change(old)) == 1 else old) for old in value)

    return apply


to_upper = _simple(str.upper, {})
to_lower = _simple(str.lower, {"\u0130": "i"})


def to_title(value: str) -> str:
    """Turn the first letter of each word to title case."""
    return "".join(_titled(value[position - 1 : position], letter) for position, letter in enumerate(value))


def _titled(before: str, letter: str) -> str:
    separates = not before or (not (before.isalnum() or before == "_") if before.isascii() else before in SPACE)
    new = letter.title()
    return new if separates and len(new) == 1 else letter


def nullable(value: Value) -> Value:
    """Take any value, null too."""
    return value


def present(value: Value) -> Value:
    """Take any value but null."""
    if value is None:
        raise EvaluationError("argument must not be null", found="null")
    return value


def text(value: Value) -> str | Text | Unknown:
    """Take text, a number or a bool, as text."""
    return to_text(present(value))


def known_text(value: Value) -> str:
    """Take text that must be known to decide anything."""
    converted = text(value)
    if isinstance(converted, str):
        return converted
    raise Undetermined


def number(value: Value) -> int | float:
    """Take a number or the text of one."""
    converted = to_number(present(value))
    if isinstance(converted, Unknown):
        raise Undetermined
    return converted


def whole(value: Value) -> int:
    """Take a whole number of any size."""
    converted = number(value)
    if exact_number(converted).denominator == 1:
        return int(converted)
    raise EvaluationError("argument must be a whole number", found=str(converted))


def integer(value: Value) -> int:
    """Take a whole number of 64 bits."""
    converted = whole(value)
    if -_LARGEST <= converted < _LARGEST:
        return converted
    raise EvaluationError("argument must be a number of 64 bits", found=str(converted))


_LARGEST = 1 << 63


def boolean(value: Value) -> bool:
    """Take a bool or the text of one."""
    converted = to_bool(present(value))
    if isinstance(converted, Unknown):
        raise Undetermined
    return converted


def collection(value: Value) -> list[Value]:
    """Take a list, tuple or set, as a list."""
    if isinstance(present(value), Unknown):
        raise Undetermined
    if isinstance(value, list):
        return value
    raise EvaluationError("argument must be a list, tuple or set", found=type_name(value))


def sequence(value: list[Value]) -> list[Value]:
    """Take a list or tuple; a set has no order."""
    value = collection(value)
    if isinstance(value, SetValue):
        raise EvaluationError("argument must be a list or tuple", found=type_name(value), remedy="tolist(…)")
    return value


def texts(value: Value) -> list[str | Text | Unknown | None]:
    """Take a collection of text, numbers and bools, as text; null elements stay."""
    return [None if item is None else to_text(item) for item in collection(value)]


def known_texts(value: Value) -> list[str]:
    """Take a collection of text that must all be known."""
    return [known_text(item) for item in collection(value)]


def mapping(value: Value) -> dict[str, Value]:
    """Take a map or object."""
    if isinstance(present(value), Unknown):
        raise Undetermined
    if isinstance(value, dict):
        return value
    raise EvaluationError("argument must be a map or object", found=type_name(value))


def pairs(value: dict[str, Value]) -> list[tuple[str, Value]]:
    """Return the entries of a map in Terraform's order."""
    return iterate(value)
