"""Policy documents, known, unknown in parts, and malformed."""

from __future__ import annotations

import json

import pytest

from infraspec.core.errors import PolicyError
from infraspec.core.unknown import JsonText, Sensitive, Unknown, Value, concatenate
from infraspec.iam.policy.document import PolicyDocument

ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
VAR = Unknown("var.x")


def document(*statements: Value) -> dict[str, Value]:
    """Return a policy of the statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    "value",
    [document(ALLOW), json.dumps(document(ALLOW)), JsonText(document(ALLOW))],
    ids=["tree", "text", "jsonencode"],
)
def test_all_forms_are_read(value: Value) -> None:
    """A tree, JSON text and encoded JSON give the same statements."""
    (statement,) = PolicyDocument.from_value(value).statements
    assert ("Statement.0", "Allow", ("s3:*",), ("*",)) == (
        statement.path,
        statement.effect,
        statement.actions,
        statement.resources,
    )


def test_a_lone_statement_and_not_forms() -> None:
    """Statement may be one object; NotAction and NotResource are kept apart."""
    entry = {"Sid": "S", "Effect": "Deny", "NotAction": ["a:b"], "NotResource": "x", "Condition": {}}
    (statement,) = PolicyDocument.from_value({"Statement": entry}).statements
    assert ("Statement", None, ("a:b",), None, ("x",), None, "Statement (S)") == (
        statement.path,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
        statement.condition,
        str(statement),
    )


@pytest.mark.parametrize(("version", "variables"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_variables_depend_on_the_version(version: str | None, variables: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Policy variables are text in the version of 2008, which is that of a policy without one."""
    tree = {"Statement": [ALLOW]} | ({"Version": version} if version else {})
    assert variables == PolicyDocument.from_value(tree).variables


def test_unknown_parts_are_no_errors() -> None:
    """An unknown document, statement, effect, entry or piece of text leaves the rest as it is."""
    text = concatenate(["arn:aws:s3:::", VAR])
    partly = {"Effect": VAR, "Action": [VAR, "s3:*"], "Resource": text, "Condition": VAR}
    first, second = PolicyDocument.from_value(document(VAR, partly)).statements
    assert (VAR, (VAR,), (VAR,)) == (first.effect, first.actions, first.resources)
    assert (VAR, (VAR, "s3:*"), (text,), VAR) == (
        second.effect,
        second.actions,
        second.resources,
        second.condition,
    )
    for whole in (VAR, Sensitive("var.x", "secret"), document() | {"Statement": VAR}):
        (statement,) = PolicyDocument.from_value(whole).statements
        assert statement.effect.address == "var.x"


def test_text_with_holes_is_read() -> None:
    """A heredoc with an interpolation is JSON with a hole."""
    text = concatenate(['{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"', VAR, '"}]}'])
    (statement,) = PolicyDocument.from_value(text).statements
    assert (VAR,) == statement.resources


MALFORMED: list[tuple[Value, str, str]] = [
    # document, its place, what was found
    ("{", "policy", "line 1"),
    ("[]", "policy", "[]"),
    ({"Version": "2012-10-17"}, "policy", "Version"),
    ({"Version": "2020-01-01", "Statement": []}, "policy.Version", "2020-01-01"),
    ({"Statement": [], "Statements": []}, "policy", "Statements"),
    (document("x"), "policy.Statement.0", "x"),
    (document(ALLOW, {**ALLOW, "Effect": "allow"}), "policy.Statement.1.Effect", "allow"),
    (document({"Action": "a:b", "Resource": "*"}), "policy.Statement.0.Effect", "null"),
    (document({**ALLOW, "Actions": "x"}), "policy.Statement.0", "Actions"),
    (document({**ALLOW, "NotAction": "x"}), "policy.Statement.0", "both"),
    (document({"Effect": "Allow", "Action": "x"}), "policy.Statement.0", "neither"),
    (document({**ALLOW, "Principal": "*"}), "policy.Statement.0", "a Principal"),
    (document({**ALLOW, "Resource": ["*", 3]}), "policy.Statement.0.Resource", "3"),
    (document({**ALLOW, "Condition": None}), "policy.Statement.0.Condition", "null"),
    (document({**ALLOW, "Condition": "x"}), "policy.Statement.0.Condition", "x"),
]


@pytest.mark.parametrize(("value", "place", "found"), MALFORMED, ids=str)
def test_malformed_documents_say_where(value: Value, place: str, found: str) -> None:
    """A document that breaks the grammar is a named error with its JSON path, what was found, and a remedy."""
    with pytest.raises(PolicyError) as caught:
        PolicyDocument.from_value(value)
    assert place == caught.value.place
    assert found in caught.value.found
    assert caught.value.expected
    assert caught.value.remedy


def test_policies_with_principals() -> None:
    """A resource or trust policy names a principal and may leave out the resource."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    (statement,) = PolicyDocument.from_value(document(trust), with_principals=True).statements
    assert ({"Service": "ecs-tasks.amazonaws.com"}, None) == (statement.principal, statement.resources)
    with pytest.raises(PolicyError, match="Principal or NotPrincipal"):
        PolicyDocument.from_value(document(ALLOW), with_principals=True)
