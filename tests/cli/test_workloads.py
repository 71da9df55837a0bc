"""A repository that has no service on ECS, from `infraspec init` to verdicts of access, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.sources import write

TRUST = """
resource "aws_iam_role" "own" {
  name               = "shop-prod-own"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "SERVICE.amazonaws.com" } }]
  })
}
"""
FUNCTIONS = """
resource "aws_sqs_queue" "dead" {
  name = "shop-prod-dead"
}
resource "aws_lambda_function" "report" {
  function_name = "shop-prod-report"
  role          = aws_iam_role.own.arn
  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }
}
"""
SCHEDULES = """
resource "aws_ecs_task_definition" "job" {
  family                = "shop-prod-job"
  network_mode          = "awsvpc"
  container_definitions = jsonencode([{ name = "job", image = "public.ecr.aws/x/job:1" }])
}
resource "aws_scheduler_schedule" "nightly" {
  name                = "shop-prod-nightly"
  schedule_expression = "rate(1 day)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop"
    role_arn = aws_iam_role.own.arn
    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.job.arn
    }
  }
}
"""
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
CASES = {
    "functions": (FUNCTIONS, "lambda", "function-access", "sqs:SendMessage", "1 function from"),
    "schedules": (SCHEDULES, "scheduler", "task-access", "network of the task", "1 schedule from"),
}


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run infraspec in a directory."""
    command = [sys.executable, "-m", "infraspec", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", CASES)
def test_a_repository_without_services_gets_verdicts_of_access(tmp_path: Path, name: str) -> None:
    """Init writes its contract, one run has verdicts about its roles, doctor counts what it has, explain knows it."""
    source, service, rule, asked, counted = CASES[name]
    write(tmp_path, {"main.tf": PROVIDER + TRUST.replace("SERVICE", service) + source})

    assert run(tmp_path, "init").returncode == 0
    checked = run(tmp_path, "check", "--", "-n", "0", "-p", "no:cacheprovider")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    refused = [line for line in checked.stdout.splitlines() if f"VIOLATED {rule}" in line and asked in line]
    assert 1 == len(refused)
    assert counted in run(tmp_path, "doctor").stdout

    workload = "aws_lambda_function.report" if name == "functions" else "aws_scheduler_schedule.nightly"
    explained = run(tmp_path, "explain", "--role", workload, "--action", "sqs:SendMessage", "--resource", "*")
    assert explained.returncode == 1
    assert "aws_iam_role.own" in explained.stdout


def test_explain_asks_which_of_two_roles_is_meant(tmp_path: Path) -> None:
    """A task definition has two roles, so that its address does not say which one is asked about."""
    roles = TRUST.replace("SERVICE", "ecs-tasks") + TRUST.replace('"own"', '"other"').replace("-own", "-other")
    task = SCHEDULES.partition('resource "aws_scheduler')[0].replace(
        '  network_mode          = "awsvpc"',
        "  execution_role_arn = aws_iam_role.own.arn\n  task_role_arn = aws_iam_role.other.arn",
    )
    write(tmp_path, {"main.tf": PROVIDER + roles + task})
    run(tmp_path, "init")
    asked = ("--action", "sqs:SendMessage", "--resource", "*")
    explained = run(tmp_path, "explain", "--role", "aws_ecs_task_definition.job", *asked)
    assert explained.returncode == 2
    assert "aws_ecs_task_definition.job has 2 roles" in explained.stderr
