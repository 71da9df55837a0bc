"""The same needs and the same verdicts from Terraform source and from a plan file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import JsonText
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.environments import from_bytes
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
CONTRACT = Contract.model_validate(
    {"project": {"application": "app"}, "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}}}
)
SOURCE = """
provider "aws" {
  region = "eu-west-1"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:eu-west-1:111122223333:*"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "app-execution"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role" "task" {
  name               = "app-task"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_kms_key" "main" {}

resource "aws_secretsmanager_secret" "db" {
  name       = "db"
  kms_key_id = aws_kms_key.main.arn
}

resource "aws_efs_file_system" "data" {}

resource "aws_efs_file_system_policy" "data" {
  file_system_id = aws_efs_file_system.data.id
  policy         = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_cloudwatch_log_group" "sessions" {
  name = "/ecs/sessions"
}

data "aws_iam_policy_document" "execution" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.db.arn]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.eu-west-1.amazonaws.com"]
    }
  }
  statement {
    actions   = ["s3:GetObject", "s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::config", "arn:aws:s3:::config/*"]
  }
}

resource "aws_iam_role_policy" "execution" {
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_iam_role_policy" "task" {
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["ssmmessages:*", "logs:DescribeLogGroups"], Resource = "*" },
      { Effect = "Allow", Action = "logs:*", Resource = "${aws_cloudwatch_log_group.sessions.arn}:*" },
      { Effect = "Allow", Action = "elasticfilesystem:Client*", Resource = aws_efs_file_system.data.arn },
    ]
  })
}

resource "aws_ecs_cluster" "main" {
  name = "main"
  configuration {
    execute_command_configuration {
      logging = "OVERRIDE"
      log_configuration {
        cloud_watch_log_group_name = aws_cloudwatch_log_group.sessions.name
      }
    }
  }
}

resource "aws_ecs_service" "app" {
  name                   = "app"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.app.arn
  enable_execute_command = true
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions = jsonencode([{
    name             = "app"
    image            = "nginx:1"
    secrets          = [{ name = "DB", valueFrom = "${aws_secretsmanager_secret.db.arn}:password::" }]
    environmentFiles = [{ type = "s3", value = "arn:aws:s3:::config/app.env" }]
    mountPoints      = [{ sourceVolume = "data", containerPath = "/data" }]
  }])
  volume {
    name = "data"
    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.data.id
      transit_encryption = "ENABLED"
      authorization_config {
        iam = "ENABLED"
      }
    }
  }
}
"""
NEEDS = [
    "execution role: sts:AssumeRole by ecs-tasks.amazonaws.com",
    'container "app", secret "DB": secretsmanager:GetSecretValue',
    'container "app", KMS key of secret "DB": kms:Decrypt',
    'container "app", environment file 0: s3:GetObject',
    'container "app", environment file 0: s3:GetBucketLocation',
    "task role: sts:AssumeRole by ecs-tasks.amazonaws.com",
    'volume "data", EFS file system: elasticfilesystem:ClientMount',
    'volume "data", EFS file system: elasticfilesystem:ClientWrite',
    "ECS Exec, service aws_ecs_service.app: ssmmessages:CreateControlChannel",
    "ECS Exec, service aws_ecs_service.app: ssmmessages:CreateDataChannel",
    "ECS Exec, service aws_ecs_service.app: ssmmessages:OpenControlChannel",
    "ECS Exec, service aws_ecs_service.app: ssmmessages:OpenDataChannel",
    "ECS Exec, service aws_ecs_service.app, session log: logs:DescribeLogGroups",
    "ECS Exec, service aws_ecs_service.app, session log: logs:CreateLogStream",
    "ECS Exec, service aws_ecs_service.app, session log: logs:PutLogEvents",
    "ECS Exec, service aws_ecs_service.app, session log: logs:DescribeLogStreams",
]
EDITS = [
    ('"kms:Decrypt"', '"kms:Encrypt"', [NEEDS[2]]),
    ('"secretsmanager.eu-west-1.amazonaws.com"', '"secretsmanager.us-east-1.amazonaws.com"', [NEEDS[2]]),
    ("[aws_secretsmanager_secret.db.arn]", '["${aws_secretsmanager_secret.db.arn}-*"]', [NEEDS[1]]),
    ('"arn:aws:s3:::config", ', "", [NEEDS[4]]),
    ('"elasticfilesystem:Client*"', '"elasticfilesystem:Describe*"', NEEDS[6:8]),
    ('"ssmmessages:*", ', "", [f"{NEEDS[8]}, {', '.join(need.rpartition(': ')[2] for need in NEEDS[9:12])}"]),
    ("sessions.arn}:*", "sessions.arn}", [f"{NEEDS[13]}, logs:PutLogEvents", NEEDS[15]]),
    ('"arn:aws:ecs:eu-west-1:111122223333:*"', '"arn:aws:ecs:us-east-1:111122223333:*"', [NEEDS[0], NEEDS[5]]),
]


def judged(plan: Plan) -> list[Finding]:
    """Return the findings about a plan."""
    return check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")


def evaluated(directory: Path, source: str) -> Plan:
    """Evaluate source."""
    return plan_of(directory, source, known=KnownData.of({}, account=ACCOUNT, region=REGION))


def golden(work: Path) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield each edit of the source, for tools/golden.py."""
    for number, (text, other, _) in enumerate([("", "", []), *EDITS]):
        directory = work / str(number)
        directory.mkdir()
        source = SOURCE.replace(text, other) if text else SOURCE
        yield f"{text} -> {other}", partial(_judged_source, directory, source)


