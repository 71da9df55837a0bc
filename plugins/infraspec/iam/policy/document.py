"""Policy documents: from JSON text or a tree, with unknown values in any place, to statements.

Source: IAM User Guide, "IAM JSON policy element reference" and "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct

from infraspec.core.errors import PolicyError
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import OpenList, Text, Unknown, Value, render
from infraspec.iam.policy.conditions import OPERATORS, OperatorName

_MOST = 80
_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT_KEYS = ("Version", "Id", "Statement")
_STATEMENT_KEYS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip


class Statement(Struct, frozen=True):
    """One statement. Of each pair (`actions`, `not_actions`) one is given and the other None.

    An entry that is Unknown may stand for one value or for a list of them. A statement that is wholly unknown has
    an unknown effect. `path` is its place in the document: `Statement.1`.
    """

    path: str
    effect: Value
    actions: tuple[Value, ...] | None = None
    not_actions: tuple[Value, ...] | None = None
    resources: tuple[Value, ...] | None = None
    not_resources: tuple[Value, ...] | None = None
    principal: Value = None
    not_principal: Value = None
    condition: Value = None
    sid: str = ""

    @classmethod
    def unknown(cls, path: str, unknown: Unknown, *, effect: Value = None) -> Statement:
        """Return a statement of which nothing is known, or nothing but the effect."""
        return cls(path, effect or unknown, actions=(unknown,), resources=(unknown,), condition=None)

    def __str__(self) -> str:
        return f"{self.path} ({self.sid})" if self.sid else self.path


def several(values: Value) -> tuple[Value, ...]:
    """Return the values where a policy takes one or a list of them."""
    return tuple(values) if isinstance(values, (list, tuple)) else (values,)


def principals_in(principal: Value) -> Iterator[tuple[str, Value]]:
    """Yield the entries of a Principal with their kinds; `*` alone, and what is not known, is of the kind AWS."""
    for kind, names in principal.items() if isinstance(principal, Mapping) else [("AWS", principal)]:
        yield from ((str(kind), name) for name in several(names))


def tests_of(condition: Value) -> Iterator[tuple[str, str, tuple[Value, ...]]]:
    """Yield operator, key and values of what a Condition tests; the key is empty where that is not known."""
    for operator, block in condition.items() if isinstance(condition, Mapping) else ():
        for key, values in block.items() if isinstance(block, Mapping) else [("", block)]:
            yield operator, key, several(values)


class PolicyDocument(Struct, frozen=True):
    """A policy's statements. `variables` says whether `${…}` in its text stands for a policy variable."""

    statements: tuple[Statement, ...]
    variables: bool = True

    @classmethod
    def from_value(cls, value: Value, *, place: str = "policy", with_principals: bool = False) -> PolicyDocument:
        """Read a policy: JSON text (known or with holes), a tree, or an Unknown.

        `place` stands in errors. `with_principals` is for resource and trust policies, whose statements name
        principals and may leave out the resource. Raises PolicyError.
        """
        tree = _decode(value, place)
        if isinstance(tree, Unknown):
            return cls((Statement.unknown("Statement", tree),))
        if not isinstance(tree, Mapping):
            raise _error("a policy document is a JSON object", place, "an object with Statement", tree)
        _check_keys(tree, _DOCUMENT_KEYS, place)
        for element in ("Id", "Version"):
            _check_text(tree.get(element, ""), f"{place}.{element}", element)
        version = tree.get("Version", _VERSIONS[1])
        if not isinstance(version, (Unknown, Text)) and version not in _VERSIONS:
            raise _error("the policy's Version is not one", f"{place}.Version", " or ".join(_VERSIONS), version)
        if "Statement" not in tree:
            error = _error("the policy has no Statement", place, "a Statement", ", ".join(map(str, tree)) or "{}")
            error.lacking = "", "Statement"
            raise error
        statements = tuple(_statements(tree["Statement"], place, with_principals=with_principals))
        return cls(statements, variables=version != _VERSIONS[1])


def completed(value: Value, path: str, element: str) -> Value:
    """Return a document whose statement at a path has an element that it lacks, which names everything."""
    tree = _decode(value, "policy")
    if not path or not isinstance(tree, Mapping):
        return tree
    written = tree["Statement"]
    if not isinstance(written, (list, tuple)):
        return {**tree, "Statement": {**written, element: "*"}}
    index = int(path.rpartition(".")[2])
    statements = [{**one, element: "*"} if number == index else one for number, one in enumerate(written)]
    return {**tree, "Statement": statements}


def _decode(value: Value, place: str) -> Value:
    if not isinstance(value, (str, Text)):
        return value
    try:
        return decode_json(value)
    except json.JSONDecodeError as error:
        raise PolicyError(
            "the policy is not JSON",
            place=place,
            expected="a JSON object",
            found=f"{error.msg} at line {error.lineno}, column {error.colno}",
            remedy="write it with jsonencode or data aws_iam_policy_document, which cannot be malformed",
        ) from None


def _statements(tree: Value, place: str, *, with_principals: bool) -> list[Statement]:
    if not isinstance(tree, (list, tuple)):
        return [_statement(tree, "Statement", place, with_principals=with_principals)]
    return [
        _statement(item, f"Statement.{index}", place, with_principals=with_principals)
        for index, item in enumerate(tree)
    ]


