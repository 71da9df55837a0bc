"""jsonencode and jsondecode: text with unknown parts decodes to a tree that holds them, a tree encodes to such text."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import NoReturn

from infraspec.errors import EvaluationError, LimitError
from infraspec.json_text import decode_json
from infraspec.terraform.functions.characters import well_formed
from infraspec.terraform.functions.parameters import nullable, text
from infraspec.terraform.functions.registry import function
from infraspec.terraform.number import LongNumber, normalize_number
from infraspec.terraform.partial_text import UnorderedJsonText
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import is_indefinite
from infraspec.unknown import JsonText, Text, Unknown, Value, encode_json, is_known

_LONGEST_NUMBER = 1000


@function("jsonencode", nullable, structural=True, sets=True)
def json_encode(value: Value) -> str | JsonText:
    """Encode as JSON: no blanks, keys sorted, `<`, `>` and `&` escaped."""
    if isinstance(value, Unknown):
        raise Undetermined
    if is_known(value):
        return encoded(value)
    if _holds(value, _is_long):
        raise Undetermined
    return UnorderedJsonText(value) if _holds(value, is_indefinite) else JsonText(value)


def encoded(value: Value) -> str:
    """Encode a known value; Undetermined if it holds a number of which not all digits are known."""
    if _holds(value, _is_long):
        raise Undetermined
    return encode_json(value)


def _is_long(value: Value) -> bool:
    return isinstance(value, LongNumber)


def _holds(value: Value, is_such: Callable[[Value], bool]) -> bool:
    if isinstance(value, dict):
        return any(_holds(item, is_such) for item in value.values())
    return is_such(value) or (isinstance(value, list) and any(_holds(item, is_such) for item in value))


@function("jsondecode", text, structural=True)
def json_decode(value: str | Text | Unknown) -> Value:
    """Decode JSON."""
    if isinstance(value, Unknown):
        raise Undetermined
    if isinstance(value, str):
        return _decoded(value)
    if isinstance(value, JsonText):
        return _tree(value)
    try:
        return _normalized(decode_json(value))
    except (ValueError, OverflowError):
        raise Undetermined from None


def _tree(value: JsonText) -> Value:
    if isinstance(value, UnorderedJsonText):
        raise Undetermined
    return _normalized(value.tree)


def _decoded(value: str) -> Value:
    try:
        tree = json.loads(value, parse_float=_number, parse_int=_number, parse_constant=_reject)
    except json.JSONDecodeError as error:
        found = f"{error.msg} at character {error.pos + 1}"
        raise EvaluationError("the text is not JSON", expected="a JSON value", found=found) from None
    return _normalized(tree)


def _number(digits: str) -> int | float:
    if len(digits) > _LONGEST_NUMBER:
        raise LimitError("A number is too large", expected=f"at most {_LONGEST_NUMBER} digits")
    try:
        return normalize_number(Decimal(digits))
    except DecimalException:
        raise LimitError("A number is too large", expected="at most 512 bits") from None


def _reject(constant: str) -> NoReturn:
    raise EvaluationError("the text is not JSON", expected="a JSON value", found=constant)


def _normalized(tree: Value) -> Value:
    """Bring a decoded tree to values of the language: no lone surrogates, no sets, integral numbers as int."""
    match tree:
        case str():
            return well_formed(tree)
        case dict():
            return {_normalized(key): _normalized(item) for key, item in tree.items()}
        case list():
            return [_normalized(item) for item in tree]
        case float():
            return normalize_number(tree)
        case _:
            return tree
