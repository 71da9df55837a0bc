"""Two of everything under one name, one of them in another region or account: the rules of the live suite on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infraspec.aws.snapshot import Snapshot
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.secret_chain import check_secret_chain
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.alarms.alarm_delivery import alert_topics, check_alarm_delivery
from infraspec.checks.alarms.alarm_state import alarm_names, check_alarm_state
from infraspec.checks.conventions.tags import check_tags
from infraspec.checks.deployed.databases import check_databases, database_identifiers
from infraspec.checks.deployed.drift import check_drift
from infraspec.checks.deployed.inventory import check_inventory
from infraspec.checks.deployed.log_groups import check_log_groups, log_group_names
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.alarms import alarm_states, live_subscriptions
from infraspec.live.facts.databases import live_databases
from infraspec.live.facts.secret_readings import chain_evidence
from infraspec.live.facts.services import running_task_definitions
from infraspec.live.facts.stores import live_log_groups
from infraspec.live.plan import live_plan, strays
from infraspec.sandbox.running import Running, start_empty
from infraspec.terraform.plan import Plan
from tests.live.test_operations import Clients
from tests.live.world import ACCOUNT, REGION, contract, source

CONTRACT = contract()
PROVIDERS = {
    "region": 'provider "aws" {\n  alias  = "other"\n  region = "us-east-1"\n}\n',
    "unknown": 'variable "dr" {}\nprovider "aws" {\n  alias  = "other"\n  region = var.dr\n}\n',
    "account": 'provider "aws" {\n  alias = "other"\n  assume_role {\n'
    '    role_arn = "arn:aws:iam::222233334444:role/deploy"\n  }\n}\n',
}
RESOURCES = """
resource "aws_cloudwatch_metric_alarm" "NAME" {
  PROVIDER
  alarm_name          = "app-prod-cpu"
  namespace           = "app"
  metric_name         = "errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 1
  period              = 60
  statistic           = "Sum"
  alarm_actions       = [aws_sns_topic.NAME.arn]
  tags                = local.tags
}
resource "aws_sns_topic" "NAME" {
  PROVIDER
  name = "app-prod-alerts"
  tags = local.tags
}
resource "aws_sns_topic_subscription" "NAME" {
  PROVIDER
  topic_arn = aws_sns_topic.NAME.arn
  protocol  = "email"
  endpoint  = "on-call@example.com"
}
resource "aws_cloudwatch_log_group" "NAME" {
  PROVIDER
  name              = "/app/prod"
  retention_in_days = 30
  tags              = local.tags
}
resource "aws_cloudwatch_log_metric_filter" "NAME" {
  PROVIDER
  name           = "app-prod-errors"
  log_group_name = aws_cloudwatch_log_group.NAME.name
  pattern        = "ERROR"
  metric_transformation {
    name      = "errors"
    namespace = "app"
    value     = "1"
  }
}
resource "aws_db_instance" "NAME" {
  PROVIDER
  identifier              = "app-prod-db"
  engine                  = "postgres"
  instance_class          = "db.t3.micro"
  allocated_storage       = 20
  username                = "app"
  password                = "not-a-password"
  backup_retention_period = 7
  tags                    = local.tags
}
resource "aws_kms_key" "NAME" {
  PROVIDER
  tags = merge(local.tags, { Name = "app-prod" })
}
resource "aws_kms_alias" "NAME" {
  PROVIDER
  name          = "alias/app-prod"
  target_key_id = aws_kms_key.NAME.key_id
}
resource "aws_secretsmanager_secret" "NAME" {
  PROVIDER
  name       = "app-prod-secret"
  kms_key_id = aws_kms_key.NAME.arn
  tags       = local.tags
}
resource "aws_ssm_parameter" "NAME" {
  PROVIDER
  name  = "/app/prod/mode"
  type  = "String"
  value = "x"
  tags  = local.tags
}
resource "aws_ecr_repository" "NAME" {
  PROVIDER
  name = "app-prod"
  tags = local.tags
}
resource "aws_ecs_cluster" "NAME" {
  PROVIDER
  name = "app-prod"
  tags = local.tags
}
resource "aws_ecs_task_definition" "NAME" {
  PROVIDER
  family                   = "app-prod-api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name    = "api"
    image   = "public.ecr.aws/app/api:1"
    secrets = [{ name = "DB", valueFrom = aws_secretsmanager_secret.NAME.arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options   = { awslogs-group = "/app/prod", awslogs-region = "eu-west-1", awslogs-stream-prefix = "api" }
    }
  }])
  tags = local.tags
}
resource "aws_ecs_service" "NAME" {
  PROVIDER
  name            = "app-prod-api"
  cluster         = aws_ecs_cluster.NAME.id
  task_definition = aws_ecs_task_definition.NAME.arn
  launch_type     = "FARGATE"
  desired_count   = 0
  tags            = local.tags
}
"""
ROLE = """
locals { tags = { Application = "app", Environment = "prod" } }
resource "aws_iam_role" "execution" {
  name = "app-prod-execution"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }
  ] })
  tags = local.tags
}
resource "aws_iam_role_policy" "execution" {
  name   = "read"
  role   = aws_iam_role.execution.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.here.arn },
    { Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.here.arn },
    { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" },
  ] })
}
"""
HERE = RESOURCES.replace("NAME", "here").replace("  PROVIDER\n", "")
THERE = RESOURCES.replace("NAME", "there").replace("PROVIDER", "provider = aws.other")
OWN = 'provider "aws" {\n  region = "eu-west-1"\n}\n'


@pytest.fixture(scope="module")
def ireland(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a sandbox that has what is meant to be there."""
    with start_empty(account=ACCOUNT, region=REGION) as running:
        assert () == running.apply(source(tmp_path_factory.mktemp("here"), OWN + ROLE + HERE))
        yield running


