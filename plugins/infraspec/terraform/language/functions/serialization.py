"""yamlencode and yamldecode.

Reading YAML needs the package PyYAML, which infraspec does not require: without it the result is unknown. Scalars are
resolved as Terraform resolves them, `yes`, `no`, `on` and `off` as YAML 1.1 has them; what differs between its releases
is Undetermined. Source: go-cty-yaml, the decoder of Terraform.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import JsonText, Text, Unknown, Value, encode_json, is_known
from infraspec.terraform.language.conversions import to_number
from infraspec.terraform.language.functions.parameters import function, nullable, text, well_formed
from infraspec.terraform.language.partial_values import Undetermined, UnorderedJsonText
from infraspec.terraform.language.values import LongNumber, is_indefinite, normalize_number

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
        return _decoded_json(value)
    if isinstance(value, JsonText):
        if isinstance(value, UnorderedJsonText):
            raise Undetermined
        return _normalized(value.tree)
    try:
        return _normalized(decode_json(value))
    except (ValueError, OverflowError):
        raise Undetermined from None


def _decoded_json(value: str) -> Value:
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


_LONGEST_LINE = 70
_PLAIN = re.compile(r"[ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")
"""Text that needs no escapes in double quotes."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_WORDS = {
    spelling: truth
    for words, truth in ((("true", "yes", "on"), True), (("false", "no", "off"), False))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
_NULLS = {"", "~", "null", "Null", "NULL"}
_CERTAIN_TEXT = re.compile(r"(?!(?:y|n|yes|no|on|off|nan|inf)\Z)[A-Za-z_/][^=]*", re.IGNORECASE)
"""Plain scalars that are text in every version of YAML."""


@function("yamlencode", nullable)
def yaml_encode(value: Value) -> str:
    """Encode as YAML in block style; Undetermined for text over several lines, long or with special characters."""
    if isinstance(value, (dict, list)):
        return "".join(f"{line}\n" for line in _block(value)) if value else f"{encoded(value)}\n"
    return f"{_scalar(value)}\n" + ("" if isinstance(value, str) else "...\n")


def _block(value: Value) -> list[str]:
    if isinstance(value, dict):
        return [line for key in sorted(value) for line in _entry(_scalar(key), value[key])]
    return [line for item in value for line in _item(item)]


def _entry(key: str, value: Value) -> list[str]:
    if not isinstance(value, (dict, list)) or not value:
        return [f"{key}: {encoded(value) if isinstance(value, (dict, list)) else _scalar(value)}"]
    indent = "  " if isinstance(value, dict) else ""
    return [f"{key}:", *(indent + line for line in _block(value))]


def _item(value: Value) -> list[str]:
    if not isinstance(value, (dict, list)) or not value:
        return [f"- {encoded(value) if isinstance(value, (dict, list)) else _scalar(value)}"]
    first, *others = _block(value)
    return [f"- {first}", *("  " + line for line in others)]


def _scalar(value: Value) -> str:
    if not isinstance(value, str):
        return encoded(value)
    if len(value) > _LONGEST_LINE or not _PLAIN.fullmatch(value):
        raise Undetermined
    return f'"{value}"'


@function("yamldecode", text)
def yaml_decode(value: str) -> Value:
    """Decode one YAML document."""
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise Undetermined from None
    try:
        node = yaml.compose(value, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or "not one YAML document"
        raise EvaluationError("the text is not YAML", expected="one YAML document", found=str(problem)) from None
    if node is None:
        raise EvaluationError("the text is not YAML", expected="one YAML document", found="nothing")
    return _decoded(node, frozenset())


def _decoded(node: Any, above: frozenset[int]) -> Value:
    """Turn a node to a value; a node that holds itself is an error."""
    if id(node) in above:
        raise EvaluationError("the text is not YAML", expected="no anchor that refers to itself")
    inside = above | {id(node)}
    match node.id:
        case "mapping":
            return {_key(key): _decoded(item, inside) for key, item in node.value}
        case "sequence":
            return [_decoded(item, inside) for item in node.value]
        case _:
            return _resolved(node)


def _key(node: Any) -> str:
    value = _resolved(node) if node.id == "scalar" else None
    if isinstance(value, str) and value != "<<":
        return value
    raise Undetermined


def _resolved(node: Any) -> Value:
    """Return a scalar's value if its text and the type that YAML gives it agree with Terraform's reading."""
    value, kind, quoted = str(node.value), node.tag.rpartition(":")[2], node.style in {"'", '"'}
    if kind == "str" and (quoted or _is_text(value, node.style)):
        return value
    if quoted:
        raise Undetermined
    if kind == "bool" and value in _WORDS:
        return _WORDS[value]
    if kind == "null" and value in _NULLS:
        return None
    if kind in {"int", "float"} and _NUMBER.fullmatch(value):
        return to_number(value)
    raise Undetermined


def _is_text(value: str, style: str | None) -> bool:
    """Tell whether what is not quoted is text: Terraform reads a block of one line as it reads a plain scalar."""
    return bool(_CERTAIN_TEXT.fullmatch(value)) or (style is not None and "\n" in value)
