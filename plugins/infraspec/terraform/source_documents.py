"""Source and override documents of data.aws_iam_policy_document, in the form the provider gives their statements.

Source: AWS provider documentation, "Data Source: aws_iam_policy_document". The provider reads a document into its own
statements and writes these: keys in a fixed order, principals in reverse order, conditions as text. It drops what it
does not know, and a condition whose value is a number; a member of another type is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct

from infraspec.errors import EvaluationError
from infraspec.json_text import decode_json
from infraspec.terraform.values import type_name
from infraspec.unknown import ComputedFrom, Text, Unknown, Value

_KEYS = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)
_HOLE = "${"
STATEMENTS = "statements"
"""What the address of the unknown statements of a document begins with; the address of the document follows."""


class SourceDocument(Struct, frozen=True):
    """A policy document: version and id are None where it has none, an unknown statement is Unknown."""

    version: Value
    id: Value
    statements: list[Value]

    @classmethod
    def decode(cls, document: Value) -> SourceDocument:
        """Read a document; EvaluationError if it is known and no policy document."""
        if isinstance(document, Unknown):
            return cls._unknown(document)
        try:
            tree = decode_json(document)
        except ValueError as error:
            raise EvaluationError(f"a source or override document is no JSON: {error}") from None
        if isinstance(tree, Unknown):
            return cls._unknown(tree)
        if not isinstance(tree, dict) and tree is not None:
            _refuse("a source or override document", "an object", tree)
        members = _members(tree or {})
        statements = members.get("statement")
        version, id_ = (_text(key, members.get(key.lower())) for key in ("Version", "Id"))
        return cls(version, id_, _statements([] if statements is None else statements))

    @classmethod
    def _unknown(cls, document: Unknown) -> SourceDocument:
        version = Unknown(f"version of {document.address}", document.cause)
        return cls(
            version, None, [Unknown(f"{STATEMENTS} of {document.address}", ComputedFrom((document,), STATEMENTS))]
        )


def _refuse(what: str, expected: str, found: Value) -> NoReturn:
    raise EvaluationError(
        f"{what} is not what the provider reads",
        expected=expected,
        found=type_name(found),
        remedy="correct the document that source_policy_documents or override_policy_documents takes",
    )


def _members(tree: Mapping[str, Value]) -> dict[str, Value]:
    """Return the members by lower-case name, as the provider's decoder finds them."""
    return {key.lower(): value for key, value in tree.items()}


def _text(name: str, value: Value) -> Value:
    if not _is_text(value) and value is not None:
        _refuse(f"{name} of a document or statement", "a string", value)
    return value or None


def _is_text(value: Value) -> bool:
    return isinstance(value, (str, Text, Unknown))


def _statements(value: Value) -> list[Value]:
    if isinstance(value, Unknown):
        return [value]
    if not isinstance(value, list):
        _refuse("Statement of a source or override document", "a list", value)
    return [*map(_statement, value)]


def _statement(tree: Value) -> Value:
    if isinstance(tree, Unknown):
        return tree
    if not isinstance(tree, dict):
        _refuse("a statement of a source or override document", "an object", tree)
    members = _members(tree)
    converted = {
        key: _CONVERT.get(key, _as_it_is)(key, members[key.lower()]) for key in _KEYS if key.lower() in members
    }
    statement = {key: value for key, value in converted.items() if value is not None}
    return statement | {key: value for key, value in tree.items() if _HOLE in key}


def _as_it_is(_: str, value: Value) -> Value:
    return value


def _principal(name: str, value: Value) -> Value:
    """Return a principal, None if there is none in it; every text stands for everybody."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, (str, Text)) or value in ({"*": "*"}, {"*": ["*"]}):
        return "*"
    if not isinstance(value, dict):
        _refuse(name, '"*" or an object', value)
    return {kind: _identifiers(f"{name}.{kind}", value[kind]) for kind in sorted(value)} or None


def _identifiers(name: str, value: Value) -> Value:
    if _is_text(value):
        return value
    if not isinstance(value, list) or not all(map(_is_text, value)):
        _refuse(name, "a string or a list of them", value)
    return sorted(value, reverse=True) if all(isinstance(item, str) for item in value) else value


def _condition(name: str, value: Value) -> Value:
    """Return a condition, None if nothing is left of it."""
    if value is None or isinstance(value, Unknown):
        return value
    if not isinstance(value, dict):
        _refuse(name, "an object", value)
    return normalized_condition({test: _variables(f"{name}.{test}", variables) for test, variables in value.items()})


def _variables(name: str, variables: Value) -> Value:
    if variables is None or isinstance(variables, Unknown):
        return variables or {}
    if not isinstance(variables, dict):
        _refuse(name, "an object", variables)
    return {variable: _values(f"{name}.{variable}", values) for variable, values in variables.items()}


def _values(name: str, value: Value) -> Value:
    """Return the values of a condition, None if the provider drops them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not all(map(_is_text, value)):
        _refuse(name, "a list of strings", value)
    return value if _is_text(value) or isinstance(value, list) else None


_CONVERT = {
    "Sid": _text,
    "Effect": _text,
    "Principal": _principal,
    "NotPrincipal": _principal,
    "Condition": _condition,
}


def normalized_condition(tests: Mapping[str, Value]) -> dict[str, Value] | None:
    """Return tests and variables in order, a list of one value as the value, without values that are None."""
    result: dict[str, Value] = {}
    for test in sorted(tests):
        variables = tests[test]
        if isinstance(variables, dict):
            known = {name: _flat(variables[name]) for name in sorted(variables) if variables[name] is not None}
            result |= {test: known} if known else {}
        else:
            result[test] = variables
    return result or None


def _flat(value: Value) -> Value:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