def _judged_source(directory: Path, source: str) -> list[Finding]:
    return judged(evaluated(directory, source))


def test_everything_is_proven_from_source(tmp_path: Path) -> None:
    """Every need of the source is found, in order, and PROVEN."""
    found = judged(evaluated(tmp_path, SOURCE))
    assert [finding.subject for finding in found] == NEEDS
    assert {finding.verdict for finding in found} == {Verdict.PROVEN}


@pytest.mark.parametrize(("text", "other", "missing"), EDITS, ids=[text for text, *_ in EDITS])
def test_an_edit_of_the_source_is_found(tmp_path: Path, text: str, other: str, missing: list[str]) -> None:
    """Each edit makes red exactly what it takes away, at a line of the source."""
    assert text in SOURCE
    red = judged(evaluated(tmp_path, SOURCE.replace(text, other)))
    red = [finding for finding in red if finding.verdict is not Verdict.PROVEN]
    assert missing == [finding.subject for finding in red]
    for finding in red:
        assert finding.location is not None
        assert finding.location.file.endswith("main.tf")
        assert finding.location.line > 1


def planned(plan: Plan) -> bytes:
    """Write the plan file of what is all there already: every value is known."""
    ids = {
        "aws_secretsmanager_secret.db": {"arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"},
        "aws_kms_key.main": {"arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", "key_id": "1", "policy": ""},
        "aws_efs_file_system.data": {
            "arn": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-1",
            "id": "fs-1",
        },
        "aws_cloudwatch_log_group.sessions": {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/sessions"},
        "aws_iam_role.execution": {"arn": f"arn:aws:iam::{ACCOUNT}:role/app-execution", "id": "app-execution"},
        "aws_iam_role.task": {"arn": f"arn:aws:iam::{ACCOUNT}:role/app-task", "id": "app-task"},
        "aws_ecs_cluster.main": {"id": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main"},
        "aws_ecs_task_definition.app": {"arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/app:1"},
    }

    def filled(value: Any) -> Any:
        text = json.dumps(value, default=str)
        for address, attributes in ids.items():
            for name, known in attributes.items():
                text = text.replace(f"${{{address}.{name}}}", known)
        return json.loads(text)

    resources: list[dict[str, Any]] = []
    for resource in plan.resources:
        if resource.mode == "managed":
            values = {key: filled(_json(value)) for key, value in resource.values.items()}
            values |= ids.get(resource.address, {})
            entry = {"address": resource.address, "mode": "managed", "type": resource.type, "name": resource.name}
            resources.append({**entry, "values": values})
    changes = [
        {key: entry[key] for key in ("address", "mode", "type", "name")} | {"change": _unchanged(entry["values"])}
        for entry in resources
    ]
    document = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
    }
    return json.dumps(document).encode()


def _json(value: Any) -> Any:
    if isinstance(value, JsonText):
        return json.dumps(_json(value.tree))
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _unchanged(values: dict[str, Any]) -> dict[str, Any]:
    return {"actions": ["no-op"], "before": values, "after": values, "after_unknown": {}}


def test_the_same_from_a_plan_file(tmp_path: Path) -> None:
    """A plan file in which everything is known has the same needs, all PROVEN, and loses those of an edit."""
    evaluated_plan = evaluated(tmp_path, SOURCE)
    plan = from_bytes(planned(evaluated_plan), "plan.json")
    found = judged(plan)
    assert [finding.subject for finding in found] == NEEDS
    assert [] == [str(finding) for finding in found if finding.verdict is not Verdict.PROVEN]

    changed = planned(evaluated_plan).replace(b"secretsmanager.eu-west-1.amazonaws.com", b"ssm.eu-west-1.amazonaws.com")
    red = [
        finding.subject for finding in judged(from_bytes(changed, "plan.json")) if finding.verdict is Verdict.VIOLATED
    ]
    assert red == ['container "app", KMS key of secret "DB": kms:Decrypt']


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("aws_iam_role.execution.name", Verdict.UNDETERMINED),
        ("{ roles = [aws_iam_role.execution.arn] }", Verdict.UNDETERMINED),
        ("aws_iam_role.execution", Verdict.UNDETERMINED),
        ("aws_iam_role.task.name", Verdict.VIOLATED),
    ],
)
def test_a_role_that_is_given_to_a_module_which_is_not_here(tmp_path: Path, given: str, expected: Verdict) -> None:
    """The module may attach a policy that allows what no other does; what another allows, it does not deny."""
    module = f'module "permissions" {{\n  source = "git::https://example.com/m.git"\n  role   = {given}\n}}\n'
    source = SOURCE.replace('"kms:Decrypt"', '"kms:Encrypt"') + module
    found = {finding.subject: finding.verdict for finding in judged(evaluated(tmp_path, source))}

    assert expected is found.pop(NEEDS[2])
    assert {Verdict.PROVEN} == set(found.values())
