"""From an ARN to the resource of the plan it belongs to, and to that resource's policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.core.truth import Truth
from infraspec.core.unknown import Text, Unknown, Value
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

ACCOUNT, OTHER, REGION = "111122223333", "123456789012", "eu-west-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
READ = "secretsmanager:GetSecretValue"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/app"
SOURCE = """
data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::app-files/*"]
    principals {
      type        = "AWS"
      identifiers = ["111122223333"]
    }
  }
}
resource "aws_secretsmanager_secret" "db" { name = "db" }
resource "aws_secretsmanager_secret" "both" { name = "both" }
resource "aws_secretsmanager_secret_policy" "db" {
  secret_arn = aws_secretsmanager_secret.db.arn
  policy     = "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": []}"
}
resource "aws_ssm_parameter" "both" {
  name  = "both"
  type  = "String"
  value = "x"
}
resource "aws_ssm_parameter" "level" {
  name  = "level"
  type  = "String"
  value = "info"
}
resource "aws_kms_key" "plain" {}
resource "aws_kms_key" "own" { policy = "{\\"Statement\\": []}" }
resource "aws_s3_bucket" "files" { bucket = "app-files" }
resource "aws_s3_bucket_policy" "files" {
  bucket = "app-files"
  policy = data.aws_iam_policy_document.read.json
}
resource "aws_cloudwatch_log_group" "app" { name = "/ecs/app" }
resource "aws_ecr_repository" "app" { name = "app" }
resource "aws_ecr_registry_policy" "all" { policy = "{\\"Statement\\": []}" }
data "aws_secretsmanager_secret" "shared" { name = "shared" }
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Return a plan with resources of each kind that has a policy."""
    known = KnownData.of({}, account=ACCOUNT, region=REGION)
    return plan_of(tmp_path_factory.mktemp("owners"), SOURCE, known=known)


@pytest.fixture
def owners(plan: Plan) -> ArnIndex:
    """Return the owners of the plan."""
    return ArnIndex(AwsAttributes(plan))


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (Unknown("aws_secretsmanager_secret.db.arn"), "aws_secretsmanager_secret.db"),
        (f"{SECRET}db-AbCdEf", "aws_secretsmanager_secret.db"),
        (f"{SECRET}db-AbCdE", None),
        (f"{SECRET}other-AbCdEf", None),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/level", "aws_ssm_parameter.level"),
        (f"arn:aws:ssm:{REGION}:{OTHER}:parameter/level", None),
        ("arn:aws:s3:::app-files", "aws_s3_bucket.files"),
        ("arn:aws:s3:::app-files/any/object", "aws_s3_bucket.files"),
        ("arn:aws:s3:::app-files-2/any/object", None),
        (GROUP, "aws_cloudwatch_log_group.app"),
        (f"{GROUP}:log-stream:app/1", "aws_cloudwatch_log_group.app"),
        (f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app", "aws_ecr_repository.app"),
        (Unknown("var.arn"), None),
        (Text((Unknown("var.prefix"), "x")), None),
        (None, None),
        (["arn"], None),
    ],
)
def test_an_arn_belongs_to_the_resource_that_has_it(owners: ArnIndex, target: Value, address: str | None) -> None:
    """Objects belong to their bucket and streams to their group; a secret's ARN ends with six characters of AWS's."""
    found = owners.find(target)
    assert address == (found.address if found else None)


@pytest.mark.parametrize(("name", "kind"), [("db", "secret"), ("level", "parameter"), ("both", ""), ("neither", "")])
def test_a_bare_name_is_one_or_the_other(owners: ArnIndex, name: str, kind: str) -> None:
    """Where both have it, or neither, nobody can tell."""
    assert kind == owners.secret_or_parameter(name)


def test_a_secret_by_its_name(owners: ArnIndex) -> None:
    """It is the ARN that the plan will know."""
    assert Unknown("aws_secretsmanager_secret.db.arn") == owners.secret_named("db")
    assert owners.secret_named("level") is None


@pytest.mark.parametrize(
    ("target", "account", "action", "names"),
    [
        (Unknown("aws_secretsmanager_secret.db.arn"), ACCOUNT, READ, ["aws_secretsmanager_secret_policy.db"]),
        (Unknown("aws_secretsmanager_secret.both.arn"), ACCOUNT, READ, []),
        (Unknown("aws_kms_key.own.arn"), ACCOUNT, "kms:Decrypt", ["aws_kms_key.own"]),
        (Unknown("aws_kms_key.plain.arn"), ACCOUNT, "kms:Decrypt", ["aws_kms_key.plain"]),
        ("arn:aws:s3:::app-files/a", ACCOUNT, "s3:GetObject", ["aws_s3_bucket_policy.files"]),
        ("arn:aws:s3:::elsewhere/a", ACCOUNT, "s3:GetObject", []),
        (f"{SECRET}elsewhere-AbCdEf", ACCOUNT, READ, []),
        (f"{SECRET}elsewhere-AbCdEf", OTHER, READ, [f"the resource policy of {SECRET}elsewhere-AbCdEf"]),
        (Unknown("data.aws_kms_key.x.arn"), ACCOUNT, "kms:Decrypt", ["the key policy of data.aws_kms_key.x.arn"]),
        (f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app", ACCOUNT, "ecr:x", ["aws_ecr_registry_policy.all"]),
        (
            "arn:aws:ecr:eu-west-1:906394416424:repository/aws-for-fluent-bit",
            ACCOUNT,
            "ecr:BatchGetImage",
            ["AWS's policy of aws-for-fluent-bit", "aws_ecr_registry_policy.all"],
        ),
    ],
)  # fmt: skip
def test_the_policies_that_have_a_say(
    owners: ArnIndex, target: Value, account: Value, action: str, names: list[str]
) -> None:
    """Of what is not in the plan, a key has a policy that is not known, and so has a resource of another account."""
    assert names == [policy.name for policy in owners.policies(target, account, action)]


def test_a_key_without_a_policy_has_that_of_its_account(plan: Plan, owners: ArnIndex) -> None:
    """KMS gives it one that lets the account's own policies decide."""
    (policy,) = owners.policies(Unknown("aws_kms_key.plain.arn"), ACCOUNT, "kms:Decrypt")
    (clause,) = policy.clauses
    assert ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ("kms:*",)) == (
        clause.statement.principal,
        clause.statement.actions,
    )
    assert owners.has_policy(Unknown("aws_kms_key.plain.arn"))
    assert plan.by_address["aws_kms_key.plain"] is owners.policy_source(Unknown("aws_kms_key.plain.arn"))


@pytest.mark.parametrize(
    ("target", "has"),
    [
        (Unknown("aws_secretsmanager_secret.db.arn"), True),
        (Unknown("aws_secretsmanager_secret.both.arn"), False),
        (Unknown("data.aws_secretsmanager_secret.shared.arn"), None),
        (f"{SECRET}elsewhere-AbCdEf", None),
    ],
)
def test_whether_there_is_a_policy(owners: ArnIndex, target: Value, *, has: bool | None) -> None:
    """Of a data source, and of what is in no plan, that is not known."""
    assert has is owners.has_policy(target)


def test_the_document_that_a_policy_is_the_text_of(plan: Plan, owners: ArnIndex) -> None:
    """A remedy is written where the statement is."""
    policy, secret = (
        plan.by_address[address] for address in ("aws_s3_bucket_policy.files", "aws_secretsmanager_secret_policy.db")
    )
    found = owners.document_of(policy)
    assert found is not None
    assert "data.aws_iam_policy_document.read" == found.address
    assert owners.document_of(secret) is None


def test_a_policy_that_may_be_of_any_secret_may_be_of_each(tmp_path: Path) -> None:
    """One that is attached to what nobody knows counts for all, and is certain for none."""
    source = """
    resource "aws_secretsmanager_secret" "db" { name = "db" }
    variable "arn" {}
    resource "aws_secretsmanager_secret_policy" "any" {
      secret_arn = var.arn
      policy     = jsonencode({ Statement = [{ Effect = "Deny", Principal = "*", Action = "*", Resource = "*" }] })
    }
    """
    owners = ArnIndex(AwsAttributes(plan_of(tmp_path, source)))
    (policy,) = owners.policies(Unknown("aws_secretsmanager_secret.db.arn"), ACCOUNT, READ)
    assert "aws_secretsmanager_secret_policy.any" == policy.name
    assert [Truth.MAYBE] == [clause.bound for clause in policy.clauses]


def test_a_malformed_policy_has_no_statement(tmp_path: Path) -> None:
    """It says why AWS refuses it, and where in the document."""
    source = 'resource "aws_kms_key" "wrong" {\n  policy = "{\\"Statement\\": [{\\"Effect\\": \\"allow\\"}]}"\n}\n'
    owners = ArnIndex(AwsAttributes(plan_of(tmp_path, source)))
    (policy,) = owners.policies(Unknown("aws_kms_key.wrong.arn"), ACCOUNT, "kms:Decrypt")
    assert ((), "aws_kms_key.wrong") == (policy.clauses, policy.name)
    assert policy.refused is not None
    assert "Statement.0: a statement has Action or NotAction" == policy.refused.reason
    assert "main.tf:2" in str(policy.refused.place)
