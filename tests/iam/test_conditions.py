"""Conditions against contexts: a table of every operator and modifier, and what is said of those that fail."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from infraspec.core.errors import PolicyError
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.iam.evaluation import explanation
from infraspec.iam.policy.conditions import compiled
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
X, K = Unknown("var.x"), "my:key"
ROLE = "arn:aws:iam::111122223333:role/app"
MISSING: dict[str, Value] = {}


def holds(condition: Mapping[str, Value], context: Context, *, variables: bool = True) -> Truth:
    """Evaluate a Condition."""
    return all_of(*(test.holds(context) for test in compiled(condition, variables=variables)))


TABLE: list[tuple[str, Value, Value, Truth]] = [
    # operator, wanted, observed (None: absent), answer
    ("StringEquals", "core", "core", YES),
    ("stringequals", ["data", "core"], "core", YES),
    ("StringEquals", "core", "Core", NO),
    ("StringEquals", "co*", "core", NO),
    ("StringEquals", "core", None, NO),
    ("StringEquals", True, "true", YES),
    ("StringEquals", 5, "5", YES),
    ("StringEqualsIfExists", "core", None, YES),
    ("StringEqualsIfExists", "core", "data", NO),
    ("StringNotEquals", ["core", "data"], "data", NO),
    ("StringNotEquals", ["core", "data"], "x", YES),
    ("StringNotEquals", "core", None, YES),
    ("StringEqualsIgnoreCase", "CORE", "core", YES),
    ("StringNotEqualsIgnoreCase", "CORE", "core", NO),
    ("StringLike", "secretsmanager.*.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com", YES),
    ("StringLike", "a?c", "abc", YES),
    ("StringLike", "a?c", "ac", NO),
    ("StringLike", "A*", "abc", NO),
    ("StringLike", "a:*:b", "a:x:y:b", YES),
    ("StringNotLike", "a*", "abc", NO),
    ("StringNotLike", "a*", None, YES),
    ("ArnLike", "arn:aws:iam::*:role/app", ROLE, YES),
    ("ArnEquals", "arn:aws:iam::*:role/*", ROLE, YES),
    ("ArnLike", "arn:aws:iam:*:role/app", ROLE, NO),
    ("ArnLike", "arn:aws:iam::111122223333:ROLE/app", ROLE, NO),
    ("ArnLike", ROLE, "app", NO),
    ("ArnNotLike", "arn:aws:iam::*:role/app", ROLE, NO),
    ("ArnNotEquals", ROLE, None, YES),
    ("NumericEquals", "5", "5.0", YES),
    ("NumericNotEquals", "5", "6", YES),
    ("NumericLessThan", "10", "9", YES),
    ("NumericLessThan", "10", "10", NO),
    ("NumericLessThanEquals", 10, 10, YES),
    ("NumericGreaterThan", "10", "9", NO),
    ("NumericGreaterThanEquals", "10", "10", YES),
    ("NumericLessThan", "10", "nan", MAYBE),
    ("NumericLessThan", "10", "many", MAYBE),
    ("DateLessThan", "2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z", YES),
    ("DateGreaterThan", "2026", "2026-06-01", YES),
    ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T09:00:00+09:00", YES),
    ("DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", YES),
    ("DateGreaterThanEquals", "2026-01", "2025-12-31", NO),
    ("DateNotEquals", "2026-01-01", "2026-01-01T00:00:00Z", NO),
    ("DateLessThan", "2026-13-01", "2026-01-01", MAYBE),
    ("Bool", "true", True, YES),
    ("Bool", "TRUE", "true", YES),
    ("Bool", "false", "true", NO),
    ("BoolIfExists", "false", None, YES),
    ("Bool", "false", None, NO),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", YES),
    ("BinaryEquals", "QmluYXJ5", "qmluyxj5", NO),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", YES),
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", YES),
    ("IpAddress", "203.0.113.7", "203.0.113.7", YES),
    ("IpAddress", "203.0.113.0/24", "2001:db8::1", NO),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", NO),
    ("NotIpAddress", "203.0.113.0/24", None, YES),
    ("IpAddress", "203.0.113.0/24", "vpc", MAYBE),
    ("Null", "true", None, YES),
    ("Null", "true", "x", NO),
    ("Null", False, "x", YES),
    ("Null", ["true", "false"], "x", YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], NO),
    ("ForAllValues:StringEquals", "a", None, YES),
    ("ForAllValues:StringNotEquals", "a", ["b", "c"], YES),
    ("ForAllValues:StringLike", "a*", ["ab", "ac"], YES),
    ("ForAnyValue:StringEquals", "a", ["b", "a"], YES),
    ("ForAnyValue:StringEquals", "a", ["b", "c"], NO),
    ("ForAnyValue:StringEquals", "a", None, NO),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], YES),
    ("ForAnyValue:StringNotEquals", "a", ["a"], NO),
    ("ForAnyValue:StringEqualsIfExists", "a", None, MAYBE),
    ("ForAnyValue:StringEqualsIfExists", "a", [], NO),
    ("ForAllValues:StringEquals", "a", [], YES),
    ("StringNotEquals", "a", [], YES),
    ("Null", "true", [], MAYBE),
    ("ForAnyValue:ArnLike", "arn:aws:iam::*:role/*", [ROLE], YES),
    ("StringEquals", ["a", "b"], ["a", "b"], MAYBE),
    ("StringLike", "*", ["a", "b"], MAYBE),
    ("StringNotEquals", "c", ["a", "b"], YES),
    ("StringNotEquals", ["a", "b"], ["a", "b"], MAYBE),
    ("Null", "true", "", MAYBE),
    ("Null", "false", ["", "x"], YES),
    ("ArnNotLike", "arn:aws:iam::*:role/app", "app", MAYBE),
    ("ArnNotEquals", "arn:aws:iam::*:role/app", "", MAYBE),
    ("ArnLike", "arn:aws:iam::*:role/app", "app", NO),
    ("StringEquals", "a", ["a", "b"], MAYBE),
    ("StringEquals", "a", ["b", "c"], NO),
    ("StringEquals", X, "a", MAYBE),
    ("StringEquals", X, X, YES),
    ("StringEquals", ["a", X], "a", YES),
    ("StringNotEquals", ["a", X], "a", NO),
    ("StringEquals", "a", X, MAYBE),
    ("StringEquals", "ab", concatenate(["b", X]), NO),
    ("StringLike", "a*", concatenate(["a", X]), YES),
    ("StringLike", "*", X, YES),
    ("StringEqualsIgnoreCase", "AB", concatenate(["a", X]), MAYBE),
    ("StringEqualsIgnoreCase", concatenate(["A", X]), concatenate(["a", X]), YES),
    ("ArnLike", "arn:aws:iam::*:role/app", concatenate(["arn:aws:iam::", X, ":role/app"]), YES),
    ("ArnLike", "arn:aws:iam::*:role/app", concatenate(["arn:aws:iam::", X, ":role/db"]), NO),
    ("NumericLessThan", "10", X, MAYBE),
    ("IpAddress", X, "203.0.113.7", MAYBE),
    ("ForAllValues:StringEquals", "a", ["a", X], MAYBE),
    ("ForAllValues:StringEquals", "a", ["b", X], NO),
    ("ForAnyValue:StringEquals", "a", ["a", X], YES),
]


@pytest.mark.parametrize(("operator", "wanted", "observed", "expected"), TABLE, ids=map(str, range(len(TABLE))))
def test_operators(operator: str, wanted: Value, observed: Value, expected: Truth) -> None:
    """Each operator compares as its name says, in three values."""
    assert expected == holds({operator: {K: wanted}}, Context.of({"MY:KEY": observed}))


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("StringEquals", "a", MAYBE),
        ("StringEqualsIfExists", "a", MAYBE),
        ("StringLikeIfExists", "*", YES),
        ("StringLike", "*", MAYBE),
        ("ForAllValues:StringLike", "*", YES),
        ("StringNotLike", "*", MAYBE),
        ("ForAnyValue:StringNotLike", "*", NO),
        ("Null", "true", MAYBE),
    ],
)
def test_a_key_that_is_not_told_may_be_absent_or_have_any_value(operator: str, wanted: str, expected: Truth) -> None:
    """An answer is certain only if it is the same with the key absent and with every value of it."""
    assert expected == holds({operator: {K: wanted}}, Context())
    assert holds({operator: {K: wanted}}, Context(complete=True)) is not MAYBE


def test_everything_in_a_condition_must_hold() -> None:
    """Operators and keys are joined by AND; an unknown Condition, operator or key may hold."""
    context = Context.of({"my:a": "1", "my:b": "2"})
    assert holds({"StringEquals": {"my:a": "1", "my:b": "2"}}, context) is YES
    assert holds({"StringEquals": {"my:a": "1", "my:b": "x"}}, context) is NO
    assert holds({"StringEquals": {"my:a": "1"}, "StringLike": {"my:b": "x*"}}, context) is NO
    for hidden in ({"StringEquals": X}, {"${var.x}": {"my:a": "1"}}, {"StringEquals": {"${var.x}": "1"}}):
        assert holds(hidden, context) is MAYBE
    assert [MAYBE] == [test.holds(context) for test in compiled(X)]


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "expected"),
    [
        ("StringEquals", "${my:team}", {"my:team": "core", K: "core"}, YES),
        ("StringEquals", "${my:team}", {K: "core"}, NO),
        ("StringNotEquals", "${my:team}", {K: "core"}, YES),
        ("StringEquals", "${my:team, 'core'}", {K: "core"}, YES),
        ("StringLike", "a${*}", {K: "ab"}, NO),
        ("StringLike", "a${*}", {K: "a*"}, YES),
        ("ArnLike", "${aws:PrincipalArn}", {"aws:PrincipalArn": ROLE, K: ROLE}, YES),
    ],
)
def test_variables(operator: str, wanted: str, context: Mapping[str, Value], expected: Truth) -> None:
    """A variable in a value is filled from the context; one without a value is equal to nothing."""
    assert expected == holds({operator: {K: wanted}}, Context.of(context, complete=True))


def test_variables_are_text_in_old_policies() -> None:
    """In a policy without Version 2012-10-17 a variable is literal text."""
    context = Context.of({K: "core", "my:team": "core"})
    assert holds({"StringEquals": {K: "${my:team}"}}, context, variables=False) is NO


@pytest.mark.parametrize(
    ("condition", "place", "expected"),
    [
        ({"StringEqual": {K: "a"}}, "policy.Statement.Condition.StringEqual", "StringEquals?"),
        (
            {"ForSomeValue:StringEquals": {K: "a"}},
            "policy.Statement.Condition.ForSomeValue:StringEquals",
            "StringEquals",
        ),
        ({"StringEquals": "a"}, "policy.Statement.Condition.StringEquals", "an object"),
        ({"StringEquals": {K: None}}, f"policy.Statement.Condition.StringEquals.{K}", "text"),
        ({"StringEquals": {K: [{}]}}, f"policy.Statement.Condition.StringEquals.{K}", "text"),
    ],
)
def test_malformed_conditions_say_where(condition: Value, place: str, expected: str) -> None:
    """A Condition that AWS refuses is a named error with its place and what was expected."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    with pytest.raises(PolicyError) as caught:
        PolicyDocument.from_value({"Statement": statement})
    assert place == caught.value.place
    assert expected in caught.value.expected


