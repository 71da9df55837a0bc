"""yamlencode and yamldecode.

Reading YAML needs the package PyYAML, which infraspec does not require: without it the result is unknown. Scalars are
resolved as Terraform resolves them, `yes`, `no`, `on` and `off` as YAML 1.1 has them; what differs between its releases
is Undetermined. Source: go-cty-yaml, the decoder of Terraform.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from infraspec.errors import EvaluationError
from infraspec.terraform.conversions import to_number
from infraspec.terraform.functions.json_functions import encoded
from infraspec.terraform.functions.parameters import nullable, text
from infraspec.terraform.functions.registry import function
from infraspec.terraform.symbolic import Undetermined
from infraspec.unknown import Value

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
