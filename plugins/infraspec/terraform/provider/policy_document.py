"""data.aws_iam_policy_document rendered to the JSON that the provider makes of it.

Source: AWS provider documentation, "Data Source: aws_iam_policy_document". `&{…}` stands for a policy variable; a
statement takes the place of an earlier one with its sid, own statements over those of source documents and override
documents over both; lists that are sets are written in reverse order, a list of one as its element.

The provider reads a document into its own
statements and writes these: keys in a fixed order, principals in reverse order, conditions as text. It drops what it
does not know, and a condition whose value is a number; a member of another type is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct

from infraspec.core.errors import EvaluationError
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import ComputedFrom, JsonText, OpenList, Text, Unknown, Value, is_known
from infraspec.resource_types.listing import snake
from infraspec.terraform.language.operators import equality
from infraspec.terraform.language.partial_values import named, operand
from infraspec.terraform.language.values import type_name

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
        remedy="correct the document in source_policy_documents or override_policy_documents",
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
    return [*map(_source_statement, value)]


def _source_statement(tree: Value) -> Value:
    if isinstance(tree, Unknown):
        return tree
    if not isinstance(tree, dict):
        _refuse("a statement of a source or override document", "an object", tree)
    members = _members(tree)
    given = {key: members[key.lower()] for key in _KEYS if key.lower() in members}
    converted = {key: _CONVERT[key](key, value) if key in _CONVERT else value for key, value in given.items()}
    statement = {key: value for key, value in converted.items() if value is not None}
    return statement | {key: value for key, value in tree.items() if _HOLE in key}


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
    return normalized_condition(
        {test: _source_variables(f"{name}.{test}", variables) for test, variables in value.items()}
    )


def _source_variables(name: str, variables: Value) -> Value:
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
            known = {name: variables[name] for name in sorted(variables) if variables[name] is not None}
            flat = {name: value[0] if _is_single(value) else value for name, value in known.items()}
            result |= {test: flat} if flat else {}
        else:
            result[test] = variables
    return result or None


def _is_single(value: Value) -> bool:
    return isinstance(value, list) and len(value) == 1


_MEMBERS = ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal")
"""The members of a statement whose arguments and blocks are named alike, in snake case and the plural."""
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
    for key in _MEMBERS:
        if given := block.get(f"{snake(key)}s"):
            value = _principals(given) if key.endswith("Principal") else _one_or_many(given)
            statement[key] = value if key.endswith("Action") else _variables(value, version)
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
            if len(blocks) > 1:
                return named("conditions", blocks)
            known = isinstance(test, str) and isinstance(variable, str)
            return {test: {variable: values}} if known else named("condition", test, variable)
        result.setdefault(test, {}).setdefault(variable, []).extend(values or [])
    return normalized_condition(result)


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
