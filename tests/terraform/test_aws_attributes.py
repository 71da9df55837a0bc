"""What AWS's attributes will look like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infraspec.core.unknown import Character, JsonText, Sensitive, Text, Unknown, Value, characters, concatenate, render
from infraspec.terraform.aws_attributes import AwsAttributes, narrow, parameter_path
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of as evaluated
from tests.whole_results import Transcript

UUID = "aws_kms_key.x.key_id"


def plan_of(address: str, values: dict[str, Value], provider: str = "aws", **fields: Value) -> Plan:
    """Build a plan of one resource in eu-west-1 of 111122223333."""
    mode = "data" if address.startswith("data.") else "managed"
    type_, name = re.sub(r"\[.*", "", address.removeprefix("data.")).split(".")
    resource = Resource(address, mode, type_, name, None, "", values, provider)
    where = {"account": "111122223333", "region": "eu-west-1", "regions": {"aws.us": "us-east-1"}, **fields}
    return Plan("test", [resource], **where)


CASES: list[tuple[str, dict[str, Value], str, str]] = [
    # resource, values, attribute, what it will look like (? is one character)
    ("aws_secretsmanager_secret.x", {"name": "db"}, "arn", "secretsmanager:eu-west-1:111122223333:secret:db-??????"),
    ("aws_secretsmanager_secret.x", {"name": "db"}, "id", "secretsmanager:eu-west-1:111122223333:secret:db-??????"),
    ("aws_secretsmanager_secret.x", {"name_prefix": "a-"}, "arn",
     "secretsmanager:eu-west-1:111122223333:secret:a-${aws_secretsmanager_secret.x.name after its prefix}-??????"),
    ("aws_secretsmanager_secret.x", {}, "arn",
     "secretsmanager:eu-west-1:111122223333:secret:${aws_secretsmanager_secret.x.name}-??????"),
    ("aws_ssm_parameter.x", {"name": "/a/b"}, "arn", "ssm:eu-west-1:111122223333:parameter/a/b"),
    ("aws_ssm_parameter.x", {"name": "a"}, "arn", "ssm:eu-west-1:111122223333:parameter/a"),
    ("aws_iam_role.x", {"name": "r"}, "arn", "iam::111122223333:role/r"),
    ("aws_iam_role.x", {"name": "r", "path": "/p/"}, "arn", "iam::111122223333:role/p/r"),
    ("aws_iam_role.x", {"name": "r", "path": None}, "arn", "iam::111122223333:role/r"),
    ("aws_iam_policy.x", {"name": "p"}, "arn", "iam::111122223333:policy/p"),
    ("aws_cloudwatch_log_group.x", {"name": "/ecs/a"}, "arn", "logs:eu-west-1:111122223333:log-group:/ecs/a"),
    ("aws_ecr_repository.x", {"name": "a/b"}, "arn", "ecr:eu-west-1:111122223333:repository/a/b"),
    ("aws_s3_bucket.x", {"bucket": "b"}, "arn", "s3:::b"),
    ("aws_s3_object.x", {"bucket": "b", "key": "k"}, "arn", "s3:::b/k"),
    ("aws_kms_key.x", {}, "arn", f"kms:eu-west-1:111122223333:key/${{{UUID}}}"),
    ("aws_kms_alias.x", {"name": "alias/a"}, "arn", "kms:eu-west-1:111122223333:alias/a"),
    ("aws_sns_topic.x", {"name": "t"}, "arn", "sns:eu-west-1:111122223333:t"),
    ("aws_sqs_queue.x", {"name": "q"}, "arn", "sqs:eu-west-1:111122223333:q"),
    ("aws_dynamodb_table.x", {"name": "t"}, "arn", "dynamodb:eu-west-1:111122223333:table/t"),
    ("data.aws_secretsmanager_secret.x", {"name": "d"}, "arn", "secretsmanager:eu-west-1:111122223333:secret:d-??????"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "values", "attribute", "expected"), CASES)
def test_arns(address: str, values: dict[str, Value], attribute: str, expected: str) -> None:
    """The ARN of a resource that does not exist yet is known but for what AWS chooses."""
    assert f"arn:aws:{expected}" == render(narrow(plan_of(address, values), Unknown(f"{address}.{attribute}")))


@pytest.mark.parametrize(
    ("address", "values", "attribute", "expected"),
    [
        ("aws_ecr_repository.x", {"name": "a"}, "repository_url", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a"),
        ("aws_s3_bucket.x", {"bucket": "b"}, "id", "b"),
        ("aws_kms_key.x", {}, "key_id", Unknown(UUID)),
        ("aws_sqs_queue.x", {"name": "q"}, "url", "https://sqs.eu-west-1.amazonaws.com/111122223333/q"),
        ("data.aws_caller_identity.x", {}, "account_id", "111122223333"),
        ("data.aws_region.x", {}, "name", "eu-west-1"),
        ("data.aws_partition.x", {}, "partition", "aws"),
        ("data.aws_secretsmanager_secret.x", {}, "arn", Unknown("data.aws_secretsmanager_secret.x.arn")),
        ("aws_db_instance.x", {}, "endpoint", Unknown("aws_db_instance.x.endpoint")),
        ("aws_secretsmanager_secret.x", {"arn": "arn:known"}, "arn", "arn:known"),
        ("aws_secretsmanager_secret.x", {"name": Sensitive("var.n", "s3cret")}, "name", Sensitive("var.n", "s3cret")),
    ],
)
def test_other_attributes(address: str, values: dict[str, Value], attribute: str, expected: Value) -> None:
    """Names, ids and data sources are narrowed where they are certain, and stay unknown where not."""
    assert expected == narrow(plan_of(address, values), Unknown(f"{address}.{attribute}"))


SOURCE = """
provider "aws" { region = "eu-west-1" }
provider "aws" {
  alias  = "us"
  region = "us-east-1"
}
variable "name" {}
resource "aws_secretsmanager_secret" "db" { name = "db" }
resource "aws_iam_role" "app" {
  name = "app"
  path = "/team/"
}
resource "aws_iam_policy" "own" { name = "own" }
resource "aws_kms_key" "main" {}
resource "aws_kms_alias" "main" {
  name          = "alias/main"
  target_key_id = aws_kms_key.main.key_id
}
resource "aws_lb" "app" { load_balancer_type = "network" }
resource "aws_lb" "plain" {}
resource "aws_lb_listener" "app" { load_balancer_arn = aws_lb.app.arn }
resource "aws_lb_listener" "plain" { load_balancer_arn = aws_lb.plain.arn }
resource "aws_lb_listener" "elsewhere" { load_balancer_arn = var.name }
resource "aws_db_instance" "main" {
  identifier                  = "main"
  manage_master_user_password = true
}
resource "aws_sns_topic" "there" {
  name   = "there"
  region = "us-west-2"
}
resource "aws_ecr_repository" "app" { name = "app" }
resource "aws_ecr_repository_policy" "app" { repository = aws_ecr_repository.app.name }
data "aws_secretsmanager_secret" "here" { name = "db" }
data "aws_secretsmanager_secret" "there" {
  provider = aws.us
  name     = "db"
}
data "aws_secretsmanager_secret" "other" { name = "other" }
data "aws_secretsmanager_secret" "again" { name = "other" }
data "aws_secretsmanager_secret" "any" { name = var.name }
data "aws_secretsmanager_secret_version" "here" { secret_id = data.aws_secretsmanager_secret.here.id }
data "aws_secretsmanager_secret_version" "any" { secret_id = var.name }
data "aws_iam_role" "here" { name = "app" }
data "aws_iam_role" "other" { name = "other" }
data "aws_iam_policy" "here" { name = "own" }
data "aws_iam_policy" "aws" { name = "ReadOnlyAccess" }
data "aws_iam_policy" "other" { name = "other" }
data "aws_kms_key" "by_alias" { key_id = "alias/main" }
data "aws_kms_key" "by_attribute" { key_id = aws_kms_alias.main.name }
data "aws_kms_key" "by_id" { key_id = aws_kms_key.main.key_id }
data "aws_kms_key" "other" { key_id = "alias/other" }
data "aws_ecs_task_definition" "app" { task_definition = "app" }
data "aws_ecs_task_definition" "third" { task_definition = "app:3" }
data "aws_ecs_task_definition" "any" { task_definition = var.name }
data "aws_ecr_repository" "own" { name = "app" }
data "aws_ecr_repository" "theirs" {
  name        = "app"
  registry_id = "444455556666"
}
locals {
  upper = upper(aws_iam_role.app.arn)
  split = split("/", aws_iam_role.app.arn)[1]
  mixed = join("-", [aws_iam_role.app.arn, var.name])
  fails = substr(aws_kms_key.main.arn, 0, 60)
  after = replace(aws_kms_key.main.arn, var.name, "x")
}
"""
ASKED = [
    *(f"aws_lb_listener.{name}.arn" for name in ("app", "plain", "elsewhere")),
    "aws_db_instance.main.master_user_secret[0].secret_arn", "aws_sns_topic.there.arn", "aws_ecr_repository.app.arn",
    "aws_ecr_repository.app.registry_id", "aws_kms_alias.main.target_key_arn", "aws_kms_alias.main.arn",
    *(f"data.aws_secretsmanager_secret.{name}.arn" for name in ("here", "there", "other", "again", "any")),
    *(f"data.aws_secretsmanager_secret_version.{name}.arn" for name in ("here", "any")),
    "data.aws_iam_role.here.arn", "data.aws_iam_role.other.arn",
    *(f"data.aws_iam_policy.{name}.arn" for name in ("here", "aws", "other")),
    *(f"data.aws_kms_key.{name}.arn" for name in ("by_alias", "by_attribute", "by_id", "other")),
    *(f"data.aws_ecs_task_definition.{name}.{part}" for name in ("app", "third", "any") for part in ("arn", "family")),
    "data.aws_ecr_repository.own.arn", "data.aws_ecr_repository.own.repository_url",
    "data.aws_ecr_repository.theirs.arn", "data.aws_ecr_repository.theirs.repository_url",
    *(f"local.{name}" for name in ("upper", "split", "mixed", "fails", "after")),
]  # fmt: skip


def test_attributes_of_one_plan(tmp_path: Path, transcript: Transcript) -> None:
    """What is looked up is what the plan makes under that name there, else what its name tells of it."""
    outputs = "".join(f'output "o{number}" {{ value = {name} }}\n' for number, name in enumerate(ASKED))
    known = KnownData.of({}, account="111122223333")
    plan = evaluated(tmp_path, SOURCE + outputs, known=known)
    attributes = AwsAttributes(plan)
    found = [attributes.narrow(plan.outputs[f"o{number}"]) for number in range(len(ASKED))]
    transcript(["\n".join(f"{name} = {render(value)}" for name, value in zip(ASKED, found, strict=True))])
    assert attributes.region_of(plan.by_address["aws_sns_topic.there"]) == "us-west-2"


def test_the_suffix_keeps_its_identity() -> None:
    """The unknown characters of one secret are equal to themselves and to no other's."""
    address = "aws_secretsmanager_secret.x"
    arn = narrow(plan_of(address, {"name": "db"}), Unknown(f"{address}.arn"))
    assert (
        concatenate(["arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-", characters(f"{address}.arn", 6)])
        == arn
    )
    assert Character("a", 0) != Character("b", 0)
    assert Character("a", 0) != Unknown("a")
    assert Unknown("a") != Character("a", 0)


