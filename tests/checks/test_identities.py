"""What a text names: the role or policy of that partition, account, path and name, or none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.resource_types.managed_policies import managed_policies
from tests.checks.access_cases import ACCOUNT, OTHER_ACCOUNT
from tests.terraform.sources import plan_of

BASE = """
provider "aws" { region = "REGION" }
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
variable "given" {}
locals {
  trust = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }
  ] })
  read = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
}
resource "aws_secretsmanager_secret" "card" { name = "billing/card" }
resource "aws_iam_role" "runner" {
  name               = "billing-runner"
  path               = "/billing/"
  assume_role_policy = local.trust
}
resource "aws_iam_policy" "card" {
  name   = "billing-card"
  path   = "/billing/"
  policy = local.read
}
resource "aws_iam_role_policy_attachment" "card" {
  role       = HOLDER
  policy_arn = POLICY
}
resource "aws_ecs_task_definition" "billing" {
  family                   = "billing"
  execution_role_arn       = ROLE
  requires_compatibilities = ["FARGATE"]
  container_definitions = jsonencode([{
    name    = "billing"
    image   = "public.ecr.aws/billing/billing:1"
    secrets = [{ name = "CARD", valueFrom = aws_secretsmanager_secret.card.arn }]
  }])
}
MORE
"""
P, V, U = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
IAM = f"arn:aws:iam::{ACCOUNT}"
DATA_ROLE = '\ndata "aws_iam_role" "it" {\n  name = "billing-runner"\n}\n'
DATA_POLICY = '\ndata "aws_iam_policy" "it" {\n  ARGUMENT\n}\n'


def findings(directory: Path, account: str = ACCOUNT, **parts: str) -> list[Finding]:
    """Judge the source with some parts in place of those that name what is there."""
    given = {
        "REGION": "eu-west-1",
        "HOLDER": "aws_iam_role.runner.name",
        "POLICY": "aws_iam_policy.card.arn",
        "ROLE": "aws_iam_role.runner.arn",
        "MORE": "",
    } | parts
    source = BASE
    for name, text in given.items():
        source = source.replace(name, text)
    environment = {"account_id": account} if account else {}
    contract = Contract.model_validate({"project": {"application": "billing"}, "environments": {"prod": environment}})
    plan = plan_of(directory, source)
    return check_secret_access(plan, task_definitions(plan), contract, "prod")


ROLES = {
    "its attribute": ("aws_iam_role.runner.arn", P),
    "its ARN": (f'"{IAM}:role/billing/billing-runner"', P),
    "its ARN, put together": (
        '"arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:role/billing/${aws_iam_role.runner.name}"',
        P,
    ),
    "no path": (f'"{IAM}:role/billing-runner"', V),
    "another path": (f'"{IAM}:role/other/billing-runner"', V),
    "a longer path": (f'"{IAM}:role/x/billing/billing-runner"', V),
    "another partition": (f'"arn:aws-cn:iam::{ACCOUNT}:role/billing/billing-runner"', V),
    "another account": (f'"arn:aws:iam::{OTHER_ACCOUNT}:role/billing/billing-runner"', V),
    "letters of another case": (f'"{IAM}:role/Billing/billing-runner"', V),
    "another name": (f'"{IAM}:role/billing/runner"', U),
    "a region": (f'"arn:aws:iam:eu-west-1:{ACCOUNT}:role/billing/billing-runner"', V),
    "a path that is not known": (f'"{IAM}:role/${{var.given}}/billing-runner"', U),
    "an account that is not known": ('"arn:aws:iam::${var.given}:role/billing/billing-runner"', U),
    "an account that nobody says": (
        '"arn:aws:iam::${data.aws_caller_identity.this.account_id}:role/billing/billing-runner"',
        P,
    ),
}


@pytest.mark.parametrize("account", [ACCOUNT, ""], ids=["known", "unknown"])
@pytest.mark.parametrize(("role", "expected"), ROLES.values(), ids=ROLES)
def test_a_role_is_named_by_its_whole_arn(tmp_path: Path, role: str, expected: Verdict, account: str) -> None:
    """An ARN with another path, partition or account is not that of the role that has its name."""
    found = findings(tmp_path, account, ROLE=role)
    if not account and (OTHER_ACCOUNT in role or "${var.given}:" in role):
        expected = P  # where nobody says the account, it is not told that it is another one
    assert {expected} == {one.verdict for one in found}
    if expected is V and OTHER_ACCOUNT not in role:
        assert "aws_iam_role.runner" in found[0].found
        assert found[0].remedy == "set it to aws_iam_role.runner.arn"


@pytest.mark.parametrize(
    "role",
    [
        "aws_iam_role.runner.name",
        "aws_iam_role.runner.id",
        '"billing-runner"',
        f'"{IAM}:user/billing-runner"',
        f'"arn:aws:sts::{ACCOUNT}:assumed-role/billing-runner/session"',
    ],
)
def test_a_task_definition_names_a_role_by_its_arn(tmp_path: Path, role: str) -> None:
    """A name, or the ARN of something else, is one finding: Terraform or ECS refuses it."""
    (finding,) = findings(tmp_path, ROLE=role)
    assert V is finding.verdict


def test_empty_text_is_no_role(tmp_path: Path) -> None:
    """An older state writes a role that is not set as empty text: it has no role, and no wrong name of one."""
    assert {"the task definition has no execution role"} == {one.found for one in findings(tmp_path, ROLE='""')}


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        ("aws_iam_role.runner.id", P),
        ('"billing-runner"', P),
        ("aws_iam_role.runner.arn", V),
        (f'"{IAM}:role/billing/billing-runner"', V),
    ],
)
def test_an_attachment_names_a_role_by_its_name(tmp_path: Path, holder: str, expected: Verdict) -> None:
    """IAM takes no ARN for the name of a role, so nothing is attached, and the finding says so."""
    finding = next(one for one in findings(tmp_path, HOLDER=holder) if "GetSecretValue" in one.subject)
    assert expected is finding.verdict
    if expected is V:
        assert "aws_iam_role_policy_attachment.card names its role by an ARN" in finding.reason
        assert "name aws_iam_role.runner.name instead" in finding.remedy


def test_a_data_source_of_a_role_of_the_plan_is_that_role(tmp_path: Path) -> None:
    """A name is one in an account: what is looked up by it is what the plan makes."""
    found = findings(tmp_path, ROLE="data.aws_iam_role.it.arn", HOLDER="data.aws_iam_role.it.name", MORE=DATA_ROLE)
    assert {P} == {one.verdict for one in found}


AWS = "arn:aws:iam::aws:policy"
POLICIES = {
    "its attribute": ("aws_iam_policy.card.arn", "", P),
    "its ARN": (f'"{IAM}:policy/billing/billing-card"', "", P),
    "its ARN, put together": (
        '"arn:aws:iam::${data.aws_caller_identity.this.account_id}:policy${aws_iam_policy.card.path}${aws_iam_policy.card.name}"',
        "",
        P,
    ),
    "no path": (f'"{IAM}:policy/billing-card"', "aws_iam_policy.card", V),
    "another path": (f'"{IAM}:policy/cards/billing-card"', "aws_iam_policy.card", V),
    "another account": (f'"arn:aws:iam::{OTHER_ACCOUNT}:policy/billing/billing-card"', ACCOUNT, V),
    "another partition": (f'"arn:aws-us-gov:iam::{ACCOUNT}:policy/billing/billing-card"', "partition aws", V),
    "another name": (f'"{IAM}:policy/billing/card"', "", U),
    "AWS's": (f'"{AWS}/SecretsManagerReadWrite"', "", P),
    "AWS's in another place": (f'"{AWS}/service-role/SecretsManagerReadWrite"', "can be attached", V),
    "AWS's, taken for the own": (f'"{IAM}:policy/SecretsManagerReadWrite"', "", U),
    "AWS's in another account": (f'"arn:aws:iam::{OTHER_ACCOUNT}:policy/SecretsManagerReadWrite"', ACCOUNT, V),
    "AWS's in another partition": ('"arn:aws-cn:iam::aws:policy/SecretsManagerReadWrite"', "partition aws", V),
    "AWS's without what is needed": (f'"{AWS}/service-role/AmazonECSTaskExecutionRolePolicy"', "", V),
    "AWS's for services": (f'"{AWS}/aws-service-role/AmazonECSServiceRolePolicy"', "can be attached", V),
    "AWS's that nobody knows yet": (f'"{AWS}/SomethingNewer"', "", U),
}


@pytest.mark.parametrize(("policy", "named", "expected"), POLICIES.values(), ids=POLICIES)
def test_a_policy_is_named_by_its_whole_arn(tmp_path: Path, policy: str, named: str, expected: Verdict) -> None:
    """An ARN that no policy can have there gives nothing, and the finding says which one was meant."""
    finding = next(one for one in findings(tmp_path, POLICY=policy) if "GetSecretValue" in one.subject)
    assert expected is finding.verdict
    assert named in finding.reason


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ('name = "billing-card"', P),
        (f'arn = "{IAM}:policy/billing/billing-card"', P),
        (f'arn = "{IAM}:policy/billing-card"', V),
        ('name = "SecretsManagerReadWrite"', P),
        (f'arn = "{AWS}/SecretsManagerReadWrite"', P),
        ('name = "AmazonECSTaskExecutionRolePolicy"', V),
        ('name = "unheard-of"', U),
    ],
)
def test_a_data_source_of_a_policy(tmp_path: Path, argument: str, expected: Verdict) -> None:
    """What is looked up by name or ARN is the policy of the plan, or of AWS, that has it."""
    more = DATA_POLICY.replace("ARGUMENT", argument)
    found = findings(tmp_path, POLICY="data.aws_iam_policy.it.arn", MORE=more)
    assert expected is next(one.verdict for one in found if "GetSecretValue" in one.subject)


KEY = """
resource "aws_kms_key" "card" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "PRINCIPAL" } }
  ] })
}
resource "aws_iam_role_policy" "key" {
  name   = "key"
  role   = aws_iam_role.runner.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.card.arn }
  ] })
}
resource "aws_secretsmanager_secret" "card" {
  name       = "billing/card"
  kms_key_id = aws_kms_key.card.arn
}
"""


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("${aws_iam_role.runner.arn}", P),
        (f"{IAM}:role/billing/billing-runner", P),
        (f"{IAM}:role/billing-runner", V),
        (f"{IAM}:role/other/billing-runner", V),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/billing/billing-runner", V),
        (f"{IAM}:root", P),
        (ACCOUNT, P),
        (f"arn:aws-cn:iam::{ACCOUNT}:root", V),
        (f"arn:aws:iam::{OTHER_ACCOUNT}:root", V),
    ],
)
def test_a_principal_is_named_by_its_whole_arn(tmp_path: Path, principal: str, expected: Verdict) -> None:
    """The policy of a key that names a role with another path, or an account of another partition, lets nobody in."""
    source = KEY.replace("PRINCIPAL", principal)
    plain = 'resource "aws_secretsmanager_secret" "card" { name = "billing/card" }'
    found = findings(tmp_path, **{plain: "", "MORE": source})
    assert expected is next(one.verdict for one in found if "kms:Decrypt" in one.subject)


GIVEN = """
data "aws_secretsmanager_secret" "NAME" {
  name = "FOUND"
}
"""
READS = """
resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.runner.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = RESOURCE }
  ] })
}
"""
LISTED, ASKED = "data.aws_secretsmanager_secret.listed.arn", "data.aws_secretsmanager_secret.asked.arn"


@pytest.mark.parametrize(
    ("listed", "asked", "resource", "expected"),
    [
        ("stock/api", "stock/api", LISTED, P),
        ("stock/api", "stock/apis", LISTED, V),
        ("${var.given}", "${var.given}", LISTED, P),
        ("${var.given}", "stock/api", LISTED, U),
        ("stock/api", "billing/card", "aws_secretsmanager_secret.card.arn", P),
    ],
)
def test_what_asks_the_same_is_the_same(
    tmp_path: Path, listed: str, asked: str, resource: str, expected: Verdict
) -> None:
    """Two data sources of one question are one object, which is that of the plan where the plan makes it."""
    more = GIVEN.replace("NAME", "listed").replace("FOUND", listed)
    more += GIVEN.replace("NAME", "asked").replace("FOUND", asked) + READS.replace("RESOURCE", resource)
    parts = {"valueFrom = aws_secretsmanager_secret.card.arn": f"valueFrom = {ASKED}", "MORE": more}
    found = findings(tmp_path, POLICY=f'"{AWS}/AmazonSQSFullAccess"', **parts)
    assert expected is next(one.verdict for one in found if "GetSecretValue" in one.subject)


SERVICE = """
data "aws_ecs_task_definition" "newest" {
  task_definition = aws_ecs_task_definition.billing.family
}
resource "aws_ecs_service" "billing" {
  name                   = "billing"
  task_definition        = REVISION
  enable_execute_command = true
}
"""


@pytest.mark.parametrize(
    "revision",
    [
        "data.aws_ecs_task_definition.newest.arn",
        "aws_ecs_task_definition.billing.arn",
        '"${data.aws_ecs_task_definition.newest.family}:${data.aws_ecs_task_definition.newest.revision}"',
    ],
)
def test_the_newest_revision_of_a_family_of_the_plan(tmp_path: Path, revision: str) -> None:
    """A service that runs what a data source reads of a family asks for what that task definition needs."""
    found = findings(tmp_path, MORE=SERVICE.replace("REVISION", revision))
    assert "ECS Exec" in " ".join(one.subject for one in found)
    assert not any("is unknown" in one.found and one.address == "aws_ecs_service.billing" for one in found)


def test_the_text_of_aws_is_of_a_date() -> None:
    """The data says when it was true, and when that is too long ago to rely on."""
    known = managed_policies()
    assert not known.is_old(known.date + dt.timedelta(days=365))
    assert known.is_old(known.date + dt.timedelta(days=366))
    assert sum(bool(bytes(one.document)) for one in known.policies.values()) >= 1000


MAYBE = """
variable "many" {}
resource "aws_iam_role" "other" {
  count              = var.many
  name               = "billing-other"
  path               = "/x/"
  assume_role_policy = local.trust
}
"""


def test_a_role_that_may_not_be_there_names_nothing(tmp_path: Path) -> None:
    """Where the role of the plan that has the name may not be made, another one may have the ARN."""
    (trust, *_) = findings(tmp_path, ROLE=f'"{IAM}:role/billing-other"', MORE=MAYBE)
    assert U is trust.verdict
