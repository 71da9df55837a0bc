"""The documents that AWS refuses, against those that IAM was seen to refuse and to accept.

The documents are those that moto 5 holds its IAM to, of getmoto/moto, tests/test_iam/test_iam_policies.py, Apache-2.0.
Two of the accepted ones have a Sid with an underscore, which "IAM JSON policy elements: Sid" does not allow.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import PolicyError
from infraspec.core.unknown import Text, Unknown, Value, characters, concatenate
from infraspec.iam.lint.faults import PolicyFault
from infraspec.iam.lint.refusals import certain_refusal, least_size, over_limit, refusals
from infraspec.iam.policy.document import PolicyDocument
from infraspec.resource_types import Policy, PolicyKind, resource_type
from infraspec.resource_types.model import PolicyLimit

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "documents.json").read_text("utf-8"))
MANAGED = resource_type("aws_iam_policy").policies[0]
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-??????"  # noqa: S105 - the ARN of one
READ = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET}
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"


def refused(document: Value, use: Policy = MANAGED) -> bool:
    """Tell whether AWS refuses a document for certain."""
    try:
        read = PolicyDocument.from_value(document, with_principals=use.names_principals)
    except PolicyError:
        return True
    fault = certain_refusal(refusals(read, use))
    return fault is not None and fault.certain


def policy(**statement: Value) -> dict[str, Value]:
    """Return a policy with one statement that reads a secret, but for what is given."""
    return {"Version": "2012-10-17", "Statement": [{**READ, **statement}]}


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number, _ in enumerate(CASES)])
def test_documents_that_iam_was_asked_about(case: dict[str, Any]) -> None:
    """A managed policy is refused if IAM refuses it, and no other is."""
    assert case["refused"] == refused(case["document"])


@pytest.mark.parametrize(
    "document",
    [
        policy(Action="*:GetSecretValue"),
        policy(Action="secrets*:GetSecretValue"),
        policy(NotAction=["secretsmanager:*", "*:Get*"], Action=None),
        policy(Resource="arn:aws:*:eu-west-1:111122223333:secret:db-*"),
        policy(Resource=["*", "arn:aws:secrets*:eu-west-1:111122223333:secret:db-*"]),
        policy(Resource=SECRET.replace("secretsmanager", "SecretsManager")),
        policy(Resource=SECRET.replace("eu-west-1", "EU-WEST-1")),
        policy(Resource=SECRET.replace("arn:aws", "arn:amazon")),
        policy(Resource=Text(("arn:aws:*:", Unknown("var.region"), ":111122223333:secret:db-*"))),
        policy(Sid="read it"),
        policy(Sid="read-it"),
        policy(Sid="lesen-für-alle"),
        {"Version": "2012-10-17", "Statement": [{**READ, "Sid": "A"}, {**READ, "Sid": "A"}]},
        {"Version": "2012-10-17", "Statement": []},
        policy(Resource=[]),
        policy(Principal="*"),
        {"Statement": [READ]},
        {"Version": "2008-10-17", "Statement": [READ]},
        {"Version": "2013-01-01", "Statement": [READ]},
    ],
)
def test_what_is_refused(document: Value) -> None:
    """A wildcard or upper case where none may be, a Sid, a list, a Version: AWS takes none of these documents."""
    if isinstance(document["Statement"], list):
        document["Statement"] = [
            {key: value for key, value in one.items() if value is not None} for one in document["Statement"]
        ]
    assert refused(document)


@pytest.mark.parametrize(
    "document",
    [
        policy(),
        policy(Action="*", Resource="*"),
        policy(Action="*:*"),
        policy(Action="SecretsManager:getsecretvalue"),
        policy(Resource="arn:*:secretsmanager:*:*:secret:Db-*"),
        policy(Resource="arn:aws-us-gov:s3:::Bucket/KEY"),
        policy(Resource=Text((Unknown("aws_secretsmanager_secret.db.arn"), "*"))),
        policy(Resource=Text(("arn:", Unknown("data.aws_partition.this.partition"), ":s3:::b/*"))),
        policy(Resource=Unknown("var.any"), Action=[Unknown("var.any")], Sid=Unknown("var.any")),
        policy(Resource="arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}"),
        policy(Sid=""),
        {"Version": Unknown("var.version"), "Statement": [READ]},
        {"Version": "2012-10-17", "Statement": Unknown("var.statements")},
    ],
)
def test_what_is_not_refused(document: Value) -> None:
    """What AWS takes, and what is not known, is not refused."""
    assert not refused(document)


def test_an_inline_policy_needs_no_version() -> None:
    """The Version is asked for in managed policies alone."""
    inline = resource_type("aws_iam_role_policy").policies[0]

    assert not refused({"Statement": [READ]}, inline)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}, True),
        ({"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}, True),
    ],
)
def test_a_resource_control_policy(statement: dict[str, Value], *, expected: bool) -> None:
    """It denies everybody some actions of services that it names, and nothing else."""
    document = {"Version": "2012-10-17", "Statement": [statement]}

    assert expected == refused(document, Policy(PolicyKind.RESOURCE_CONTROL))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "sts:AssumeRole"}, False),
        ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, False),
        ({"Action": ["sts:AssumeRole", "ecs:RunTask"]}, True),
        ({"Action": "sts:AssumeRole", "Resource": "*"}, True),
    ],
)
def test_a_trust_policy(statement: dict[str, Value], *, expected: bool) -> None:
    """It is about assuming its role alone."""
    principal = {"Service": "ecs-tasks.amazonaws.com"}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, **statement}]}

    assert expected == refused(document, Policy(PolicyKind.TRUST))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", False),
        ({"AWS": "*"}, False),
        ({"AWS": ["111122223333"], "Service": "ecs.amazonaws.com"}, False),
        (Unknown("var.principal"), False),
        ({"AWS": Unknown("var.principal")}, False),
        ("arn:aws:iam::111122223333:root", True),
        ({"Role": "arn:aws:iam::111122223333:role/app"}, True),
    ],
)
def test_a_principal(principal: Value, *, expected: bool) -> None:
    """It is everybody, or an object of the kinds that there are."""
    document = policy(Principal=principal)

    assert expected == refused(document, resource_type("aws_secretsmanager_secret").policies[0])


@pytest.mark.parametrize(
    ("type_", "size", "certain"),
    [
        ("aws_iam_policy", 6144, None),
        ("aws_iam_policy", 6145, True),
        ("aws_iam_role_policy", 10240, None),
        ("aws_iam_role_policy", 10241, True),
        ("aws_iam_role", 2048, None),
        ("aws_iam_role", 2049, False),
        ("aws_iam_role", 8192, False),
        ("aws_iam_role", 8193, True),
    ],
)
def test_the_longest_policy(type_: str, size: int, certain: bool | None) -> None:  # noqa: FBT001 - None: it is not told
    """A quota is met to the character; one that can be raised is certain only beyond what it is raised to."""
    limit = resource_type(type_).policies[0].limit
    assert limit is not None
    fault = over_limit(limit, size)
    assert certain == (fault and fault.certain)


@pytest.mark.parametrize(
    ("value", "blanks", "expected"),
    [
        ("a b\n c", False, 3),
        ("a b\n c", True, 6),
        (concatenate(["ab", Unknown("var.hidden"), "c d"]), False, 4),
        (concatenate(["ab", characters("aws_secretsmanager_secret.db.arn", 6)]), False, 8),
        (concatenate(["ab", Unknown("var.known")]), False, 5),
        (Unknown("var.hidden"), False, 0),
    ],
)
def test_how_long_a_policy_is_at_least(value: Value, *, blanks: bool, expected: int) -> None:
    """White space does not count where AWS does not count it, and nothing of what may be empty."""
    limit = PolicyLimit(10, "a quota", blanks=blanks)
    assert expected == least_size(value, limit, lambda part: "x y z" if part == Unknown("var.known") else part)


def test_the_certain_fault_is_told_first() -> None:
    """What AWS may refuse comes after what it refuses."""
    document = PolicyDocument.from_value(policy(Sid="a_b", Action="*:Get*"))
    fault = certain_refusal(refusals(document, MANAGED))

    assert isinstance(fault, PolicyFault)
    assert ("unknown-action", True) == (fault.finding, fault.certain)