def judged(sandbox: Running, plan: Plan) -> dict[str, list[Finding]]:
    """Return what the rules find."""
    clients: Any = Clients(sandbox.account.client, REGION)
    calls = Snapshot(clients, SimpleNamespace(account=ACCOUNT, partition="aws"))  # type: ignore[arg-type] # as much as it reads
    live = live_plan(calls, plan, CONTRACT, "prod")
    written, deployed = task_definitions(plan), task_definitions(live)
    names, topics = alarm_names(plan), alert_topics(plan, live)
    groups = live_log_groups(calls, log_group_names(plan, written))
    databases = live_databases(calls, database_identifiers(plan), live)
    evidence = chain_evidence(calls, live, deployed, CONTRACT, "prod")
    found = strays(calls, plan, live, CONTRACT, "prod")
    subscriptions = live_subscriptions(calls, topics)
    return {
        "alarm-state": check_alarm_state(plan, live, alarm_states(calls, names, 24), CONTRACT),
        "alarm-delivery": check_alarm_delivery(plan, live, subscriptions, CONTRACT, "prod"),
        "databases": check_databases(plan, live, databases, CONTRACT.databases),
        "log-groups": check_log_groups(plan, live, groups, written),
        "drift": check_drift(plan, live, running_task_definitions(calls, live)),
        "inventory": check_inventory(plan, found, CONTRACT.inventory, has_state=False),
        "tags": check_tags(live, CONTRACT, "prod"),
        "policies": check_policies(live, deployed, CONTRACT, "prod"),
        "secret-readers": check_secret_readers(live, CONTRACT, "prod"),
        "secret-access": check_secret_access(live, deployed, CONTRACT, "prod"),
        "secret-chain": check_secret_chain(live, deployed, evidence, CONTRACT, "prod"),
        "task-definitions": check_task_definitions(live, deployed, CONTRACT, "prod"),
    }


def told(findings: list[Finding]) -> set[tuple[str, str, Verdict]]:
    """Return what is said of what."""
    return {
        (one.address, one.subject, one.verdict) for one in findings if not one.advice and ".there" not in one.address
    }


@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize("first", ["here", "there"])
def test_what_is_elsewhere_changes_nothing_of_what_is_said_here(
    kind: str, first: str, ireland: Running, tmp_path: Path
) -> None:
    """It is never proven and never violated; where it is unknown it is UNDETERMINED, and else left out."""
    alone = judged(ireland, source(tmp_path, OWN + ROLE + HERE))
    both = HERE + THERE if first == "here" else THERE + HERE
    found = judged(ireland, source(tmp_path, OWN + PROVIDERS[kind] + ROLE + both))
    origin = source(tmp_path).origin
    for rule, findings in found.items():
        assert {one for one in told(alone[rule]) if one[0] != origin} == {
            one for one in told(findings) if one[0] != origin
        }, rule
        expected = {Verdict.UNDETERMINED} if kind == "unknown" else set()
        assert {one.verdict for one in findings if ".there" in one.address} <= expected, rule
    places = {"region": "in us-east-1 (1)", "account": "in 222233334444 (1)"}
    for rule in ("alarm-state", "alarm-delivery", "databases", "log-groups", "drift"):
        advice = " ".join(one.found for one in found[rule] if one.advice)
        assert (places.get(kind, "(1)") in advice) is (kind != "unknown"), rule


@pytest.mark.parametrize("kind", PROVIDERS)
def test_what_has_the_name_of_what_is_elsewhere_is_a_stray(kind: str, ireland: Running, tmp_path: Path) -> None:
    """Nobody reviews it; where the source may mean it, that is UNDETERMINED."""
    written = THERE + ROLE.replace("aws_secretsmanager_secret.here", "aws_secretsmanager_secret.there").replace(
        "aws_kms_key.here", "aws_kms_key.there"
    )
    found = judged(ireland, source(tmp_path, OWN + PROVIDERS[kind] + written))
    verdicts = {one.address.split(":")[2]: one.verdict for one in found["inventory"] if one.address.startswith("arn:")}
    expected = Verdict.UNDETERMINED if kind == "unknown" else Verdict.VIOLATED
    assert {"cloudwatch", "sns"} <= set(verdicts)
    assert {expected} == set(verdicts.values())
    for rule, findings in found.items():
        about = {one.verdict for one in findings if ".there" in one.address}
        assert about <= ({Verdict.UNDETERMINED} if kind == "unknown" else set()), rule


def test_a_run_that_asks_the_other_region_judges_what_is_there(ireland: Running, tmp_path: Path) -> None:
    """The source without an alias is in Virginia, and the run asks Ireland, as its contract says."""
    other = PROVIDERS["region"].replace("us-east-1", "eu-west-1")
    main = OWN.replace("eu-west-1", "us-east-1")
    swapped = HERE.replace(".here", ".main").replace('"here"', '"main"') + THERE.replace(".there", ".here")
    text = main + other + ROLE + swapped.replace('"there"', '"here"')
    found = judged(ireland, source(tmp_path, text))
    alone = judged(ireland, source(tmp_path, OWN + ROLE + HERE))
    assert ".main" not in " ".join(one.address for findings in found.values() for one in findings)
    assert told(alone["alarm-state"]) == told(found["alarm-state"])
    assert told(alone["databases"]) == told(found["databases"])
    drift = [one for one in found["drift"] if not one.advice]
    assert {Verdict.PROVEN} == {one.verdict for one in drift}
    assert len(told(alone["drift"])) == len(drift)
