"""yamlencode and yamldecode.

Reading YAML needs the package PyYAML, which infraspec does not require: without it the result is unknown. Scalars are
resolved and written as Terraform 1.15 does, `y`, `yes` and `on` as YAML 1.1 has them and `017` as decimal. Source:
go-cty-yaml, which Terraform reads and writes YAML with.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, DecimalException
from itertools import groupby
from types import NoneType
from typing import Any, NoReturn

from infraspec.core.errors import EvaluationError, LimitError
from infraspec.core.json_text import decode_json
from infraspec.core.limits import BUDGET, MOST_LEVELS, ROUND, size_of
from infraspec.core.unknown import JsonText, Text, Unknown, Value, encode_json, is_known, unknowns
from infraspec.terraform.language.conversions import to_number, to_text
from infraspec.terraform.language.functions.parameters import function, mapping, nullable, present, text, well_formed
from infraspec.terraform.language.partial_values import Undetermined, UnorderedJsonText
from infraspec.terraform.language.values import is_indefinite, normalize_number

_SHORT_NUMBER = 100
"""The digits of a number that has certainly no more than 512 bits."""

_LONGEST_NUMBER = 1000


@function("jsonencode", nullable, structural=True, sets=True)
def json_encode(value: Value) -> str | JsonText:
    """Encode as JSON: no blanks, keys sorted, `<`, `>` and `&` escaped."""
    if isinstance(value, Unknown):
        raise Undetermined
    if is_known(value):
        return encode_json(value)
    return UnorderedJsonText(value) if _holds_indefinite(value) else JsonText(value)


def _holds_indefinite(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_indefinite, value.values()))
    return is_indefinite(value) or (isinstance(value, list) and any(map(_holds_indefinite, value)))


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
        return _without_unknown_keys(_normalized(decode_json(value)), [*map(str, unknowns(value))])
    except (ValueError, OverflowError):
        raise Undetermined from None


def _without_unknown_keys(tree: Value, names: Sequence[str]) -> Value:
    """Return a decoded tree; Undetermined if a part that is not known stands in a key."""
    if isinstance(tree, dict) and any(name in key for key in tree for name in names):
        raise Undetermined
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _without_unknown_keys(item, names)
    return tree


def _decoded_json(value: str) -> Value:
    try:
        tree = json.loads(value, parse_float=_number, parse_int=_integer, parse_constant=_reject)
    except json.JSONDecodeError as error:
        found = f"{error.msg} at character {error.pos + 1}"
        raise EvaluationError("the text is not JSON", expected="a JSON value", found=found) from None
    except RecursionError:
        raise _too_deep() from None
    size_of(tree)
    return _normalized(tree)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _SHORT_NUMBER and digits != "-0" else _number(digits)


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


_WIDTH = 80
_LONGEST_KEY = 128
_ESCAPED = re.compile(r"[^ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""Characters that are escaped in double quotes."""

_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e", '"': '"',
    "\\": "\\", "\x85": "N", "\u2028": "L", "\u2029": "P",
}  # fmt: skip
_LITERAL = re.compile(r"(?:\n|(?! \n| \Z)[^\n])*+")
"""Text over several lines that stands as a block; none of it is escaped but quotes and backslashes, and breaks."""


_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")


@function("provider::terraform::encode_expr", present)
def encode_expression(value: Value) -> str:
    """Write a value as an expression. Source: Terraform Language, "encode_expr" Function."""
    if isinstance(value, dict):
        return f"{{\n{_assignments(value, '  ')}}}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(encode_expression, value))}]"
    if isinstance(value, str):
        if not value.translate(dict.fromkeys(map(ord, "\n\r\t"), " ")).isprintable():
            raise Undetermined
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return "null" if value is None else str(to_text(value))


@function("provider::terraform::encode_tfvars", mapping)
def encode_variables(values: dict[str, Value]) -> str:
    """Write a file of variables. Source: Terraform Language, "encode_tfvars" Function."""
    if wrong := [name for name in values if not _IDENTIFIER.fullmatch(name)]:
        raise EvaluationError(
            "this names no variable", expected="a letter, then letters, digits, _ and -", found=wrong[0]
        )
    return _assignments(values, "")