def _statement(tree: Value, path: str, place: str, *, with_principals: bool) -> Statement:
    where = f"{place}.{path}"
    if isinstance(tree, Unknown):
        return Statement.unknown(path, tree)
    if not isinstance(tree, Mapping):
        raise _error("a statement is a JSON object", where, "an object with Effect, Action and Resource", tree)
    unknown_keys = [str(key) for key in tree if "${" in str(key)]
    if unknown_keys:
        return Statement.unknown(path, Unknown(unknown_keys[0].strip("${}")))
    _check_keys(tree, _STATEMENT_KEYS, where)
    _check_pairs(tree, path, where, with_principals=with_principals)
    _check_text(tree.get("Sid", ""), f"{where}.Sid", "Sid")
    return Statement(
        path,
        _effect(tree, where),
        actions=_entries(tree, "Action", where),
        not_actions=_entries(tree, "NotAction", where),
        resources=_entries(tree, "Resource", where),
        not_resources=_entries(tree, "NotResource", where),
        principal=_present(tree, "Principal", where),
        not_principal=_present(tree, "NotPrincipal", where),
        condition=_condition(tree, where),
        sid=render(tree.get("Sid") or ""),
    )


def _check_keys(tree: Mapping[str, Value], allowed: tuple[str, ...], place: str) -> None:
    for key in tree:
        if key not in allowed:
            raise _error(f"the policy has no element {key!r}", place, ", ".join(allowed), key)


def _check_text(value: Value, place: str, element: str) -> None:
    if value is not None and not isinstance(value, (str, Text, Unknown)):
        raise _error(f"{element} is text", place, "text", value)


def _check_pairs(tree: Mapping[str, Value], path: str, place: str, *, with_principals: bool) -> None:
    for positive, negative, required in (
        ("Action", "NotAction", True),
        ("Resource", "NotResource", not with_principals),
        ("Principal", "NotPrincipal", with_principals),
    ):
        count = (positive in tree) + (negative in tree)
        if count > 1 or (required and not count):
            found = "both" if count else "neither"
            error = _error(f"a statement has {positive} or {negative}", place, "exactly one of them", found)
            error.lacking = None if count else (path, positive)
            raise error
    if not with_principals and ("Principal" in tree or "NotPrincipal" in tree):
        raise _error("a policy of a role or user names no principal", place, "no Principal", "a Principal")


def _effect(tree: Mapping[str, Value], place: str) -> Value:
    effect = tree.get("Effect")
    if not isinstance(effect, (Unknown, Text)) and effect not in {"Allow", "Deny"}:
        raise _error("a statement's Effect is Allow or Deny", f"{place}.Effect", "Allow or Deny", effect)
    return effect


def _entries(tree: Mapping[str, Value], key: str, place: str) -> tuple[Value, ...] | None:
    if key not in tree:
        return None
    value = tree[key]
    if isinstance(value, OpenList):
        value = value.entries
    # What is null in a list IAM passes over.
    entries = tuple(one for one in value if one is not None) if isinstance(value, (list, tuple)) else (value,)
    for entry in entries:
        if not isinstance(entry, (str, Text, Unknown)):
            raise _error(f"{key} is text or a list of texts", f"{place}.{key}", "text", entry)
    return entries


def _present(tree: Mapping[str, Value], key: str, place: str) -> Value:
    if key in tree and tree[key] is None:
        raise _error(f"{key} is null", f"{place}.{key}", f"a value, or no {key}", None)
    return tree.get(key)


def _condition(tree: Mapping[str, Value], place: str) -> Value:
    condition = _present(tree, "Condition", place)
    if condition is not None and not isinstance(condition, (Mapping, Unknown)):
        raise _error("a Condition is a JSON object", f"{place}.Condition", "an object of operators", condition)
    if isinstance(condition, Mapping):
        for operator, block in condition.items():
            _check_operator(str(operator), block, f"{place}.Condition.{operator}")
    return condition or None


def _check_operator(operator: str, block: Value, place: str) -> None:
    if OperatorName.parse(operator) is None and "${" not in operator and block != {}:
        near = get_close_matches(operator, [entry.name for entry in OPERATORS.values()], 1)
        expected = f"{near[0]}?" if near else "an operator of the IAM User Guide, such as StringEquals"
        raise _error(f"IAM has no condition operator {operator!r}", place, expected, operator)
    if isinstance(block, Unknown):
        return
    if not isinstance(block, Mapping):
        raise _error(f"{operator} holds context keys", place, "an object of context keys and values", block)
    for key, values in block.items():
        for value in several(values):
            if not isinstance(value, (str, bool, int, float, Text, Unknown)):
                raise _error("the value of a context key is text or a list of texts", f"{place}.{key}", "text", value)


def _error(message: str, place: str, expected: str, found: Value) -> PolicyError:
    text = render(found)
    return PolicyError(
        message,
        place=place,
        expected=expected,
        found=text if len(text) <= _MOST else text[: _MOST - 1] + "…",
        remedy="correct the element; see the IAM User Guide, IAM JSON policy element reference",
    )
