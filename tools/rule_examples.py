"""Why there is each rule, and what it says of a few lines: what docs/rules.md is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROLE = """
resource "aws_iam_role" "execution" {
  name               = "shop-prod-execution"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}
"""


@dataclass(frozen=True, slots=True)
class Example:
    """The reason for a rule; for some, a contract and Terraform that break it, and the tables that they stand in."""

    why: str
    hcl: str = ""
    contract: str = ""
    hidden: str = ""
    """Terraform that the example needs and that says nothing of the rule."""


EXAMPLES: Mapping[str, Example] = {
    "source": Example(
        "What Terraform would refuse, and what infraspec could not read, is said before anything is concluded from it.",
        """
variable "size" {
  type    = string
  default = "huge"
  validation {
    condition     = contains(["small", "large"], var.size)
    error_message = "size is small or large"
  }
}
""",
    ),
    "names": Example(
        "People, alarms, policies and bills find resources by their names. Renaming is a replacement for many types, so"
        " a wrong name is cheap before the merge and dear after it.",
        """
resource "aws_sqs_queue" "jobs" {
  name = "shop_jobs"
}
""",
        """
[names.patterns]
aws_sqs_queue = "{application}-{environment}-{queue}"
""",
    ),
    "tags": Example(
        "Costs, ownership and automation hang on tags, and what has none belongs to nobody.",
        """
resource "aws_sqs_queue" "jobs" {
  name = "shop-prod-jobs"
  tags = { Owner = "team-jobs" }
}
""",
        """
[tags.common]
Owner      = { regex = "team-[a-z]+" }
CostCenter = ["engineering", "marketing"]
""",
    ),
    "tag-policy": Example(
        "The tag policy of the organization is reported by AWS after the fact; here it is checked before.",
    ),
    "task-definitions": Example(
        "ECS takes a task definition as it is and fails at the start of the task. A `valueFrom` with a slip in it, a"
        " role that is not there or a container without a log is found when somebody is waiting.",
        """
resource "aws_ecs_task_definition" "api" {
  family             = "shop-prod-api"
  execution_role_arn = aws_iam_role.execution.arn
  task_role_arn      = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name    = "api"
    image   = "nginx"
    secrets = [{ name = "KEY", valueFrom = "arn:aws:secretsmanager:eu-west-1:111122223333:secrets:key" }]
  }])
}
""",
        hidden=ROLE,
    ),
    "secret-access": Example(
        "A task whose execution role may not read one of its secrets does not start. No linter sees it: the role, the"
        " policy and the task definition are each well-formed.",
        """
resource "aws_secretsmanager_secret" "key" {
  name = "shop-prod-key"
}

resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-prod-key"
    }]
  })
}

resource "aws_ecs_task_definition" "api" {
  family             = "shop-prod-api"
  execution_role_arn = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name    = "api"
    image   = "nginx"
    secrets = [{ name = "KEY", valueFrom = aws_secretsmanager_secret.key.arn }]
  }])
}
""",
        hidden=ROLE,
    ),
    "policies": Example(
        "IAM accepts a policy that names actions and resources which do not exist or do not fit, and it then allows"
        " nothing, or everything.",
        """
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecret"
      Resource = "*"
    }]
  })
}
""",
        hidden=ROLE,
    ),
    "secret-readers": Example(
        "Who may read a secret is the sum of identity policies, resource policies and keys. The rule adds it up.",
        """
resource "aws_secretsmanager_secret" "key" {
  name = "shop-prod-key"
}

resource "aws_secretsmanager_secret_policy" "key" {
  secret_arn = aws_secretsmanager_secret.key.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Principal = { AWS = "arn:aws:iam::444455556666:root" }
    }]
  })
}
""",
    ),
    "alarms": Example(
        "An alarm that is missing, disabled, or sent to a topic that nobody reads is noticed by customers.",
    ),
    "plan-review": Example(
        "A plan of hundreds of lines hides the one that destroys a database or opens a port. It is sorted by risk, and"
        " what is risky needs an approval.",
    ),
    "no-diff": Example("What is deployed is what is written, or somebody has to know why not."),
    "state-backend": Example(
        "The state holds every secret value and is the memory of what exists; two environments that share one destroy"
        " each other.",
        """
terraform {
  backend "s3" {
    bucket = "shop-state"
    key    = "prod.tfstate"
    region = "eu-west-1"
  }
}
""",
        """
[state]
backend = "s3"
""",
    ),
    "state-bucket": Example("A state that is lost, public or overwritten cannot be had again."),
    "versions": Example(
        "What is not pinned is another version tomorrow, on another machine.",
        """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
""",
        """
[versions]
""",
    ),
    "consistency": Example("A fault that only production can have is found in production."),
    "modules": Example(
        "A resource beside the modules has none of what they guarantee.",
        """
resource "aws_sqs_queue" "jobs" {
  name = "shop-prod-jobs"
}
""",
        """
[modules]
""",
    ),
    "playbooks": Example("At an incident nobody looks for the command to type."),
    "incidents": Example("What went wrong and was not written down goes wrong again."),
    "process": Example("Reviews, owners and checks hold only if they cannot be left out."),
    "alarm-state": Example(
        "An alarm in AWS may be another than the one in the source: edited, disabled, without data, or flapping.",
    ),
    "alarm-delivery": Example("Between an alarm and a person lie a topic, its policy, its key and a subscription."),
    "rollout": Example(
        "A deployment that was rolled back looks like a success to everything that waits for a stable service.",
    ),
    "stopped-tasks": Example(
        "Why a task did not start is in a text that ECS keeps for an hour; it is sorted into ten causes, each with its"
        " playbook.",
    ),
    "next-start": Example(
        "What runs proves the last start. Meanwhile an image may be gone, a secret scheduled for deletion, a role"
        " changed.",
    ),
    "secret-chain": Example(
        "Identity policy, boundary, resource policy, key, stage and pending deletion: one link that is missing, and the"
        " next task does not start.",
    ),
    "databases": Example("Backups, replicas and room are noticed when they are needed."),
    "log-groups": Example("Logs that are not kept are missing when somebody asks what happened."),
    "state-store": Example("The state bucket and lock table in AWS, as the source has them."),
    "drift": Example("What was changed by hand is undone by the next apply, or undoes it."),
    "inventory": Example("What nobody's source describes is nobody's to patch, pay for or delete."),
    "hosts": Example("Some things can only be seen from inside: a port that answers, a tool that is there."),
}