def _assignments(values: dict[str, Value], indent: str) -> str:
    """Write `name = value` for each in order; those of one line, one below the other, have their values in a column."""
    keys = {name: name if _IDENTIFIER.fullmatch(name) else encode_expression(name) for name in sorted(values)}
    texts = {keys[name]: encode_expression(values[name]).replace("\n", f"\n{indent}") for name in keys}
    lines: list[str] = []
    for of_one_line, group in groupby(texts, lambda key: "\n" not in texts[key]):
        together = [*group]
        width = max(map(len, together)) if of_one_line else 0
        lines += [f"{indent}{key:{width}} = {texts[key]}\n" for key in together]
    return "".join(lines)


@function("yamlencode", nullable)
def yaml_encode(value: Value) -> str:
    """Encode as YAML in block style; Undetermined for keys that are long or over several lines."""
    if isinstance(value, (dict, list)):
        return "".join(f"{line}\n" for line in _block(value, 0)) if value else f"{encode_json(value)}\n"
    first, *others = _scalar(value, 0)
    return "".join(f"{line}\n" for line in _below(first, others)) + ("" if isinstance(value, str) else "...\n")


def _block(value: Value, column: int) -> list[str]:
    """Return the lines of a collection that begins in a column."""
    if isinstance(value, dict):
        return [line for key in sorted(value) for line in _entry(_name(key), value[key], column)]
    return [line for item in value for line in _item(item, column)]


def _name(key: str) -> str:
    if len(key) > _LONGEST_KEY or "\n" in key:
        raise Undetermined
    return f'"{_ESCAPED.sub(_escape, key)}"'


def _entry(key: str, value: Value, column: int) -> list[str]:
    if not isinstance(value, (dict, list)) or not value:
        first, *others = _scalar(value, column + len(key) + 2)
        return _below(f"{key}: {first}", others)
    if isinstance(value, dict):
        return _below(f"{key}:", _block(value, column + 2))
    return [f"{key}:", *_block(value, column)]


def _item(value: Value, column: int) -> list[str]:
    is_block = isinstance(value, (dict, list)) and value
    first, *others = _block(value, column + 2) if is_block else _scalar(value, column + 2)
    return _below(f"- {first}", others)


def _below(first: str, others: Iterable[str]) -> list[str]:
    return [first, *("  " + line if line else line for line in others)]


def _scalar(value: Value, column: int) -> list[str]:
    """Return the lines of what is no block, each but the first to be indented below what it belongs to."""
    if not isinstance(value, str):
        return [encode_json(value)]
    if "\n" in value and _LITERAL.fullmatch(value) and not _ESCAPED.search(re.sub(r'["\\\n]', "", value)):
        body, lines = value.removesuffix("\n"), value.split("\n")
        chomped = "-" if body == value else "+" if body == "" or body.endswith("\n") else ""
        hint = "2" if value[0] in (" ", "\n") else ""
        return [f"|{hint}{chomped}", *(lines if body == value else lines[:-1])]
    return _folded(value, column)


def _folded(value: str, column: int) -> list[str]:
    """Return text in double quotes, with a break at the first single blank beyond the width."""
    lines, line, column = [], '"', column + 1
    for position, character in enumerate(value):
        if character == " " and column > _WIDTH and 0 < position < len(value) - 1 and value[position - 1] != " ":
            lines.append(line)
            line, column = "\\" if value[position + 1] == " " else "", 2
            continue
        written = _ESCAPED.sub(_escape, character)
        line, column = line + written, column + len(written)
    return [*lines, f'{line}"']


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    point = ord(character)
    number = f"x{point:02X}" if point <= 0xFF else f"u{point:04X}" if point <= 0xFFFF else f"U{point:08X}"  # noqa: PLR2004
    return "\\" + _ESCAPES.get(character, number)


_IMPLICIT = "?"
_TAG = "tag:yaml.org,2002:"
_TYPES = {_TAG + "int": int, _TAG + "float": int | float, _TAG + "bool": bool, _TAG + "null": NoneType}
_TAGS = {"mapping": {_TAG + "map"}, "sequence": {_TAG + "seq"}, "scalar": {_IMPLICIT, _TAG + "str", *_TYPES}}
_WORDS = {
    spelling: truth
    for words, truth in ((("true", "yes", "on", "y"), True), (("false", "no", "off", "n"), False))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
} | dict.fromkeys(("", "~", "null", "Null", "NULL"))
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_OTHER_BASE = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAB = re.compile(r"\S *\t")
"""A tab between words, where PyYAML does not take one."""

