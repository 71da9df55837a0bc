"""data.aws_iam_policy_document rendered to the JSON that the provider makes of it.

Source: AWS provider documentation, "Data Source: aws_iam_policy_document". `&{…}` stands for a policy variable; a
statement takes the place of an earlier one with its sid, own statements over those of source documents and override
documents over both; lists that are sets are written in reverse order, a list of one as its element.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from infraspec.errors import EvaluationError
from infraspec.terraform.equality import equality
from infraspec.terraform.source_documents import SourceDocument, normalized_condition
from infraspec.terraform.symbolic import named, operand
from infraspec.unknown import JsonText, OpenList, Text, Unknown, Value, is_known

_ACTIONS = (("actions", "Action"), ("not_actions", "NotAction"))
_RESOURCES = (("resources", "Resource"), ("not_resources", "NotResource"))
_PRINCIPALS = (("principals", "Principal"), ("not_principals", "NotPrincipal"))
_VERSION = "2012-10-17"
_OLD_VERSION = "2008-10-17"
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def render_document(values: Mapping[str, Value], *, minified: bool = False) -> Value:
    """Return the `json` or `minified_json`: text if all of it is known, else a JsonText that keeps the tree."""
    tree = _tree(values)
    if not is_known(tree):
        return JsonText(tree)
    layout = {"separators": (",", ":")} if minified else {"indent": 2}
    return json.dumps(tree, ensure_ascii=False, **layout).translate(_HTML)


def _tree(values: Mapping[str, Value]) -> Value:
    sources = _documents(values, "source_json", "source_policy_documents")
    overrides = _documents(values, "override_policy_documents", "override_json")
    version = values.get("version") or _VERSION
    blocks = values.get("statement") or []
    own = SourceDocument(
        version,
        values.get("policy_id"),
        [_statement(block, version) for block in (blocks if isinstance(blocks, list) else [blocks])],
    )
    statements = _unique([statement for document in sources for statement in document.statements])
    statements = _merge(statements, _unique(own.statements), compared=len(statements))
    for document in overrides:
        statements = _merge(statements, document.statements)
    documents = [*sources, own, *overrides]
    ids = [document.id for document in documents if document.id]
    tree: dict[str, Value] = {"Version": _latest([document.version for document in documents])}
    if ids:
        tree["Id"] = ids[-1]
    if statements:
        tree["Statement"] = statements
    return tree


def _documents(values: Mapping[str, Value], *names: str) -> list[SourceDocument]:
    given = [values.get(name) for name in names]
    items = [item for value in given for item in (value if isinstance(value, list) else [value])]
    return [SourceDocument.decode(item) for item in items if item is not None and item != ""]


def _latest(versions: list[Value]) -> Value:
    """Return the greatest version; there is none after 2012-10-17, so that an unknown one does not matter then."""
    unknown = next((version for version in versions if isinstance(version, (Unknown, Text))), None)
    greatest = max((version for version in versions if isinstance(version, str)), default="")
    return greatest if unknown is None or greatest >= _VERSION else unknown


def _unique(statements: list[Value]) -> list[Value]:
    sids = [sid for statement in statements if isinstance(sid := _sid(statement), str)]
    repeated = next((sid for position, sid in enumerate(sids) if sid in sids[:position]), None)
    if repeated is not None:
        raise EvaluationError(f"two statements have the sid {repeated!r}", remedy="give each statement its own sid")
    return statements


def _sid(statement: Value) -> Value:
    """Return the sid, None if there is none, Unknown if the statement is not known."""
    return (statement.get("Sid") or None) if isinstance(statement, dict) else statement


def _merge(base: list[Value], added: list[Value], *, compared: int | None = None) -> list[Value]:
    """Add statements; one with the sid of an earlier one takes its place.

    An earlier one that may have been replaced, since a sid is not known, is not known either. Only the first
    `compared` statements can be.
    """
    result = list(base)
    for statement in added:
        sid = _sid(statement)
        before = result[:compared]
        verdicts = [_same(_sid(other), sid) for other in before]
        if True in verdicts:
            result[verdicts.index(True)] = statement
            continue
        for position, verdict in enumerate(verdicts):
            if verdict is None and isinstance(before[position], dict):
                names = operand(before[position]["Sid"]), operand(sid)
                result[position] = named(
                    "statement {}, perhaps overridden by {}".format(*names), before[position]["Sid"], sid
                )
        result.append(statement)
    return result


def _same(one: Value, other: Value) -> bool | None:
    return False if one is None or other is None else equality(one, other)


def _statement(block: Value, version: Value) -> Value:
    if not isinstance(block, dict):
        return block
    statement: dict[str, Value] = {}
    if block.get("sid"):
        statement["Sid"] = block["sid"]
    statement["Effect"] = block.get("effect") or "Allow"
    for name, key in _ACTIONS:
        if block.get(name):
            statement[key] = _one_or_many(block[name])
    for name, key in _RESOURCES:
        if block.get(name):
            statement[key] = _variables(_one_or_many(block[name]), version)
    for name, key in _PRINCIPALS:
        if block.get(name):
            statement[key] = _variables(_principals(block[name]), version)
    if block.get("condition") and (condition := _conditions(block["condition"])):
        statement["Condition"] = _variables(condition, version)
    return statement


def _one_or_many(value: Value) -> Value:
    if not isinstance(value, list):
        return value
    if len(value) == 1:
        return value[0]
    return sorted(set(value), reverse=True) if all(isinstance(item, str) for item in value) else [*value]


def _principals(blocks: Value) -> Value:
    if not isinstance(blocks, list):
        return blocks
    grouped: dict[str, list[Value]] = {}
    for block in blocks:
        if not isinstance(block, dict):
            return block
        kind, identifiers = block.get("type"), block.get("identifiers")
        if not isinstance(kind, str):
            return kind if isinstance(kind, Unknown) else named(f"principals of type {kind}", kind)
        if isinstance(identifiers, Unknown):
            return {kind: identifiers} if len(blocks) == 1 else identifiers
        grouped.setdefault(kind, []).extend(identifiers or [])
    if grouped == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(grouped[kind]) for kind in sorted(grouped)}


def _conditions(blocks: Value) -> Value:
    if not isinstance(blocks, list):
        return blocks
    result: dict[str, dict[str, list[Value]]] = {}
    for block in blocks:
        if not isinstance(block, dict):
            return block
        test, variable, values = block.get("test"), block.get("variable"), block.get("values")
        if not isinstance(test, str) or not isinstance(variable, str) or isinstance(values, Unknown):
            return _single_condition(test, variable, values) if len(blocks) == 1 else named("conditions", blocks)
        result.setdefault(test, {}).setdefault(variable, []).extend(values or [])
    return normalized_condition(result)


def _single_condition(test: Value, variable: Value, values: Value) -> Value:
    if isinstance(test, str) and isinstance(variable, str):
        return {test: {variable: values}}
    return named("condition", test, variable)


def _variables(value: Value, version: Value) -> Value:
    """Turn the provider's `&{…}` into IAM's `${…}`, which there are since 2012; keys stay as they are."""
    if isinstance(value, dict):
        return {key: _variables(item, version) for key, item in value.items()}
    if isinstance(value, list):
        return [_variables(item, version) for item in value]
    if isinstance(value, OpenList):
        return OpenList(value.address, (_variables(item, version) for item in value.items), value.cause)
    if type(value) is Text:
        return Text(tuple(_variables(part, version) for part in value.parts))
    if not isinstance(value, str) or "&{" not in value:
        return value
    if version == _OLD_VERSION:
        raise EvaluationError(
            f"there are no policy variables in version {_OLD_VERSION}", found=value, remedy=f'version = "{_VERSION}"'
        )
    return value.replace("&{", "${")
