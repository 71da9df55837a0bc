"""Whether one pattern of a policy covers another."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.iam.policy.policy_diff import covers, covers_action, overlaps

YES, MAYBE, NO = Truth.YES, Truth.MAYBE, Truth.NO
PREFIX = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
NEW = Unknown("aws_secretsmanager_secret.new.arn")
SHAPE = concatenate([f"{PREFIX}new-", characters(NEW.address, 6)])

CASES: list[tuple[Value, Value, Truth]] = [
    ("*", "s3:*", YES),
    ("s3:*", "s3:Get*", YES),
    ("s3:Get*", "s3:*", NO),
    ("s3:Get*", "s3:GetObject", YES),
    ("s3:GetObject", "s3:GetObject", YES),
    ("s3:Get?bject", "s3:GetObject", YES),
    ("s3:Get*Version", "s3:GetObject*", NO),
    ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*", YES),
    ("arn:aws:s3:::b/x/*", "arn:aws:s3:::b/*", NO),
    ("arn:aws:s3:::b*", "arn:aws:s3:::b", YES),
    ("arn:*", "*", NO),
    ("?*", "*?", MAYBE),
    ("??*", "*a?", MAYBE),
    (f"{PREFIX}db-??????", f"{PREFIX}db-AbCdEf", YES),
    (f"{PREFIX}db-??????", f"{PREFIX}db-*", NO),
    (f"{PREFIX}db-*", f"{PREFIX}db-??????", YES),
    (f"{PREFIX}*", NEW, YES),
    (f"{PREFIX}new-??????", NEW, YES),
    (f"{PREFIX}old-AbCdEf", NEW, NO),
    (f"{PREFIX}new-AbCdEf", NEW, MAYBE),
    (f"{PREFIX}db", Unknown("aws_kms_key.k.arn"), MAYBE),
    (Unknown("a.arn"), Unknown("a.arn"), YES),
    (Unknown("a.arn"), "x", MAYBE),
    ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::${aws:username}/*", YES),
    ("arn:aws:s3:::home/*", "arn:aws:s3:::home/${aws:username}/*", YES),
    ("arn:aws:s3:::home/ann/*", "arn:aws:s3:::home/${aws:username}/*", MAYBE),
]


def resolve(value: Value) -> Value:
    """Narrow the ARN of the one secret that is not there yet."""
    return SHAPE if value == NEW else value


@pytest.mark.parametrize(("outer", "inner", "expected"), CASES)
def test_resources(outer: Value, inner: Value, expected: Truth) -> None:
    """A pattern covers another if it matches whatever the other matches."""
    assert covers(outer, inner, resolve) is expected


def test_actions_have_no_letter_case() -> None:
    """IAM compares actions without regard to letter case, resources with."""
    assert covers_action("S3:get*", "s3:GetObject") is YES
    assert covers("arn:aws:s3:::B/*", "arn:aws:s3:::b/x") is NO


def test_overlaps() -> None:
    """Two patterns overlap if something matches both; certain is only that one covers the other, or that none is."""
    assert overlaps("s3:*", "s3:Get*") is YES
    assert overlaps("s3:Get*", "ec2:*") is NO
    assert overlaps("s3:*Object", "s3:Get*") is MAYBE


PATTERN = st.text("ab*?", max_size=6)


def matches(pattern: str, text: str) -> bool:
    """Match as the shell does."""
    return re.fullmatch(fnmatch.translate(pattern), text) is not None


@given(PATTERN, PATTERN, st.text("abc", max_size=6))
def test_an_answer_holds_for_every_text(outer: str, inner: str, text: str) -> None:
    """No text that the inner pattern matches escapes an outer one that is said to cover it."""
    if covers(outer, inner) is YES and matches(inner, text):
        assert matches(outer, text)


@given(PATTERN, PATTERN)
def test_no_is_shown_by_a_text(outer: str, inner: str) -> None:
    """Where it is said that a pattern does not cover another, there is a text that shows it."""
    if covers(outer, inner) is NO:
        texts = _texts("abc", 8 if "*" in inner else len(inner))
        assert any(matches(inner, text) and not matches(outer, text) for text in texts)


def _texts(letters: str, longest: int) -> list[str]:
    texts, last = [""], [""]
    for _ in range(min(longest, 7)):
        last = [text + letter for text in last for letter in letters]
        texts += last
    return texts
