"""String functions, those of patterns and formats excepted.

Text with unknown parts keeps what is certain of it: `upper` of its known parts, the answer of `startswith` where the
known beginning decides it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from infraspec.core.errors import EvaluationError
from infraspec.core.limits import demand_length, size_of
from infraspec.core.unknown import JsonText, Text, Unknown, Value, concatenate, parts_of
from infraspec.terraform.language import partial_values
from infraspec.terraform.language.functions.parameters import (
    SPACE,
    clusters,
    function,
    integer,
    known_text,
    text,
    texts,
    to_lower,
    to_title,
    to_upper,
)
from infraspec.terraform.language.partial_values import Undetermined, joined, known_prefix, known_runs, known_suffix
from infraspec.terraform.language.values import ListValue

_ARN = ("partition", "service", "region", "account_id", "resource")


@function("provider::aws::arn_build", text, text, text, text, text, structural=True)
def arn_build(*fields: str | Text | Unknown) -> str | Text:
    """Join the fields of an ARN. Source: AWS provider documentation, "Function: arn_build"."""
    return concatenate(["arn", *(piece for field in fields for piece in (":", field))])


@function("provider::aws::arn_parse", text)
def arn_parse(value: str) -> dict[str, Value]:
    """Take an ARN apart. Source: AWS provider documentation, "Function: arn_parse"."""
    first, *fields = value.split(":", len(_ARN))
    if first != "arn" or len(fields) < len(_ARN):
        raise EvaluationError(
            "this is no ARN", expected="arn:partition:service:region:account-id:resource", found=value
        )
    return dict(zip(_ARN, fields, strict=True))


@function("provider::aws::trim_iam_role_path", text)
def trim_iam_role_path(value: str) -> str:
    """Take the path out of a role's ARN. Source: AWS provider documentation, "Function: trim_iam_role_path"."""
    arn = arn_parse(value)
    name = arn["resource"].rpartition("/")[2]
    if arn["service"] != "iam" or arn["region"] or not name or not arn["resource"].startswith("role/"):
        raise EvaluationError("this is not the ARN of a role", expected="arn:aws:iam::ACCOUNT:role/NAME", found=value)
    return value.removesuffix(arn["resource"]) + f"role/{name}"


def _by_part(value: str | Text | Unknown, change: Callable[[str], str], name: str) -> str | Text | Unknown:
    """Apply a change of single characters to the known parts, and symbolically to the unknown ones."""
    if isinstance(value, str):
        return change(value)
    if not isinstance(value, Text) or isinstance(value, JsonText):
        raise Undetermined
    return joined(
        change(part) if isinstance(part, str) else partial_values.application(name, [part]) for part in value.parts
    )


@function("indent", integer, text)
def indent(spaces: int, value: str) -> str:
    """Indent every line but the first."""
    if spaces < 0:
        raise EvaluationError("the number of spaces must not be negative", found=str(spaces))
    demand_length(len(value) + spaces * value.count("\n"))
    return value.replace("\n", "\n" + " " * spaces)


@function("join", text, texts, rest=texts, structural=True)
def join(separator: str | Text | Unknown, *lists: list[str | Text | Unknown | None]) -> str | Text | Unknown:
    """Join the elements of one or more lists."""
    pieces: list[str | Text | Unknown] = []
    for item in (item for items in lists for item in items):
        if item is None:
            raise EvaluationError("an element is null", expected="text", found="null")
        pieces += [separator, item] if pieces else [item]
    demand_length(sum(map(size_of, pieces)))
    return joined(pieces)


@function("split", text, text, structural=True)
def split(separator: str | Text | Unknown, value: str | Text | Unknown) -> ListValue:
    """Split at each separator."""
    if not isinstance(separator, str) or not isinstance(value, str):
        raise Undetermined
    return ListValue(value.split(separator) if separator else list(value))


@function("substr", text, integer, integer, structural=True)
def substring(value: str | Text | Unknown, offset: int, length: int) -> str:
    """Return `length` characters from an offset, all for a negative length; a negative offset is from the end.

    From the end, the length 0 means all too.
    """
    if isinstance(value, str):
        return _slice(clusters(value), offset, length)
    prefix = clusters(known_prefix(value))[:-1]
    if offset >= 0 and length >= 0 and offset + length <= len(prefix):
        return _slice(prefix, offset, length)
    raise Undetermined


def _slice(characters: list[str], offset: int, length: int) -> str:
    start = max(len(characters) + offset, 0) if offset < 0 else offset
    everything = length < 0 or (length == 0 and offset < 0)
    return "".join(characters[start:] if everything else characters[start : start + length])


@function("startswith", text, text, structural=True)
def starts_with(value: str | Text | Unknown, prefix: str | Text | Unknown) -> bool:
    """Tell whether text begins with a prefix."""
    return _begins(known_prefix(value), isinstance(value, str), known_prefix(prefix), isinstance(prefix, str))


@function("endswith", text, text, structural=True)
def ends_with(value: str | Text | Unknown, suffix: str | Text | Unknown) -> bool:
    """Tell whether text ends with a suffix."""
    return _begins(
        known_suffix(value)[::-1], isinstance(value, str), known_suffix(suffix)[::-1], isinstance(suffix, str)
    )


def _begins(value: str, whole_value: bool, start: str, whole_start: bool) -> bool:  # noqa: FBT001 - two equal sides
    """Tell whether text begins with another; of either only a beginning may be known."""
    if whole_start and value.startswith(start):
        return True
    if not value.startswith(start) and (whole_value or not start.startswith(value)):
        return False
    raise Undetermined


@function("strcontains", text, text, structural=True)
def contains_text(value: str | Text | Unknown, part: str | Text | Unknown) -> bool:
    """Tell whether text contains another."""
    if isinstance(part, str) and any(part in run for run in known_runs(value)):
        return True
    if isinstance(value, str) and any(run not in value for run in known_runs(part)):
        return False
    if isinstance(part, str) and isinstance(value, str):
        return part in value
    if part == "":
        return True
    raise Undetermined


@function("trimprefix", text, known_text, structural=True)
def trim_prefix(value: str | Text | Unknown, prefix: str) -> str | Text | Unknown:
    """Remove a prefix, if it is there."""
    if isinstance(value, str):
        return value.removeprefix(prefix)
    if not _begins(known_prefix(value), whole_value=False, start=prefix, whole_start=True) or not prefix:
        return value
    first, *others = parts_of(value)
    return joined([str(first).removeprefix(prefix), *others])


@function("trimsuffix", text, known_text, structural=True)
def trim_suffix(value: str | Text | Unknown, suffix: str) -> str | Text | Unknown:
    """Remove a suffix, if it is there."""
    if isinstance(value, str):
        return value.removesuffix(suffix)
    if not _begins(known_suffix(value)[::-1], whole_value=False, start=suffix[::-1], whole_start=True) or not suffix:
        return value
    *others, last = parts_of(value)
    return joined([*others, str(last).removesuffix(suffix)])


function("upper", text, structural=True)(lambda value: _by_part(value, to_upper, "upper"))
function("lower", text, structural=True)(lambda value: _by_part(value, to_lower, "lower"))
function("title", text)(to_title)
function("chomp", text)(lambda value: re.sub(r"(?:\r\n?|\n)*\Z", "", value))
function("strrev", text)(lambda value: "".join(reversed(clusters(value))))
function("trim", text, text)(lambda value, characters: value.strip(characters) if characters else value)
function("trimspace", text)(lambda value: value.strip(SPACE))
