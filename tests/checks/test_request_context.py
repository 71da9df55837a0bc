"""What is certain of the requests that ECS makes."""

from __future__ import annotations

import pytest

from infraspec.checks.access.access_decisions import request_context
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, concatenate
from infraspec.iam.policy.partial_arn import arn_fields

ROLE = "arn:aws:iam::111122223333:role/app"
KEY = "arn:aws:kms:eu-west-1:444455556666:key/1"
DB = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"
REGION = Unknown("var.region")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws:SecureTransport", "true"),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:ResourceAccount", "444455556666"),
        ("kms:ViaService", "secretsmanager.eu-west-1.amazonaws.com"),
        ("kms:CallerAccount", "111122223333"),
        ("kms:EncryptionContext:SecretARN", DB),
    ],
)
def test_keys_of_a_decryption(key: str, expected: str) -> None:
    """A key used for a secret is asked by Secrets Manager, on behalf of the role."""
    entry = request_context(ROLE, KEY, DB).get(key)
    assert (Truth.YES, (expected,)) == (entry.present, entry.values)


def test_what_is_not_certain_is_not_told() -> None:
    """A key of which nothing is known, or that only some requests have, is unknown; a role has no user name."""
    context = request_context(Unknown("aws_iam_role.app.arn"), "*")
    answers = [context.get(key).present for key in ("aws:SourceVpc", "aws:RequestedRegion", "aws:username")]
    assert [Truth.MAYBE, Truth.MAYBE, Truth.NO] == answers


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        (KEY, "eu-west-1"),
        (concatenate(["arn:aws:kms:", REGION, ":1:key/a"]), REGION),
        (concatenate(["arn:aws:kms:eu-", REGION, ":1:key/a"]), concatenate(["eu-", REGION])),
        (Unknown("var.arn"), None),
        ("*", None),
    ],
)
def test_fields_of_an_arn(arn: Value, region: Value) -> None:
    """The fields of an ARN are told as far as they are known."""
    assert region == arn_fields(arn).get("region")
