"""Wildcards of known text, and the fields of an ARN, by their definitions."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.iam.policy.pattern import matcher

ACCOUNT = Unknown("data.aws_caller_identity.current.account_id")


@example("*ab*b", "ab")
@given(st.text("ab?*", max_size=8), st.text("ab", max_size=8))
def test_a_star_is_any_text_and_a_question_mark_one_character(pattern: str, text: str) -> None:
    """A pattern matches what the regular expression of the same wildcards matches."""
    expression = "".join({"*": ".*", "?": "."}.get(character, character) for character in pattern)
    assert (re.fullmatch(expression, text) is not None) == matcher(pattern)(text)


@pytest.mark.parametrize(
    ("arn", "fields"),
    [
        ("arn:aws:iam::111122223333:role/app", ("arn", "aws", "iam", "", "111122223333")),
        ("arn:aws:s3:::bucket", ("arn", "aws", "s3", "", "")),
        (concatenate(["arn:aws:iam::", ACCOUNT, ":role/app"]), ("arn", "aws", "iam", "", ACCOUNT)),
        (
            concatenate(["arn:aws:logs:eu-", ACCOUNT, "-1:111122223333:x"]),
            ("arn", "aws", "logs", concatenate(["eu-", ACCOUNT, "-1"]), "111122223333"),
        ),
        ("arn:aws:iam::111122223333", ()),
        ("uri:aws:iam::111122223333:role/app", ()),
        (concatenate([ACCOUNT, ":aws:iam::111122223333:role/app"]), ()),
        (ACCOUNT, ()),
    ],
)
def test_fields_of_an_arn(arn: Value, fields: tuple[Value, ...]) -> None:
    """The five fields before the resource are told, known or not, of what is certain to be an ARN."""
    assert dict(zip(("arn", "partition", "service", "region", "account"), fields, strict=False)) == arn_fields(arn)
