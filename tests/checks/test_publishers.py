"""Who publishes what alarms look at: small sources, each with one thing changed, and what that makes of the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.core.finding import Finding
from infraspec.monitoring.log_writers import known_publishers
from infraspec.terraform.environments import Environments
from infraspec.terraform.provider.schema import resource_types

CONTRACT = """
[project]
application = "shop"

[environments.prod]
account_id = "111122223333"
region = "eu-west-1"

[alarms]
"""
RUNS = """
[metrics]
role = "arn:aws:iam::{account_id}:role/{application}-{environment}-metrics"

[process]
branch = "main"
workflows = ".github/workflows"
"""
ALARM = """
resource "aws_cloudwatch_metric_alarm" "this" {
  alarm_name          = "orders"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 1
  period              = 86400
  statistic           = "Sum"
  namespace           = "shop-prod"
  metric_name         = "Orders"
}
"""
FILTER = """
resource "aws_cloudwatch_log_group" "app" {
  name = "/shop/app"
}

resource "aws_cloudwatch_log_metric_filter" "orders" {
  name           = "orders"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "ORDER"

  metric_transformation {
    namespace = "shop-prod"
    name      = "Orders"
    value     = "1"
  }
}

resource "aws_ecs_task_definition" "app" {
  family = "app"
  container_definitions = jsonencode([{
    name  = "app"
    image = "app:1"
    logConfiguration = {
      logDriver = "awslogs"
      options   = { "awslogs-group" = aws_cloudwatch_log_group.app.name, "awslogs-region" = "eu-west-1" }
    }
  }])
}
"""
ROLE = """
resource "aws_iam_role" "app" {
  name               = "shop-prod-metrics"
  assume_role_policy = "{}"
}

resource "aws_iam_role_policy" "app" {
  role = aws_iam_role.app.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "cloudwatch:PutMetricData"
      Resource  = "*"
      Condition = { StringEquals = { "cloudwatch:namespace" = "shop-prod" } }
    }]
  })
}
"""
NAMED = '\n[alarms.publishers.app]\nnamespace = "{application}-{environment}"\nrole = "shop-prod-metrics"\n'
DEAD_MAN = ALARM.replace('"Orders"\n', '"RunCompleted"\n  dimensions = { Environment = "prod", Suite = "live" }\n')
WORKFLOW = """
on:
  schedule:
    - cron: "17 */6 * * *"
jobs:
  live:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: infraspec check --live --env prod
      - if: always()
        run: infraspec report metrics
