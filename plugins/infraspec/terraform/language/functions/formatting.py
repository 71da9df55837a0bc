"""format and formatlist, with the verbs of Go's fmt package that Terraform takes.

Source: Terraform Language, "format Function", and Go's fmt package. An unknown argument of %s stands in the result as
it is. Terraform holds numbers with 512 binary digits and rounds what they hold exactly, so that `format("%.2f", 2.675)`
is 2.67.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal
from math import copysign

from msgspec import Struct

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.limits import demand_length, size_of
from infraspec.core.unknown import Text, Unknown, Value, encode_json, is_known
from infraspec.terraform.language import partial_values
from infraspec.terraform.language.functions.parameters import (
    boolean,
    clusters,
    function,
    known_text,
    nullable,
    number,
    text,
    whole,
)
from infraspec.terraform.language.functions.serialization import json_encode
from infraspec.terraform.language.partial_values import Undetermined, is_scalar, joined
from infraspec.terraform.language.values import ListValue, exact_number, normalize_number, to_decimal

_EXACT = Context(prec=2000)
_SHORTEST_LIMIT = 6
_DEFAULT_PRECISION = 6
_BASES = {"d": ("d", ""), "b": ("b", "0b"), "o": ("o", "0"), "x": ("x", "0x"), "X": ("X", "0X")}


class Layout(Struct, frozen=True):
    """The flags, width and precision of a verb; -1 is a precision that is not given."""

    flags: str = ""
    width: int = 0
    precision: int = -1

    def padded(self, value: str) -> str:
        """Fill text to the width: to the right with `-`, with zeros with `0`, even to the right."""
        return self._filled(value, "0" if "0" in self.flags else " ")

    def _filled(self, value: str, fill: str) -> str:
        missing = fill * (self.width - len(clusters(value)) if self.width else 0)
        return value + missing if "-" in self.flags else missing + value

    def padded_number(self, sign: str, digits: str) -> str:
        """Fill a number to the width, zeros between sign and digits."""
        if "0" in self.flags and "-" not in self.flags:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self._filled(sign + digits, " ")

    def sign_of(self, value: float) -> str:
        """Return `-`, or what the flags want before a number that is not negative."""
        if copysign(1, value) < 0:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""


def integer_text(value: int, verb: str, layout: Layout) -> str:
    """Write a whole number in the base of a verb."""
    if layout.precision >= 0:
        raise Undetermined
    base, prefix = _BASES[verb]
    digits = format(abs(value), base)
    marked = prefix + digits if "#" in layout.flags else digits
    return layout.padded_number(layout.sign_of(value), marked)


def decimal_text(value: float, verb: str, layout: Layout) -> str:
    """Write a number with %e, %f or %g, or their upper-case forms."""
    if "#" in layout.flags:
        raise Undetermined
    digits = _NUMBER_WRITERS[verb.lower()](normalize_number(abs(exact_number(value))), layout.precision)
    return layout.padded_number(layout.sign_of(value), digits.upper() if verb.isupper() else digits)


def _held(value: float) -> Decimal:
    """Return exactly what Terraform holds."""
    exact = exact_number(value)
    return _EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _fixed(value: float, precision: int) -> str:
    return format(_held(value), f".{_DEFAULT_PRECISION if precision < 0 else precision}f")


def _scientific(value: float, precision: int) -> str:
    return _with_exponent(_held(value), _DEFAULT_PRECISION if precision < 0 else precision)


def _with_exponent(value: Decimal, decimals: int) -> str:
    mantissa, _, exponent = format(value, f".{decimals}e").partition("e")
    power = int(exponent) if value else 0
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _general(value: float, precision: int) -> str:
    """Write the shortest text, or `precision` digits; with an exponent if it is small or large."""
    if not value:
        return "0"
    if precision < 0:
        number = to_decimal(value).normalize(_EXACT)
        limit = _SHORTEST_LIMIT
    else:
        number = Context(prec=max(precision, 1)).create_decimal(_held(value)).normalize(_EXACT)
        limit = max(precision, 1)
        count = len(number.as_tuple().digits)
        if limit > count >= number.adjusted() + 1:
            limit = count
    if -4 <= number.adjusted() < limit:  # noqa: PLR2004 - as in C and Go
        return format(number, "f")
    return _with_exponent(number, len(number.as_tuple().digits) - 1)


_NUMBER_WRITERS = {"e": _scientific, "f": _fixed, "g": _general}


_VERB = re.compile(
    r"%(?P<flags>[ +#0-]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?:\[(?P<index>\d+)])?(?P<verb>.)", re.DOTALL
)
_WIDEST = 10_000


class Verb(Struct, frozen=True):
    """A verb of a format; `index` counts arguments from 1, 0 if it is not given."""

    name: str
    layout: Layout
    index: int


@function("format", known_text, rest=nullable, structural=True)
def format_text(pattern: str, *arguments: Value) -> str | Text | Unknown:
    """Write arguments by the verbs of a format."""
    return _formatted(pattern, arguments)


def _formatted(pattern: str, arguments: Sequence[Value]) -> str | Text | Unknown:
    pieces, size = [], 0
    for piece in _pieces(pattern, arguments):
        pieces.append(piece)
        size += size_of(piece)
        demand_length(size)
    return joined(pieces)


@function("formatlist", known_text, rest=nullable, structural=True)
def format_list(pattern: str, *arguments: Value) -> ListValue:
    """Write the elements of lists of one length, other arguments the same in each."""
    for argument in arguments:
        if isinstance(argument, Unknown) and not is_scalar(argument):
            raise Undetermined
    lengths = {len(argument) for argument in arguments if isinstance(argument, list)}
    if len(lengths) > 1:
        counts = " and ".join(map(str, sorted(lengths)))
        raise EvaluationError("lists must have the same length", found=counts)
    count = lengths.pop() if lengths else 1
    return ListValue(_formatted(pattern, _row(arguments, position)) for position in range(count))


def _row(arguments: Sequence[Value], position: int) -> list[Value]:
    return [argument[position] if isinstance(argument, list) else argument for argument in arguments]


def _pieces(pattern: str, arguments: Sequence[Value]) -> Iterator[str | Text | Unknown]:
    following, furthest = 1, 0
    for piece in _parsed(pattern):
        if isinstance(piece, str):
            yield piece
            continue
        position = piece.index or following
        if not 1 <= position <= len(arguments):
            raise EvaluationError("not enough arguments", expected=f"at least {position}", found=str(len(arguments)))
        following, furthest = position + 1, max(furthest, position)
        yield _written(piece, arguments[position - 1])
    if furthest < len(arguments):
        raise EvaluationError("too many arguments", expected=str(furthest), found=str(len(arguments)))


def _parsed(pattern: str) -> Iterator[str | Verb]:
    position = 0
    while (start := pattern.find("%", position)) >= 0:
        if start > position:
            yield pattern[position:start]
        if pattern.startswith("%%", start):
            yield "%"
            position = start + 2
            continue
        match = _VERB.match(pattern, start)
        if match is None or match["verb"] not in _WRITERS:
            raise EvaluationError(
                "unrecognized format verb", expected="%" + ", %".join(_WRITERS), found=pattern[start:]
            )
        yield Verb(match["verb"], _layout(match), int(match["index"]) if match["index"] else 0)
        position = match.end()
    if position < len(pattern):
        yield pattern[position:]


def _layout(match: re.Match[str]) -> Layout:
    digits = [match["width"] or "0", match["precision"] or "0", match["index"] or "0"]
    if any(len(number) > len(str(_WIDEST)) or int(number) > _WIDEST for number in digits):
        raise LimitError("A width in a format is too large", expected=f"at most {_WIDEST}", found=match[0])
    if match["index"] and not int(match["index"]):
        raise EvaluationError("an index in a format counts from 1", found=match[0])
    precision = -1 if match["precision"] is None else int(digits[1])
    return Layout(match["flags"], int(digits[0]), precision)


def _written(verb: Verb, value: Value) -> str | Text | Unknown:
    if value is None and verb.name != "v":
        raise EvaluationError(f"unsupported value for %{verb.name}", expected="a value that is not null", found="null")
    if isinstance(value, (Unknown, Text)) or not is_known(value):
        return _unknown(verb, value)
    return _WRITERS[verb.name](verb, value)


def _unknown(verb: Verb, value: Value) -> str | Text | Unknown:
    """Write a value that is not known as itself where that is what the verb does, else as an application."""
    plain = verb.layout.width == 0 and verb.layout.precision < 0 and "#" not in verb.layout.flags
    if isinstance(value, (list, dict)):
        if verb.name != "v":
            raise EvaluationError(f"unsupported value for %{verb.name}", expected="text", found="a collection")
        return json_encode(value) if plain else partial_values.application("format", ["%v", value])
    is_text = verb.name == "s" or (verb.name == "v" and (isinstance(value, Text) or is_scalar(value)))
    if plain and is_text and isinstance(value, (Text, Unknown)):
        return value
    layout = verb.layout
    shown = f"%{layout.flags}{layout.width or ''}{'' if layout.precision < 0 else f'.{layout.precision}'}{verb.name}"
    return partial_values.application("format", [shown, value])


def _cut(verb: Verb, value: str) -> str:
    """Keep as many characters as the precision says; 0 says nothing."""
    return "".join(clusters(value)[: verb.layout.precision]) if verb.layout.precision > 0 else value


def _default(verb: Verb, value: Value) -> str:
    """Write a value in the form of its type, as JSON with the flag #."""
    if isinstance(value, (list, dict)) or value is None or "#" in verb.layout.flags:
        return verb.layout.padded(encode_json(value))
    if isinstance(value, (bool, str)):
        return verb.layout.padded(str(text(value)))
    return verb.layout.padded(decimal_text(value, "g", Layout()))


_WRITERS: dict[str, Callable[[Verb, Value], str]] = {
    "v": _default,
    "s": lambda verb, value: verb.layout.padded(_cut(verb, known_text(value))),
    "q": lambda verb, value: verb.layout.padded(encode_json(_cut(verb, known_text(value)))),
    "t": lambda _, value: "true" if boolean(value) else "false",
    **dict.fromkeys("dboxX", lambda verb, value: integer_text(whole(value), verb.name, verb.layout)),
    **dict.fromkeys("eEfgG", lambda verb, value: decimal_text(number(value), verb.name, verb.layout)),
}
