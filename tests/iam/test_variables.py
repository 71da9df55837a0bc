"""Policy variables, with and without a value."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.iam.policy.context import Context, PolicyTemplate, template
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.iam.policy.statements import Resources

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
HEAD = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
TEAM = "aws:PrincipalTag/team"
CORE = {TEAM: "core"}
CASES: list[tuple[Value, Mapping[str, Value] | None, str, Truth]] = [
    # resource of the policy, context (None: nothing told), name of the secret, answer
    (HEAD + "${aws:PrincipalTag/team}/db", CORE, "core/db", YES),
    (HEAD + "${AWS:principaltag/TEAM}/db", CORE, "core/db", YES),
    (HEAD + "${ aws:PrincipalTag/team }/db-??????", CORE, "core/db-AbCdEf", YES),
    (HEAD + "${aws:PrincipalTag/team}/db", CORE, "data/db", NO),
    (HEAD + "${aws:PrincipalTag/team}/db", {}, "core/db", NO),
    (HEAD + "${aws:PrincipalTag/team, 'core'}/db", {}, "core/db", YES),
    (HEAD + "${aws:PrincipalTag/team, 'core'}/db", {TEAM: "data"}, "core/db", NO),
    (HEAD + "${aws:PrincipalTag/team}/db", None, "core/db", MAYBE),
    (HEAD + "${aws:PrincipalTag/team}/db", None, "core/api", NO),
    (HEAD + "${aws:PrincipalTag/team, 'core'}/db", None, "core/db", MAYBE),
    (HEAD + "${aws:PrincipalTag/team}", {TEAM: "*"}, "core", NO),
    (HEAD + "${aws:PrincipalTag/team}*", {TEAM: "*"}, "*x", YES),
    (HEAD + "${aws:PrincipalTag/team, '*'}", {}, "core", NO),
    (HEAD + "${aws:PrincipalTag/team}", {TEAM: ["core", "data"]}, "core", MAYBE),
    (HEAD + "${aws:PrincipalTag/team}", {TEAM: Unknown("var.team")}, "core", MAYBE),
    (HEAD + "${aws:PrincipalTag/team}/db", {TEAM: Unknown("var.team")}, "core/api", NO),
    (HEAD + "core${aws:PrincipalTag/team}", {TEAM: ""}, "core", MAYBE),
    (HEAD + "a${*}b", {}, "a*b", YES),
    (HEAD + "a${*}b", {}, "axb", NO),
    (HEAD + "a${?}b${$}", {}, "a?b$", YES),
    ("arn:aws:secretsmanager:eu-west-1:${aws:PrincipalAccount}:secret:*", {"aws:PrincipalAccount": "1"}, "db", NO),
    (concatenate([Unknown("var.head"), "${aws:PrincipalTag/team}"]), CORE, "core", MAYBE),
]


def matches(resource: Pattern | PolicyTemplate, subject: PartialArn, context: Context) -> Truth:
    """Ask a statement's only resource."""
    return Resources((resource,)).include(subject, context, without_value=NO)


@pytest.mark.parametrize(("text", "context", "name", "expected"), CASES, ids=map(str, range(len(CASES))))
def test_variables_in_a_resource(text: Value, context: Mapping[str, Value] | None, name: str, expected: Truth) -> None:
    """A variable stands for its value, whose wildcards are characters; without a value nothing matches."""
    told = Context() if context is None else Context.of(context, complete=True)
    assert expected == matches(template(text, Form.RESOURCE), PartialArn.of(HEAD + name), told)


@pytest.mark.parametrize(("name", "expected"), [("core/db", MAYBE), ("core/api", NO), ("core", NO)])
def test_a_variable_of_unknown_name_has_any_value(name: str, expected: Truth) -> None:
    """A variable whose name is partly unknown may stand for any text, and may have no value."""
    text = concatenate([HEAD, "${aws:PrincipalTag/", Unknown("var.tag"), "}/db"])
    told = Context.of(CORE, complete=True)
    assert expected == matches(template(text, Form.RESOURCE), PartialArn.of(HEAD + name), told)


def test_the_same_unknown_is_equal_to_itself() -> None:
    """A variable whose value is unknown matches where the request has the same unknown."""
    team = Unknown("var.team")
    subject = PartialArn.of(concatenate([HEAD, team, "/db"]))
    told = Context.of({TEAM: team})
    assert matches(template(HEAD + "${aws:PrincipalTag/team}/db", Form.RESOURCE), subject, told) is YES
    assert matches(template(HEAD + "${aws:PrincipalTag/team}/api", Form.RESOURCE), subject, told) is NO


def test_an_answer_is_kept_for_its_request_alone() -> None:
    """One statement answers each request by its own variables, also about a resource that is partly unknown."""
    resources = Resources((template(HEAD + "${aws:PrincipalTag/team}/*", Form.RESOURCE),))
    subject = PartialArn.of(concatenate([HEAD, "core/", Unknown("var.name")]))
    for team, expected in (("core", YES), ("data", NO), ("core", YES)):
        told = Context.of({TEAM: team}, complete=True)
        assert expected == resources.include(subject, told, without_value=NO)


def test_text_without_variables_is_a_pattern() -> None:
    """Only text with a variable waits for a request."""
    assert isinstance(template(HEAD + "db", Form.RESOURCE), Pattern)
    assert isinstance(template(HEAD + "${aws:username}", Form.RESOURCE), PolicyTemplate)
