"""Source and override documents of data.aws_iam_policy_document, in the form the provider gives their statements.

Source: AWS provider documentation, "Data Source: aws_iam_policy_document". The provider reads a document into its own
statements and writes these: keys in a fixed order, principals in reverse order, conditions as text. It drops what it
does not know, and a condition whose value is a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infraspec.errors import EvaluationError
from infraspec.json_text import decode_json
from infraspec.terraform.values import type_name
from infraspec.unknown import Unknown, Value

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


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A policy document: version and id are None where it has none, an unknown statement is Unknown."""

    version: Value
    id: Value
    statements: list[Value]

    @classmethod
    def decode(cls, document: Value) -> SourceDocument:
        """Read a document; EvaluationError if it is known and no policy document."""
        if type(document) is Unknown:
            return cls(None, None, [Unknown(f"statements of {document.address}")])
        try:
            tree = decode_json(document)
        except ValueError as error:
            raise EvaluationError(f"a source or override document is no JSON: {error}") from None
        if isinstance(tree, Unknown):
            return cls(None, None, [tree])
        if not isinstance(tree, dict):
            raise EvaluationError("a source or override document is no object", found=type_name(tree))
        members = _members(tree)
        statements = members.get("statement") or []
        listed = statements if isinstance(statements, list) else [statements]
        return cls(members.get("version"), members.get("id"), [*map(_statement, listed)])


def _members(tree: Mapping[str, Value]) -> dict[str, Value]:
    """Return the members by lower-case name, as the provider's decoder finds them."""
    return {key.lower(): value for key, value in tree.items()}


def _statement(tree: Value) -> Value:
    if isinstance(tree, Unknown):
        return tree
    if not isinstance(tree, dict):
        raise EvaluationError("a statement of a source or override document is no object", found=type_name(tree))
    members = _members(tree)
    statement = {key: value for key in _KEYS if (value := members.get(key.lower())) is not None}
    statement = {key: value for key, value in statement.items() if value or key not in ("Sid", "Effect")}
    for key in ("Principal", "NotPrincipal"):
        if key in statement:
            statement[key] = _principal(statement[key])
    if isinstance(statement.get("Condition"), dict):
        statement["Condition"] = _condition(statement["Condition"])
    if statement.get("Condition") == {}:
        del statement["Condition"]
    return statement | {key: value for key, value in tree.items() if _HOLE in key}


def _principal(value: Value) -> Value:
    if isinstance(value, str):
        return "*"
    if not isinstance(value, dict):
        return value
    if value in ({"*": "*"}, {"*": ["*"]}):
        return "*"
    return {kind: _reversed(value[kind]) for kind in sorted(value)}


def _reversed(value: Value) -> Value:
    known = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return sorted(value, reverse=True) if known else value


def _condition(tree: dict[str, Value]) -> Value:
    tests = {
        test: variables if not isinstance(variables, dict) else {name: _values(v) for name, v in variables.items()}
        for test, variables in tree.items()
    }
    return normalized_condition(tests)


def _values(value: Value) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if isinstance(value, (int, float)) else value


def normalized_condition(tests: Mapping[str, Value]) -> dict[str, Value]:
    """Return tests and variables in order, a list of one value as the value, without values that are None."""
    result: dict[str, Value] = {}
    for test in sorted(tests):
        variables = tests[test]
        if isinstance(variables, dict):
            known = {name: _flat(variables[name]) for name in sorted(variables) if variables[name] is not None}
            result |= {test: known} if known else {}
        else:
            result[test] = variables
    return result


def _flat(value: Value) -> Value:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
