"""Jobs of AWS Batch: their roles are judged as those of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.workload_access import check_workload_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from tests.terraform.sources import plan_of

PLACE = {"account_id": "111122223333", "region": "eu-west-1"}
CONTRACT = Contract.model_validate({"project": {"application": "jobs"}, "environments": {"prod": PLACE}})
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
JOB = """
provider "aws" {
  region = "eu-west-1"
}
resource "aws_secretsmanager_secret" "login" {
  name = "login"
}
resource "aws_iam_role" "start" {
  name               = "start"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "%s.amazonaws.com" }
  }] })
}
resource "aws_iam_role_policy" "start" {
  role   = aws_iam_role.start.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "%s"
  }] })
}
resource "aws_batch_job_definition" "nightly" {
  name                  = "nightly"
  type                  = "container"
  platform_capabilities = ["FARGATE"]
  container_properties  = %s
}
"""
PROPERTIES = """jsonencode({
    image            = "public.ecr.aws/shop/nightly:1"
    command          = ["report", "Ref::day"]
    resourceRequirements = [{ type = "VCPU", value = "1" }, { type = "MEMORY", value = "2048" }]
    fargatePlatformConfiguration = { platformVersion = "LATEST" }
    mountPoints      = [{ sourceVolume = "work", containerPath = "/work", readOnly = false }]
    volumes          = [{ name = "work", host = { sourcePath = "/work" } }]
    environment      = [{ name = "LEVEL", value = "info" }]
    %s
    secrets          = [{ name = "LOGIN", valueFrom = aws_secretsmanager_secret.login.arn }]
  })"""
WITH_ROLE = PROPERTIES % "executionRoleArn = aws_iam_role.start.arn"


def judged(directory: Path, service: str, resource: str, properties: str) -> list[Finding]:
    """Return the findings about a job."""
    plan = plan_of(directory, {"main.tf": JOB % (service, resource, properties)})
    return check_workload_access(plan, CONTRACT, "prod")


@pytest.mark.parametrize(
    ("service", "resource", "properties", "expected"),
    [
        ("ecs-tasks", "${aws_secretsmanager_secret.login.arn}", WITH_ROLE, {PROVEN}),
        ("ecs-tasks", "arn:aws:secretsmanager:*:*:secret:login-??????", WITH_ROLE, {PROVEN}),
        ("ecs-tasks", "arn:aws:secretsmanager:*:*:secret:other-??????", WITH_ROLE, {PROVEN, VIOLATED}),
        ("batch", "*", WITH_ROLE, {PROVEN, VIOLATED}),
        ("ecs-tasks", "*", PROPERTIES % "", {VIOLATED}),
        ("ecs-tasks", "*", 'file("nowhere.json")', {UNDETERMINED}),
    ],
)
def test_a_job_starts_with_its_execution_role(
    tmp_path: Path, service: str, resource: str, properties: str, expected: set[Verdict]
) -> None:
    """ECS assumes the execution role of a job and reads its secrets with it; what cannot be read is left open."""
    if "nowhere" in properties:
        properties = "data.external.properties.result.json"
    assert expected == {one.verdict for one in judged(tmp_path, service, resource, properties)}


@pytest.mark.parametrize(
    ("attribute", "wrapped"),
    [
        ("ecs_properties", "{ taskProperties = [{ executionRoleArn = %s, containers = [%s] }] }"),
        ("node_properties", "{ nodeRangeProperties = [{ container = merge({ executionRoleArn = %s }, %s) }] }"),
    ],
)
@pytest.mark.parametrize(("secret", "expected"), [("login", {PROVEN}), ("other", {PROVEN, VIOLATED})])
def test_jobs_of_several_containers_are_judged_alike(
    tmp_path: Path, attribute: str, wrapped: str, secret: str, expected: set[Verdict]
) -> None:
    """The tasks and the groups of nodes of a job have execution roles and containers of their own."""
    secrets = '[{ name = "LOGIN", valueFrom = aws_secretsmanager_secret.login.arn }]'
    container = f'{{ name = "one", image = "public.ecr.aws/shop/one:1", secrets = {secrets} }}'
    properties = f"jsonencode({wrapped % ('aws_iam_role.start.arn', container)})"
    arn = f"arn:aws:secretsmanager:*:*:secret:{secret}-??????"
    text = (JOB % ("ecs-tasks", arn, properties)).replace("container_properties ", attribute)
    found = check_workload_access(plan_of(tmp_path, {"main.tf": text}), CONTRACT, "prod")
    assert expected == {one.verdict for one in found}
