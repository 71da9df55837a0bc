"""format and formatlist, with the verbs of Go's fmt package that Terraform takes.

Source: Terraform Language, "format Function". An unknown argument of %s stands in the result as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from infraspec.errors import EvaluationError, LimitError
from infraspec.terraform import symbolic
from infraspec.terraform.functions.characters import clusters
from infraspec.terraform.functions.json_functions import encoded, json_encode
from infraspec.terraform.functions.number_format import Layout, decimal_text, integer_text
from infraspec.terraform.functions.parameters import boolean, integer, known_text, nullable, number, text
from infraspec.terraform.functions.registry import function
from infraspec.terraform.partial_text import joined
from infraspec.terraform.scalars import is_scalar
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import ListValue
from infraspec.unknown import Text, Unknown, Value, is_known

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
    return joined(_pieces(pattern, arguments))


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
    return ListValue(joined(_pieces(pattern, _row(arguments, position))) for position in range(count))


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
        return json_encode(value) if plain else symbolic.application("format", ["%v", value])
    is_text = verb.name == "s" or (verb.name == "v" and (isinstance(value, Text) or is_scalar(value)))
    if plain and is_text and isinstance(value, (Text, Unknown)):
        return value
    layout = verb.layout
    shown = f"%{layout.flags}{layout.width or ''}{'' if layout.precision < 0 else f'.{layout.precision}'}{verb.name}"
    return symbolic.application("format", [shown, value])


def _string(verb: Verb, value: Value) -> str:
    return verb.layout.padded(_cut(verb, known_text(value)))


def _cut(verb: Verb, value: str) -> str:
    """Keep as many characters as the precision says; 0 says nothing."""
    return "".join(clusters(value)[: verb.layout.precision]) if verb.layout.precision > 0 else value


def _quoted(verb: Verb, value: Value) -> str:
    return verb.layout.padded(encoded(_cut(verb, known_text(value))))


def _boolean(_: Verb, value: Value) -> str:
    return "true" if boolean(value) else "false"


def _integer(verb: Verb, value: Value) -> str:
    return integer_text(integer(value), verb.name, verb.layout)


def _decimal(verb: Verb, value: Value) -> str:
    return decimal_text(number(value), verb.name, verb.layout)


def _default(verb: Verb, value: Value) -> str:
    """Write a value in the form of its type, as JSON with the flag #."""
    if isinstance(value, (list, dict)) or value is None or "#" in verb.layout.flags:
        return verb.layout.padded(encoded(value))
    if isinstance(value, (bool, str)):
        return verb.layout.padded(str(text(value)))
    return verb.layout.padded(decimal_text(value, "g", Layout()))


_WRITERS: dict[str, Callable[[Verb, Value], str]] = {
    "v": _default,
    "s": _string,
    "q": _quoted,
    "t": _boolean,
    **dict.fromkeys("dboxX", _integer),
    **dict.fromkeys("eEfgG", _decimal),
}