VIA = {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        (
            {"StringEquals": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}},
            VIA,
            (
                'StringEquals kms:ViaService "secretsmanager.*.amazonaws.com" never matches: '
                "StringEquals takes no wildcards, use StringLike"
            ),
        ),
        (
            {"StringLike": {"kms:ViaService": "ssm.*"}},
            VIA,
            (
                'its Condition StringLike kms:ViaService "ssm.*" does not hold: '
                'the request has "secretsmanager.eu-west-1.amazonaws.com"'
            ),
        ),
        (
            {"StringEquals": {K: "Core"}},
            {K: "core"},
            f'its Condition StringEquals {K} "Core" does not hold: the request has "core" (letter case counts)',
        ),
        (
            {"NumericLessThan": {K: [1, 2, 3, 4]}},
            MISSING,
            f'its Condition NumericLessThan {K} "1", "2", "3" and 1 more does not hold: the request has no {K}',
        ),
    ],
)
def test_what_does_not_hold_is_explained(
    condition: Mapping[str, Value], context: Mapping[str, Value], expected: str
) -> None:
    """A Condition that fails says what was observed and what is wanted, and names a known mistake."""
    assert expected == explanation.condition_miss(compiled(condition), Context.of(context, complete=True))


def test_a_doubt_names_the_keys_and_the_mistake() -> None:
    """A Condition that may hold names the keys it depends on."""
    tests = compiled({"StringEquals": {"my:a": "x*", "my:b": "y"}, "Bool": {"my:a": "true"}})
    assert (
        "its Condition depends on my:a, my:b; "
        'StringEquals my:a "x*" never matches: StringEquals takes no wildcards, use StringLike'
    ) == explanation.condition_doubt(tests, Context())


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        (
            {"NumericLessThan": {K: "10"}},
            {K: "many"},
            f'AWS does not document whether NumericLessThan {K} "10" holds for "many"',
        ),
        (
            {"ForAnyValue:StringEqualsIfExists": {K: "a"}},
            {},
            f'AWS does not document whether ForAnyValue:StringEqualsIfExists {K} "a" holds for a request without {K}',
        ),
        ({"StringEquals": {K: "a"}}, {K: X}, f"its Condition depends on {K}"),
        ({"StringEquals": {K: X}}, {K: "a"}, f"its Condition depends on {K}"),
    ],
)
def test_a_doubt_says_who_is_silent(condition: Value, context: Mapping[str, Value], expected: str) -> None:
    """What leaves a known condition open is that AWS does not document it."""
    assert expected == explanation.condition_doubt(compiled(condition), Context.of(context, complete=True))


def test_contexts() -> None:
    """Keys are compared without regard to case; None says that a key is absent."""
    context = Context.of({"A:b": 1, "c": None, "d": []}, absent=["e"]).updated({"f": ["x", True]})
    assert [YES, NO, YES, NO, YES, MAYBE] == [context.get(key).present for key in ("a:B", "c", "d", "e", "F", "g")]
    assert (("1",), ("x", "true")) == (context.get("a:b").values, context.get("f").values)