"""


def judged(directory: Path, source: str, contract: str = "", workflow: str = "") -> Finding | None:
    """Return what is found of the publisher of the alarm; None if nothing is said of it."""
    (directory / "main.tf").write_text(source, encoding="utf-8")
    (directory / "infraspec.toml").write_text(CONTRACT + contract, encoding="utf-8")
    (directory / ".github/workflows").mkdir(parents=True)
    if workflow:
        (directory / ".github/workflows/scheduled.yml").write_text(workflow, encoding="utf-8")
    read = contracts.load(directory)
    found = check_alarms(Environments(read).plan("prod"), read, "prod")
    return next((finding for finding in found if finding.subject == "publisher"), None)


COUNTED = ALARM + FILTER
CASES = {
    "counted": (COUNTED, "", "proven"),
    "nobody": (ALARM, "", "undetermined"),
    "another metric": (COUNTED.replace('name      = "Orders"', 'name = "Order"'), "", "undetermined"),
    "another namespace": (COUNTED.replace('    namespace = "shop-prod"', '    namespace = "shop"'), "", "undetermined"),
    "dimensions of the filter": (
        COUNTED.replace('value     = "1"\n', 'value = "1"\n    dimensions = { Shop = "$.shop" }\n'), "", "undetermined",
    ),
    "dimensions of the alarm": (
        COUNTED.replace('= "Orders"\n}', '= "Orders"\n  dimensions = { Shop = "a" }\n}'), "", "undetermined"
    ),
    "both have the dimensions": (
        COUNTED.replace('value     = "1"\n', 'value = "1"\n    dimensions = { Shop = "$.shop" }\n').replace(
            '= "Orders"\n}', '= "Orders"\n  dimensions = { Shop = "a" }\n}'
        ), "", "proven",
    ),
    "a group without a writer": (COUNTED.replace("awslogs-group", "awslogs-stream-prefix"), "", "undetermined"),
    "the name of the group in an environment variable": (
        COUNTED.replace("logConfiguration", "environment_of_log"), "", "undetermined"
    ),
    "a writer that the contract names": (
        COUNTED.replace("awslogs-group", "x"), '\n[alarms.publishers.hosts]\nlog_group = "/shop/*"\n', "proven",
    ),
    "a filter that may not be there": (
        COUNTED.replace('  name           = "orders"', '  count = var.on ? 1 : 0\n  name = "orders"')
        + 'variable "on" {}\n', "", "undetermined",
    ),
    "the group by its name": (
        COUNTED.replace("aws_cloudwatch_log_group.app.name, ", '"/shop/app", '), "", "proven"
    ),
    "the filter counts in the log of a function": (
        COUNTED.replace("aws_cloudwatch_log_group.app.name\n", '"/aws/lambda/orders"\n')
        + 'resource "aws_lambda_function" "orders" {\n  function_name = "orders"\n  role = "r"\n}\n', "", "proven",
    ),
    "a log that a database does not export": (
        COUNTED.replace("aws_cloudwatch_log_group.app.name\n", '"/aws/rds/instance/shop/postgresql"\n')
        + 'resource "aws_db_instance" "shop" {\n  identifier = "shop"\n  instance_class = "x"\n'
        '  enabled_cloudwatch_logs_exports = ["upgrade"]\n}\n', "", "undetermined",
    ),
    "a filter of another region": (
        COUNTED.replace('  name           = "orders"', '  provider = aws.us\n  name = "orders"')
        + 'provider "aws" {\n  region = "eu-west-1"\n}\nprovider "aws" {\n  alias = "us"\n  region = "us-east-1"\n}\n',
        "", "undetermined",
    ),
    "a writer of another region": (
        COUNTED.replace('  family = "app"', '  provider = aws.us\n  family = "app"')
        + 'provider "aws" {\n  region = "eu-west-1"\n}\nprovider "aws" {\n  alias = "us"\n  region = "us-east-1"\n}\n',
        "", "undetermined",
    ),
    "of another account": (
        COUNTED.replace('  period              = 86400\n  statistic           = "Sum"\n', "").replace(
            '  namespace           = "shop-prod"\n  metric_name         = "Orders"\n',
            '  metric_query {\n    id = "m"\n    return_data = true\n    account_id = "123456789012"\n    metric {\n'
            '      namespace = "shop-prod"\n      metric_name = "Orders"\n      period = 60\n      stat = "Sum"\n'
            "    }\n  }\n",
        ), "", "undetermined",
    ),
    "in a query": (
        COUNTED.replace('  period              = 86400\n  statistic           = "Sum"\n', "").replace(
            '  namespace           = "shop-prod"\n  metric_name         = "Orders"\n',
            '  metric_query {\n    id = "m"\n    return_data = true\n    metric {\n      namespace = "shop-prod"\n'
            '      metric_name = "Orders"\n      period = 60\n      stat = "Sum"\n    }\n  }\n',
        ), "", "proven",
    ),
    "a query over a namespace": (
        ALARM.replace(
            '  namespace           = "shop-prod"\n  metric_name         = "Orders"\n',
            '  metric_query {\n    id = "q"\n    return_data = true\n    period = 60\n'
            '    expression = "SELECT SUM(Orders) FROM \\"shop-prod\\""\n  }\n',
        ), "", "undetermined",
    ),
    "of AWS": (ALARM.replace('"shop-prod"', '"AWS/SQS"'), "", ""),
    "a role of the contract": (ALARM + ROLE, NAMED, "proven"),
    "a role that may, and that nobody names": (ALARM + ROLE, "", "undetermined"),
    "a role of another namespace": (ALARM + ROLE.replace('= "shop-prod" }', '= "shop" }'), NAMED, "violated"),
    "a role with another action": (ALARM + ROLE.replace("PutMetricData", "GetMetricData"), NAMED, "violated"),
    "a role from elsewhere": (ALARM, NAMED, "undetermined"),
    "a namespace that the publisher does not have": (
        ALARM.replace('"shop-prod"', '"shop-other"') + ROLE, NAMED, "undetermined",
    ),
    "a metric that the publisher does not have": (
        ALARM + ROLE, NAMED + 'metrics = ["Refunds*"]\n', "undetermined"
    ),
    "Container Insights is on": (
        ALARM.replace('"shop-prod"', '"ECS/ContainerInsights"').replace(
            '= "Orders"\n', '= "RunningTaskCount"\n  dimensions = { ClusterName = aws_ecs_cluster.this.name }\n'
        )
        + 'resource "aws_ecs_cluster" "this" {\n  name = "shop"\n  setting {\n    name = "containerInsights"\n'
        '    value = "enhanced"\n  }\n}\n', "", "proven",
    ),
    "Container Insights is off": (
        ALARM.replace('"shop-prod"', '"ECS/ContainerInsights"').replace(
            '= "Orders"\n', '= "RunningTaskCount"\n  dimensions = { ClusterName = aws_ecs_cluster.this.name }\n'
        )
        + 'resource "aws_ecs_cluster" "this" {\n  name = "shop"\n  setting {\n    name = "containerInsights"\n'
        '    value = "disabled"\n  }\n}\n', "", "violated",
    ),
    "Container Insights as the account has it": (
        ALARM.replace('"shop-prod"', '"ECS/ContainerInsights"').replace(
            '= "Orders"\n', '= "RunningTaskCount"\n  dimensions = { ClusterName = aws_ecs_cluster.this.name }\n'
        )
        + 'resource "aws_ecs_cluster" "this" {\n  name = "shop"\n}\n', "", "undetermined",
    ),
    "a canary": (
        ALARM.replace('"shop-prod"', '"CloudWatchSynthetics"').replace(
            '= "Orders"\n', '= "SuccessPercent"\n  dimensions = { CanaryName = "shop" }\n'
        )
        + ROLE.replace('= "shop-prod" }', '= "CloudWatchSynthetics" }')
        + 'resource "aws_synthetics_canary" "shop" {\n  name = "shop"\n  execution_role_arn = aws_iam_role.app.arn\n'
        '  handler = "h"\n  runtime_version = "r"\n  artifact_s3_location = "s3://b"\n'
        '  schedule {\n    expression = "rate(5 minutes)"\n  }\n}\n', "", "proven",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_publishers(tmp_path: Path, name: str) -> None:
    """What publishes a metric for certain is proven, what certainly may not is violated, all else is not known."""
    source, contract, expected = CASES[name]
    found = judged(tmp_path, source, contract)

    assert expected == (found.verdict.value if found else "")
    if found and expected != "proven":
        assert all((found.expected, found.found, found.reason, found.remedy)), found


OFTEN, NEVER = ('"17 */6 * * *"', '"17 6 * * *"')
RUN_CASES = {
    "every six hours": (WORKFLOW, "proven"),
    "every day": (WORKFLOW.replace('"17 */6 * * *"', '"17 6 * * *"'), "proven"),
    "on weekdays": (WORKFLOW.replace('"17 */6 * * *"', '"17 6 * * 1-5"'), "undetermined"),
    "no workflow": ("", "undetermined"),
    "no schedule": (WORKFLOW.replace('schedule:\n    - cron: "17 */6 * * *"', "workflow_dispatch:"), "undetermined"),
    "another environment": (WORKFLOW.replace("--env prod", "--env dev"), "undetermined"),
    "all environments": (WORKFLOW.replace(" --env prod", ""), "proven"),
    "a matrix": (
        WORKFLOW.replace("    runs-on", "    strategy:\n      matrix:\n        env: [dev, prod]\n    runs-on").replace(
            "--env prod", "--env ${{ matrix.env }}"
        ), "proven",
    ),
    "a matrix without it": (
        WORKFLOW.replace("    runs-on", "    strategy:\n      matrix:\n        env: [dev, stg]\n    runs-on").replace(
            "--env prod", "--env ${{ matrix.env }}"
        ), "undetermined",
    ),
    "the other suite": (WORKFLOW.replace("--live ", ""), "undetermined"),
    "nothing is published": (WORKFLOW.replace("report metrics", "report summary"), "undetermined"),
    "only said": (WORKFLOW.replace("run: infraspec report", "run: echo infraspec report"), "undetermined"),
    "never published": (WORKFLOW.replace("always()", "false"), "undetermined"),
    "published if a setting says so": (WORKFLOW.replace("always()", "vars.METRICS == 'on'"), "undetermined"),
    "no cron": (WORKFLOW.replace('"17 */6 * * *"', '"17 25 * * *"'), "undetermined"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUN_CASES)
def test_scheduled_runs(tmp_path: Path, name: str) -> None:
    """The metrics of runs have a publisher where a schedule runs the live suite for the environment and publishes."""
    workflow, expected = RUN_CASES[name]
    found = judged(tmp_path, DEAD_MAN + ROLE, RUNS, workflow)

    assert expected == (found.verdict.value if found else "")


@pytest.mark.parametrize(
    ("source", "contract", "expected"),
    [
        (DEAD_MAN + ROLE.replace('= "shop-prod" }', '= "other" }'), RUNS, "violated"),
        (DEAD_MAN.replace("RunCompleted", "RunComplete") + ROLE, RUNS, "undetermined"),
        (DEAD_MAN.replace('"prod", Suite', '"dev", Suite') + ROLE, RUNS, "undetermined"),
        (DEAD_MAN + ROLE, RUNS.replace("role =", "# role ="), "undetermined"),
        (DEAD_MAN, RUNS, "undetermined"),
    ],
)
def test_the_role_of_runs(tmp_path: Path, source: str, contract: str, expected: str) -> None:
    """Whoever publishes the metrics of runs may do so, and they are those that are published."""
    found = judged(tmp_path, source, contract, WORKFLOW)
    assert expected == (found.verdict.value if found else "")


def test_known_types() -> None:
    """Every type that is known to write logs or to publish is one of the provider."""
    known = known_publishers()
    named = {*known.writers, *known.exports, *(one.type for one in known.workloads.values())}
    named |= {type_ for type_, _ in known.own_groups.values()}
    assert [] == sorted(named - set(resource_types()))
