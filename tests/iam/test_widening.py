"""What one version of a policy allows that the version before did not."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.policy_diff import narrows, widenings

YES, MAYBE, NO = Truth.YES, Truth.MAYBE, Truth.NO
ROLE = "arn:aws:iam::111122223333:role/app"
ROOT = {"AWS": "arn:aws:iam::111122223333:root"}
VPCE = {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}


def allow(actions: Any, resources: Any = "*", **rest: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **rest}


def deny(actions: Any, resources: Any = "*", **rest: Any) -> dict[str, Any]:
    """Return a Deny statement."""
    return {**allow(actions, resources, **rest), "Effect": "Deny"}


def without(statement: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a statement without some of its elements."""
    return {name: value for name, value in statement.items() if name not in names}


NOT_IAM = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
NOT_IAM_NOR_STS = {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}

CASES: dict[str, tuple[list[Any], list[Any], list[tuple[Truth, str]]]] = {
    "the same": ([allow("s3:Get*")], [allow("s3:Get*")], []),
    "the same, split up": ([allow(["a:b", "a:c"])], [allow("a:c"), allow("a:b")], []),
    "narrower": ([allow("s3:*")], [allow(["s3:GetObject"], "arn:aws:s3:::b/*")], []),
    "an action more": ([allow("s3:Get*")], [allow(["s3:Get*", "s3:Put*"])], [(YES, "s3:Put* on *")]),
    "a resource more": ([allow("a:b", "arn:x:1")], [allow("a:b", ["arn:x:1", "arn:x:2"])], [(YES, "a:b on arn:x:2")]),
    "of two statements a pair that neither has": (
        [allow("a:b", "arn:x:1"), allow("a:c", "arn:x:2")],
        [allow(["a:b", "a:c"], ["arn:x:1", "arn:x:2"])],
        [(YES, "a:c on arn:x:1"), (YES, "a:b on arn:x:2")],
    ),
    "a policy where there was none": ([], [allow("a:b")], [(YES, "a:b on *")]),
    "an unknown resource": ([allow("a:b", "arn:x:1")], [allow("a:b", Unknown("m.out"))], [(MAYBE, "a:b on m.out")]),
    "an unknown resource where all were allowed": ([allow("a:b")], [allow("a:b", Unknown("m.out"))], []),
    "a condition less": ([allow("a:b", Condition=VPCE)], [allow("a:b")], [(YES, "a:b on *")]),
    "a condition more": ([allow("a:b")], [allow("a:b", Condition=VPCE)], []),
    "another condition": (
        [allow("a:b", Condition=VPCE)],
        [allow("a:b", Condition={"Bool": {"aws:SecureTransport": "true"}})],
        [(MAYBE, "a:b on *")],
    ),
    "denied all the same": ([], [allow("a:*"), deny("a:b"), deny("a:*", "*")], []),
    "denied under a condition only": ([], [allow("a:b"), deny("a:b", Condition=VPCE)], [(YES, "a:b on *")]),
    "a deny less": ([allow("a:*"), deny("a:b")], [allow("a:*")], [(YES, "a:b on *")]),
    "a deny with a condition more": ([deny("a:b")], [deny("a:b", Condition=VPCE)], [(YES, "a:b on *")]),
    "all actions but some": ([allow("*")], [NOT_IAM], []),
    "all actions but fewer": ([NOT_IAM_NOR_STS], [NOT_IAM], [(YES, "everything but iam:* on *")]),
    "all actions but more": ([NOT_IAM], [NOT_IAM_NOR_STS], []),
    "an action that was left out": ([NOT_IAM], [allow(["s3:*", "iam:PassRole"])], [(YES, "iam:PassRole on *")]),
}


def document(statements: list[Any]) -> PolicyDocument | None:
    """Return a policy; None for one without statements."""
    return PolicyDocument.from_value({"Version": "2012-10-17", "Statement": statements}) if statements else None


@pytest.mark.parametrize("name", CASES)
def test_identity_policies(name: str) -> None:
    """What becomes allowed, or is no longer denied, is named by action and resource; nothing else is."""
    before, after, expected = CASES[name]
    found = widenings(document(before), document(after))
    assert [(entry.answer, str(entry).partition(", by ")[0]) for entry in found] == expected


PRINCIPALS: dict[str, tuple[Any, Any, list[Truth]]] = {
    "the same account, written otherwise": (ROOT, {"AWS": "111122223333"}, []),
    "another account": (ROOT, {"AWS": "444455556666"}, [YES]),
    "a role of the account": (ROOT, {"AWS": ROLE}, [MAYBE]),
    "everyone": ({"AWS": ROLE}, "*", [YES]),
    "one of everyone": ("*", {"AWS": ROLE}, []),
    "a service more": ({"Service": "a.amazonaws.com"}, {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}, [YES]),
    "one that is not known": ({"AWS": ROLE}, {"AWS": Unknown("aws_iam_role.x.arn")}, [MAYBE]),
}


@pytest.mark.parametrize("name", PRINCIPALS)
def test_principals(name: str) -> None:
    """A principal is covered by itself, by everyone, and perhaps by its account."""
    before, after, expected = PRINCIPALS[name]
    old, new = (
        PolicyDocument.from_value(
            {"Statement": [without(allow("sts:AssumeRole", Principal=principal), "Resource")]}, with_principals=True
        )
        for principal in (before, after)
    )
    assert [entry.answer for entry in widenings(old, new)] == expected


def test_an_unknown_policy_may_allow_anything() -> None:
    """Of a policy that is not known, nothing is certain, unless everything was allowed before."""
    unknown = PolicyDocument.from_value(Unknown("aws_iam_policy.x.policy"))
    assert {entry.answer for entry in widenings(document([allow("a:b")]), unknown)} == {MAYBE}


CONDITIONS = [
    (None, VPCE, YES),
    (VPCE, None, NO),
    (VPCE, {"stringequals": {"AWS:SourceVpce": "vpce-1"}}, YES),
    ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, VPCE, MAYBE),
    ({"StringNotEquals": {"a": ["1"]}}, {"StringNotEquals": {"a": ["1", "2"]}}, MAYBE),
    ({"Bool": {"a": "true"}}, {"Bool": {"a": True}, "StringEquals": {"b": "c"}}, YES),
    (Unknown("c"), None, MAYBE),
    (VPCE, Unknown("c"), MAYBE),
]


@pytest.mark.parametrize(("wider", "narrower", "expected"), CONDITIONS)
def test_conditions(wider: Any, narrower: Any, expected: Truth) -> None:
    """A condition with more keys or fewer values lets through less; the rest is not compared."""
    assert narrows(wider, narrower) is expected