_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?=\Z|[Tt ])", re.ASCII)
"""A date; what follows may make a time of it, in ways that are not told here."""


_STEPS_OF_YAML = 16
"""The steps that reading a character takes."""


@function("yamldecode", text)
def yaml_decode(value: str) -> Value:
    """Decode one YAML document."""
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise Undetermined from None
    loader = type("Loader", (yaml.BaseLoader,), {"DEFAULT_SCALAR_TAG": _IMPLICIT})
    if value.startswith("%"):
        raise Undetermined
    BUDGET.spend(_STEPS_OF_YAML * len(value))
    try:
        node = yaml.compose(value, Loader=loader)
    except RecursionError:
        raise _too_deep() from None
    except (yaml.YAMLError, ValueError) as error:
        if _TAB.search(value):
            raise Undetermined from None
        problem = getattr(error, "problem", None) or "not one YAML document"
        raise _no_yaml(str(problem)) from None
    if node is None:
        raise _no_yaml("nothing")
    return _decoded(node, frozenset())


def _too_deep() -> LimitError:
    return LimitError("the text is nested too deeply", expected=f"at most {MOST_LEVELS} levels of lists and objects")


def _no_yaml(found: str) -> EvaluationError:
    return EvaluationError("the text is not YAML", expected="one YAML document", found=found)


def _decoded(node: Any, above: frozenset[int]) -> Value:
    """Turn a node to a value; a node that holds itself is an error, and so is a tag that Terraform does not know."""
    BUDGET.spend(ROUND)
    if len(above) > MOST_LEVELS:
        raise _too_deep()
    if id(node) in above:
        raise EvaluationError("the text is not YAML", expected="no anchor that refers to itself")
    if node.tag in (_TAG + "timestamp", _TAG + "binary"):
        raise Undetermined
    if node.tag not in _TAGS[node.id]:
        raise _no_yaml(f"the tag {node.tag}")
    inside = above | {id(node)}
    match node.id:
        case "mapping":
            return _mapping(node, inside)
        case "sequence":
            return [_decoded(item, inside) for item in node.value]
        case _:
            return _resolved(node)


def _mapping(node: Any, inside: frozenset[int]) -> Value:
    """Return the entries in their order, those of a map that is merged into it among them."""
    entries: dict[str, Value] = {}
    for key, item in node.value:
        if key.value == "<<":
            if item.id != "mapping":
                raise _no_yaml("a merge of something else than a map")
            entries |= _decoded(item, inside)
            BUDGET.spend(len(entries))
            continue
        name = _resolved(key) if key.id == "scalar" else None
        if name is None:
            raise _no_yaml("a key that is no text")
        entries[str(to_text(name))] = _decoded(item, inside)
    return entries


def _resolved(node: Any) -> Value:
    """Return the value of a scalar: in quotes it is text, in a block the text of what it looks like."""
    value = str(node.value)
    if node.style in ("'", '"') or node.tag == _TAG + "str":
        return value
    resolved = _plain(value)
    if node.style is not None:
        return None if resolved is None else to_text(resolved)
    if not isinstance(resolved, _TYPES.get(node.tag, object)):
        raise _no_yaml(f"something else than {node.tag}")
    return resolved


def _plain(value: str) -> Value:
    """Resolve a plain scalar as the decoder of Terraform does."""
    if value in _WORDS:
        return _WORDS[value]
    if _DECIMAL.fullmatch(value):
        return to_number(value)
    if _OTHER_BASE.fullmatch(value):
        return int(value, 0)
    if _NO_NUMBER.fullmatch(value):
        raise Undetermined
    day = _DATE.match(value)
    if day is None:
        return value
    if day.end() < len(value):
        raise Undetermined
    try:
        return f"{date(*map(int, day.groups()))}T00:00:00Z"
    except ValueError:
        return value
