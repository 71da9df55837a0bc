"""What rules say of a few lines: docs/rules.md is written from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infraspec.core.rule import Rule
from infraspec.core.rules import (
    FUNCTION_ACCESS,
    MODULES,
    NAMES,
    POLICIES,
    RULES,
    SECRET_ACCESS,
    SECRET_READERS,
    SOURCE,
    STATE_BACKEND,
    TAGS,
    TASK_ACCESS,
    TASK_DEFINITIONS,
    VERSIONS,
)

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
    """Terraform that breaks a rule, and what of the contract asks for it."""

    hcl: str
    contract: str = ""
    hidden: str = ""
    """Terraform that the example needs and that says nothing of the rule."""


EXAMPLES: Mapping[Rule, Example] = {
    SOURCE: Example(
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
    NAMES: Example(
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
    TAGS: Example(
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
    TASK_DEFINITIONS: Example(
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
    SECRET_ACCESS: Example(
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
    RULES["invoke-access"]: Example(
        """
resource "aws_sns_topic" "orders" {
  name = "orders"
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_sns_topic_subscription" "orders" {
  topic_arn = aws_sns_topic.orders.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.orders.arn
}
""",
    ),
    TASK_ACCESS: Example(
        """
resource "aws_iam_role_policy" "start" {
  role   = aws_iam_role.schedule.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "ecs:RunTask"
      Resource = aws_ecs_task_definition.report.arn
    }]
  })
}

resource "aws_scheduler_schedule" "report" {
  name                = "shop-prod-report"
  schedule_expression = "cron(0 6 * * ? *)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop-prod"
    role_arn = aws_iam_role.schedule.arn
    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.report.arn
    }
  }
}
""",
        hidden=ROLE
        + ROLE.replace('"execution"', '"schedule"')
        .replace("shop-prod-execution", "shop-prod-schedule")
        .replace("ecs-tasks", "scheduler")
        + """
resource "aws_ecs_task_definition" "report" {
  family             = "shop-prod-report"
  execution_role_arn = aws_iam_role.execution.arn
  container_definitions = jsonencode([{ name = "report", image = "nginx" }])
}
""",
    ),
    FUNCTION_ACCESS: Example(
        """
resource "aws_lambda_function" "orders" {
  function_name = "shop-prod-orders"
  role          = aws_iam_role.orders.arn
}

resource "aws_lambda_event_source_mapping" "orders" {
  function_name    = aws_lambda_function.orders.arn
  event_source_arn = aws_sqs_queue.orders.arn
}

resource "aws_iam_role_policy_attachment" "orders" {
  role       = aws_iam_role.orders.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
""",
        hidden=ROLE.replace('"execution"', '"orders"')
        .replace("shop-prod-execution", "shop-prod-orders")
        .replace("ecs-tasks", "lambda")
        + """
resource "aws_sqs_queue" "orders" {
  name = "shop-prod-orders"
}
""",
    ),
    RULES["reachability"]: Example(
        """
resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}

resource "aws_ecs_service" "api" {
  name            = "api"
  launch_type     = "FARGATE"
  task_definition = aws_ecs_task_definition.api.arn
  network_configuration {
    subnets         = [aws_subnet.private.id]
    security_groups = [aws_security_group.api.id]
  }
}
""",
        hidden=ROLE
        + """
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_security_group" "api" {
  vpc_id = aws_vpc.main.id
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_ecs_task_definition" "api" {
  family                   = "api"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name  = "api"
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/api:1"
  }])
}
""",
    ),
    POLICIES: Example(
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
    SECRET_READERS: Example(
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
    STATE_BACKEND: Example(
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
    VERSIONS: Example(
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
    MODULES: Example(
        """
resource "aws_sqs_queue" "jobs" {
  name = "shop-prod-jobs"
}
""",
        """
[modules]
""",
    ),
}
