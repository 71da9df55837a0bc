"""Roles and policies that another configuration makes: what is known of them here, and what makes them known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {"root": "."}}})
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}
TASK = """
provider "aws" {
  region = "eu-west-1"
}

resource "aws_cloudwatch_log_group" "app" {
  name = "/ecs/app"
}

resource "aws_ecs_task_definition" "app" {
  family             = "app"
  network_mode       = "awsvpc"
  execution_role_arn = ROLE.arn
  container_definitions = jsonencode([{
    name  = "app"
    image = "public.ecr.aws/nginx/nginx:1.27"
    logConfiguration = {
      logDriver = "awslogs"
      options   = { "awslogs-group" = aws_cloudwatch_log_group.app.name, "awslogs-region" = "eu-west-1" }
    }
  }])
}
"""
READ_ROLE = TASK.replace("ROLE", "data.aws_iam_role.shared") + 'data "aws_iam_role" "shared" {\n  name = "shared"\n}\n'
OWN_ROLE = (
    TASK.replace("ROLE", "aws_iam_role.own")
    + f"""
variable "path" {{
  type = string
}}

resource "aws_iam_role" "own" {{
  name               = "own"
  path               = var.path
  assume_role_policy = jsonencode({json.dumps(TRUST)})
}}

resource "aws_iam_role_policy_attachment" "logs" {{
  role       = aws_iam_role.own.name
  policy_arn = POLICY_ARN
}}
"""
)
LITERAL = '"arn:aws:iam::111122223333:policy/team/logs"'


def verdicts(tmp_path: Path, source: str, known: dict[str, Any]) -> dict[str, Verdict]:
    """Return the verdict of each subject of the task definition."""
    values = {key: json.dumps(value) for key, value in known.items()}
    plan = plan_of(tmp_path, source, known=KnownData.of(values, account="111122223333"))
    found = {
        finding.subject: finding.verdict
        for finding in check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    }
    return {subject.rpartition(" ")[2]: verdict for subject, verdict in found.items()}


def test_a_role_that_a_data_source_reads_may_do_anything(tmp_path: Path) -> None:
    """What the role of a data source may do is not known, and so is no violation."""
    assert set(verdicts(tmp_path, READ_ROLE, {}).values()) == {Verdict.UNDETERMINED}


def test_a_trust_policy_can_be_told(tmp_path: Path) -> None:
    """The trust policy of a role that a data source reads is what the contract says."""
    found = verdicts(tmp_path, READ_ROLE, {"aws_iam_role.shared.assume_role_policy": TRUST})
    assert found["ecs-tasks.amazonaws.com"] is Verdict.PROVEN


@pytest.mark.parametrize(
    "policy",
    [
        ("data.aws_iam_policy.logs.arn", 'name = "logs"'),
        (LITERAL, 'name = "logs"'),
        (LITERAL, f"arn = {LITERAL}"),
    ],
    ids=["by the data source", "by an ARN with its name", "by its ARN"],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_policy_that_a_data_source_reads_can_be_told(tmp_path: Path, policy: tuple[str, str], *, told: bool) -> None:
    """What such a policy allows is what the contract says, however it is attached; a path changes nothing."""
    arn, argument = policy
    source = OWN_ROLE.replace("POLICY_ARN", arn) + f'data "aws_iam_policy" "logs" {{\n  {argument}\n}}\n'
    found = verdicts(tmp_path, source, {"aws_iam_policy.logs.policy": POLICY} if told else {})
    assert found == {
        "ecs-tasks.amazonaws.com": Verdict.PROVEN,
        "logs:CreateLogStream": Verdict.PROVEN if told else Verdict.UNDETERMINED,
        "logs:PutLogEvents": Verdict.PROVEN if told else Verdict.UNDETERMINED,
    }
