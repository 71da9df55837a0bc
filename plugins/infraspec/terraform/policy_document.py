"""data.aws_iam_policy_document rendered to the JSON that the provider makes of it.

Source: AWS provider documentation, "Data Source: aws_iam_policy_document". `&{…}` stands for a policy variable,
override documents replace statements of the same sid, actions and resources are sorted in reverse order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from infraspec.errors import EvaluationError
from infraspec.json_text import decode_json
from infraspec.unknown import JsonText, Text, Unknown, Value, is_known

_LISTS = (
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
)
_PRINCIPALS = (("principals", "Principal"), ("not_principals", "NotPrincipal"))
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def render_document(values: Mapping[str, Value]) -> Value:
    """Return the `json` attribute: text if all of it is known, else a JsonText that keeps the tree."""
    sources = [
        document for name in ("source_json", "source_policy_documents") for document in _documents(values.get(name))
    ]
    overrides = [
        document for name in ("override_policy_documents", "override_json") for document in _documents(values.get(name))
    ]
    statements = [statement for document in sources for statement in _statements(document)]
    statements = _merge(statements, map(_statement, values.get("statement") or []), replace=False)
    for document in overrides:
        statements = _merge(statements, _statements(document), replace=True)
    tree: dict[str, Value] = {"Version": values.get("version") or "2012-10-17"}
    if values.get("policy_id"):
        tree["Id"] = values.get("policy_id")
    tree["Statement"] = statements
    if not is_known(tree):
        return JsonText(tree)
    return json.dumps(tree, indent=2, ensure_ascii=False).translate(_HTML)


def _documents(value: Value) -> list[Value]:
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [item for item in value if item not in (None, "")]
    return [value]


def _statements(document: Value) -> list[Value]:
    if type(document) is Unknown:
        return [Unknown(f"statements of {document.address}")]
    try:
        tree = decode_json(document)
    except ValueError as error:
        raise EvaluationError(f"a source or override document is no JSON: {error}") from None
    if not isinstance(tree, dict):
        return [tree] if isinstance(tree, Unknown) else []
    found = tree.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _merge(base: list[Value], added: Iterable[Value], *, replace: bool) -> list[Value]:
    """Append statements; one with the sid of an earlier one takes its place (`replace`) or is an error."""
    result = list(base)
    for statement in added:
        sid = statement.get("Sid") if isinstance(statement, dict) else None
        same = [i for i, other in enumerate(result) if sid and isinstance(other, dict) and other.get("Sid") == sid]
        if same and replace:
            result[same[0]] = statement
        elif same:
            raise EvaluationError(f"two statements have the sid {sid!r}", remedy="give each statement its own sid")
        else:
            result.append(statement)
    return result


def _statement(block: Value) -> Value:
    if not isinstance(block, dict):
        return block
    statement: dict[str, Value] = {}
    if block.get("sid"):
        statement["Sid"] = block["sid"]
    statement["Effect"] = block.get("effect") or "Allow"
    for name, key in _LISTS:
        if block.get(name):
            statement[key] = _one_or_many(block[name])
    for name, key in _PRINCIPALS:
        if block.get(name):
            statement[key] = _principals(block[name])
    if block.get("condition"):
        statement["Condition"] = _conditions(block["condition"])
    return statement


def _one_or_many(value: Value, *, ordered: bool = False) -> Value:
    if not isinstance(value, list):
        return value
    items = [_variables(item) for item in value]
    if len(items) == 1:
        return items[0]
    return items if ordered or not all(isinstance(item, str) for item in items) else sorted(set(items), reverse=True)


def _principals(blocks: list[Value]) -> Value:
    grouped: dict[str, list[Value]] = {}
    for block in blocks:
        if not isinstance(block, dict):
            return block
        kind, identifiers = block.get("type"), block.get("identifiers")
        if isinstance(kind, Unknown) or isinstance(identifiers, Unknown):
            return kind if isinstance(kind, Unknown) else {str(kind): identifiers}
        if kind == "*":
            return "*"
        grouped.setdefault(str(kind), []).extend(identifiers or [])
    return {kind: _one_or_many(grouped[kind]) for kind in sorted(grouped)}


def _conditions(blocks: list[Value]) -> Value:
    result: dict[str, Value] = {}
    for block in blocks:
        if not isinstance(block, dict):
            return block
        test, variable = block.get("test"), block.get("variable")
        if not isinstance(test, str) or not isinstance(variable, str):
            return Unknown("condition")
        result.setdefault(test, {})[variable] = _one_or_many(block.get("values"), ordered=True)
    return result


def _variables(value: Value) -> Value:
    """Turn the provider's `&{…}` into IAM's `${…}`."""
    if isinstance(value, str):
        return value.replace("&{", "${")
    if type(value) is Text:
        return Text(tuple(part.replace("&{", "${") if isinstance(part, str) else part for part in value.parts))
    return value
