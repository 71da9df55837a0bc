"""A new user's first three commands: init, check, fix --write, in repositories with the incident and no contract."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.sources import write

PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
SERVICE = """
resource "aws_secretsmanager_secret" "db" {
  name = "PREFIX-db"
}

resource "aws_secretsmanager_secret" "api" {
  name = "PREFIX-api"
}

resource "aws_cloudwatch_log_group" "app" {
  name = "/ecs/PREFIX"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "PREFIX-execution"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secrets" {
  name   = "PREFIX-secrets"
  role   = aws_iam_role.execution.id
  policy = POLICY
}

resource "aws_ecs_task_definition" "app" {
  family                   = "PREFIX"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name      = "app"
    image     = "public.ecr.aws/nginx/nginx:1.27"
    essential = true
    secrets = [
      { name = "DB", valueFrom = aws_secretsmanager_secret.db.arn },
      { name = "API", valueFrom = aws_secretsmanager_secret.api.arn },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.app.name
        "awslogs-region"        = "eu-west-1"
        "awslogs-stream-prefix" = "app"
      }
    }
  }])
}
"""
ENCODED = """jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.db.arn
    }]
  })"""
DOCUMENT = """
data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.db.arn]
  }
}
"""
VARIABLE = 'variable "environment" {\n  type = string\n}\n'


def service(prefix: str, policy: str = ENCODED) -> str:
    """Return a service whose execution role may not read one of its secrets."""
    return SERVICE.replace("PREFIX", prefix).replace("POLICY", policy)


CALL = PROVIDER + 'module "app" {\n  source      = "../../modules/app"\n  environment = "%s"\n}\n'
REPOSITORIES = {
    "one root": ({"main.tf": PROVIDER + service("shop")}, ["main"]),
    "a module of two roots": (
        {
            "envs/dev/main.tf": CALL % "dev",
            "envs/prod/main.tf": CALL % "prod",
            "modules/app/main.tf": VARIABLE + service("shop-${var.environment}"),
        },
        ["dev", "prod"],
    ),
    "variable files": (
        {
            "main.tf": PROVIDER
            + VARIABLE
            + DOCUMENT
            + service("shop-${var.environment}", "data.aws_iam_policy_document.secrets.json"),
            "dev.tfvars": 'environment = "dev"\n',
            "prod.tfvars": 'environment = "prod"\n',
        },
        ["dev", "prod"],
    ),
}


def infraspec(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a repository."""
    command = [sys.executable, "-m", "infraspec", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_three_commands_lead_to_the_fix(name: str, tmp_path: Path) -> None:
    """Init and check find the incident; fix writes the patch and checks again, and a second check agrees."""
    files, environments = REPOSITORIES[name]
    write(tmp_path, files)

    assert 0 == infraspec(tmp_path, "init").returncode
    found = infraspec(tmp_path, "check")
    assert 1 == found.returncode
    assert 'container "app", secret "API": secretsmanager:GetSecretValue' in found.stdout
    fixed = infraspec(tmp_path, "fix", "--write")
    assert (0, "") == (fixed.returncode, fixed.stderr)
    assert f"({', '.join(environments)})" in fixed.stdout
    assert "checked again: nothing violated" in fixed.stdout
    proven = infraspec(tmp_path, "check")
    assert 0 == proven.returncode, proven.stdout


CHECKOUTS = "INFRASPEC_PUBLIC_CHECKOUTS"
"""The variable that names a folder of checkouts of public repositories; the first three of it are tried."""
TRIED = sorted(path for path in Path(os.environ.get(CHECKOUTS) or os.devnull).glob("*") if path.is_dir())[:3]


def violated(directory: Path) -> int:
    """Check a repository, and return how much of it is violated."""
    run = infraspec(directory, "check")
    assert run.returncode in {0, 1}, run.stderr
    assert not re.search("Traceback|INTERNALERROR", run.stdout + run.stderr)
    total = re.search(r"^total +(?:\d+|-) +(\d+|-)", run.stdout, re.MULTILINE)
    assert total is not None, run.stdout
    return int(total[1].replace("-", "0"))


@pytest.mark.skipif(len(TRIED) < 3, reason=f"{CHECKOUTS} names no folder with three public repositories")
@pytest.mark.parametrize("number", range(3))
def test_the_same_commands_for_repositories_of_others(number: int, tmp_path: Path) -> None:
    """Init, check and fix work without options; what fix writes makes less violated, or there is nothing to fix."""
    repository = tmp_path / TRIED[number].name
    shutil.copytree(TRIED[number], repository, symlinks=True)
    assert 0 == infraspec(repository, "init").returncode
    before = violated(repository)
    fixed = infraspec(repository, "fix", "--write")
    assert fixed.returncode in {0, 1}, fixed.stderr
    assert "Traceback" not in fixed.stderr
    after = violated(repository)
    told = re.search(r"^checked again: (\d+|nothing) violated", fixed.stdout, re.MULTILINE)
    assert (told is not None) is (" fixed and written" in fixed.stdout)
    assert after == before if told is None else after < before
    assert told is None or (told[1] == "nothing") is (after == 0)
