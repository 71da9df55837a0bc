"""Policy documents in the one form that AWS and Terraform both write otherwise: lists where one item stands alone.

Source: IAM User Guide, "IAM JSON policy elements reference": a single value may be written without its list, and an
account as its id or as the ARN of its root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from infraspec.json_text import decode_json
from infraspec.unknown import JsonText, Text, Value

_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_ACCOUNT = re.compile(r"\d{12}")


def policy_form(document: Value) -> Value:
    """Return a policy document as a tree in its one form; what is no document as it is."""
    if not isinstance(document, str | Text | JsonText) or document == "":
        return document
    try:
        tree = decode_json(document)
    except ValueError:
        return document
    if not isinstance(tree, Mapping) or "Statement" not in tree:
        return tree
    statements = tree["Statement"] if isinstance(tree["Statement"], list) else [tree["Statement"]]
    return {"Version": tree.get("Version", "2008-10-17"), "Statement": [_statement(one) for one in statements]}


def _statement(statement: Value) -> Value:
    if not isinstance(statement, Mapping):
        return statement
    form: dict[str, Value] = {
        name: _list(value) if name in _LISTS else value for name, value in statement.items() if name != "Sid"
    }
    for name in ("Principal", "NotPrincipal"):
        if name in form:
            form[name] = _principal(form[name])
    if "Condition" in form:
        form["Condition"] = _condition(form["Condition"])
    return form


def _condition(condition: Value) -> Value:
    if not isinstance(condition, Mapping):
        return condition
    return {
        operator: {key: _list(value) for key, value in block.items()} if isinstance(block, Mapping) else block
        for operator, block in condition.items()
    }


def _principal(principal: Value) -> Value:
    if principal == "*":
        return {"AWS": ["*"]}
    if not isinstance(principal, Mapping):
        return principal
    return {kind: [_account(one) for one in _list(names)] for kind, names in principal.items()}


def _account(name: Value) -> Value:
    return f"arn:aws:iam::{name}:root" if isinstance(name, str) and _ACCOUNT.fullmatch(name) else name


def _list(value: Value) -> list[Value]:
    items = list(value) if isinstance(value, list | tuple) else [value]
    return [str(item).lower() if isinstance(item, bool) else item for item in items]
