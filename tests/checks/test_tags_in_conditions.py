"""Conditions on tags that the plan has: of the secret, of the role, and of the request."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.access_decisions import RequestTags, request_context
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles import RoleIndex
from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown
from infraspec.terraform.aws_attributes import AwsAttributes
from tests.checks.test_surroundings import ACCOUNT, judged
from tests.terraform.sources import plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
OF_SECRET, OF_ROLE = "aws:ResourceTag/team", "aws:PrincipalTag/team"


def found(directory: Path, condition: str, *, secret: str = "", role: str = "", provider: str = "") -> Verdict:
    """Return whether the role reads the secret under a condition, for tags of either and of the provider."""
    text = f"""
    resource "aws_iam_role_policy" "limit" {{
      name   = "limit"
      role   = aws_iam_role.start.name
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{
          Effect = "Deny", Action = "secretsmanager:*", Resource = "*", Condition = {{ {condition} }}
        }}]
      }})
    }}
    """
    parts = {"boundary": role, "key": "}\n" + provider + '\nresource "aws_kms_key" "spare" {'}
    return judged(directory, text, secret=secret, **parts).verdict


def unless(key: str, value: str, operator: str = "StringNotEquals") -> str:
    """Return the condition that denies where a key is something else."""
    return f'{operator} = {{ "{key}" = "{value}" }}'


BLUE = 'tags = { team = "blue" }'
DEFAULT = 'provider "aws" {\n alias = "x"\n default_tags {\n tags = { team = "blue" }\n }\n IGNORED }'


@pytest.mark.parametrize(
    ("condition", "secret", "role", "expected"),
    [
        (unless(OF_SECRET, "blue"), BLUE, "", PROVEN),
        (unless("AWS:resourcetag/TEAM", "blue"), BLUE, "", PROVEN),
        (unless("secretsmanager:ResourceTag/team", "blue"), BLUE, "", PROVEN),
        (unless(OF_SECRET, "Blue"), BLUE, "", VIOLATED),
        (unless(OF_SECRET, "blue"), "", "", VIOLATED),
        (unless(OF_SECRET, "blue", "StringNotEqualsIfExists"), "", "", VIOLATED),
        (unless(OF_SECRET, "blue"), "tags = var.unknown", "", UNDETERMINED),
        (unless(OF_SECRET, "blue"), "tags = { team = var.unknown }", "", UNDETERMINED),
        (unless(OF_SECRET, "blue"), BLUE + "\n lifecycle {\n ignore_changes = [tags]\n }", "", UNDETERMINED),
        (unless(OF_SECRET, "blue"), DEFAULT.replace("IGNORED", "") + "provider = aws.x", "", PROVEN),
        (unless(OF_ROLE, "blue"), "", BLUE, PROVEN),
        (unless(OF_ROLE, "blue"), BLUE, "", VIOLATED),
        (unless(OF_ROLE, "blue"), "", "tags = var.unknown", UNDETERMINED),
        (unless(OF_ROLE, "$${aws:ResourceTag/team}"), BLUE, BLUE, PROVEN),
        (unless(OF_ROLE, "$${aws:ResourceTag/team}"), BLUE, BLUE.replace("blue", "red"), VIOLATED),
        (unless("aws:RequestTag/team", "blue", "StringEquals"), BLUE, BLUE, PROVEN),
        ('Null = { "aws:RequestTag/team" = "true" }', BLUE, BLUE, VIOLATED),
        ('Null = { "aws:PrincipalTag/team" = "true" }', "", BLUE, PROVEN),
    ],
)
def test_tags_of_the_plan_are_decided(
    condition: str, secret: str, role: str, expected: Verdict, tmp_path: Path
) -> None:
    """A tag that the plan gives has its value, one that it does not give is absent, and what is not known stays so."""
    provider = ""
    if secret.startswith("provider"):
        provider, secret = DEFAULT.replace("IGNORED", ""), "provider = aws.x"

    assert expected is found(tmp_path, condition, secret=secret, role=role, provider=provider)


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ("", Truth.NO),
        ('ignore_tags {\n keys = ["other"]\n }', Truth.NO),
        ('ignore_tags {\n keys = ["cost"]\n }', Truth.MAYBE),
        ('ignore_tags {\n key_prefixes = ["co"]\n }', Truth.MAYBE),
        ("ignore_tags {\n keys = var.unknown\n }", Truth.MAYBE),
    ],
)
def test_tags_that_the_provider_leaves_alone(ignored: str, expected: Truth, tmp_path: Path) -> None:
    """Others may set them, so that one which the plan does not have may be there."""
    source = f"""
    variable "unknown" {{}}
    provider "aws" {{
      region = "eu-west-1"
      {ignored}
    }}
    resource "aws_secretsmanager_secret" "s" {{ name = "s" }}
    resource "aws_iam_role" "r" {{
      name               = "r"
      assume_role_policy = "{{}}"
    }}
    """
    attributes = AwsAttributes(plan_of(tmp_path, source).replaced(account=ACCOUNT))
    owners, role = ArnIndex(attributes), RoleIndex(attributes).role(Unknown("aws_iam_role.r.arn"))
    arn = attributes.narrow(Unknown("aws_secretsmanager_secret.s.arn"))

    context = RequestTags(owners).told(request_context(None, arn), role, "secretsmanager:GetSecretValue", arn)

    assert expected is context.get("aws:ResourceTag/cost").present