def test_parts_of_text_are_narrowed() -> None:
    """An unknown inside text is narrowed in its place; text that then is known is str."""
    plan = plan_of("aws_s3_bucket.x", {"bucket": "b"})
    assert narrow(plan, Text((Unknown("aws_s3_bucket.x.arn"), "/*"))) == "arn:aws:s3:::b/*"
    tree = JsonText({"a": Unknown("aws_s3_bucket.x.arn")})
    assert tree is narrow(plan, tree)


def test_another_provider_is_another_region_and_perhaps_another_account() -> None:
    """A resource of an aliased provider has that provider's region, and an account that is not taken for known."""
    address = "aws_sns_topic.x"
    arn = narrow(plan_of(address, {"name": "t"}, "aws.us"), Unknown(f"{address}.arn"))
    assert render(arn) == "arn:aws:sns:us-east-1:${aws_caller_identity.account_id (aws.us)}:t"
    caller = plan_of("data.aws_caller_identity.x", {}, "aws.us")
    unknown = narrow(caller, Unknown("data.aws_caller_identity.x.account_id"))
    assert Unknown("aws_caller_identity.account_id (aws.us)") == unknown


def test_what_depends_on_itself_stays_unknown() -> None:
    """A name that refers to its own resource's ARN does not loop."""
    address = "aws_sns_topic.x"
    plan = plan_of(address, {"name": Unknown(f"{address}.arn")})
    assert f"arn:aws:sns:eu-west-1:111122223333:${{{address}.arn}}" == render(
        AwsAttributes(plan).narrow(Unknown(f"{address}.arn"))
    )


@pytest.mark.parametrize("mode", ["", "data."])
def test_a_secret_version_has_the_arn_of_its_secret(mode: str) -> None:
    """The ARN of a version is that of the secret, whether it is made or read."""
    secret = plan_of("aws_secretsmanager_secret.x", {"name": "db"}).resources
    version = plan_of(
        f"{mode}aws_secretsmanager_secret_version.x", {"secret_id": Unknown("aws_secretsmanager_secret.x.id")}
    )
    both = version.replaced(resources=[*secret, *version.resources])
    attributes = AwsAttributes(both)
    expected = attributes.narrow(Unknown("aws_secretsmanager_secret.x.arn"))
    assert expected == attributes.narrow(Unknown(f"{mode}aws_secretsmanager_secret_version.x.arn"))


def test_parameter_paths() -> None:
    """A parameter's path has one slash; that of a name that begins unknown is unknown."""
    assert [parameter_path("a"), parameter_path("/a")] == ["parameter/a", "parameter/a"]
    assert render(parameter_path(Unknown("var.x"))) != "parameter/${var.x}"
