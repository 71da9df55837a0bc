"""The alarm catalogue: over the reference infrastructure with one thing changed, and over small sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.contract.alarms import Alarms
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import MissingVariable, Text, Unknown, Value
from infraspec.process.playbooks import Playbook, read_playbooks
from infraspec.terraform.configuration.variables import Assignment
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan, Resource, Uncertain
from tests.terraform.sources import plan_of

REFERENCE = Path(__file__).parents[2] / "fixtures/daily-report-tool"
CONTRACT = contracts.load(REFERENCE)
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
NEEDED = (
    "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_sns_topic_policy", "aws_sns_topic_subscription",
    "aws_chatbot_slack_channel_configuration", "aws_cloudwatch_log_resource_policy", "aws_sns_topic",
)  # fmt: skip
BESIDE = 'module.monitoring.aws_cloudwatch_event_target.log["secret-deletion"]'
"""It keeps a record, and no alarm looks at it."""


@cache
def reference() -> Plan:
    """Return the plan of the reference infrastructure's prod."""
    return Environments(CONTRACT).plan("prod")


@cache
def playbooks() -> tuple[Playbook, ...]:
    """Return the playbooks of the reference infrastructure."""
    return read_playbooks(REFERENCE / "docs/playbooks", "docs/playbooks")


def judged(plan: Plan, contract: Contract = CONTRACT) -> list[Finding]:
    """Return the findings about a plan, but those of test_publishers.py."""
    return [one for one in check_alarms(plan, contract, "prod", playbooks()) if one.subject != "publisher"]


def bad(plan: Plan, contract: Contract = CONTRACT) -> list[Finding]:
    """Return the findings that are not proven."""
    return [finding for finding in judged(plan, contract) if finding.verdict is not PROVEN]


def test_the_reference_infrastructure_is_proven() -> None:
    """Every alarm of the packaged catalogue is there and reaches its people."""
    findings = judged(reference())
    assert 36 == len(findings)
    assert {PROVEN} == {finding.verdict for finding in findings}


NOT_ASKED = ("module.jobs.", *(f"module.monitoring.aws_cloudwatch_metric_alarm.{name}" for name in (
    "database_disk", "latency", "server_errors",
)))  # fmt: skip
"""What begins the addresses of alarms that the catalogue does not ask for: the drill hears of failures by them."""


def absent(address: str) -> dict[str, Uncertain]:
    """Return that it is not known whether a resource is there."""
    return {address: Uncertain("count", address, Unknown("var.on ? 1 : 0", MissingVariable("on")))}


def needed() -> list[str]:
    """Return the addresses of everything that an alert needs on its way."""
    found = (resource.address for resource in reference().managed(*NEEDED))
    return [address for address in found if address != BESIDE and not address.startswith(NOT_ASKED)]


@pytest.mark.parametrize("address", needed())
def test_nothing_on_the_way_of_an_alert_can_be_missing(address: str) -> None:
    """Without one alarm, filter, rule, target, topic, topic policy or subscription the rule is not proven."""
    plan = reference()
    found = bad(plan.replaced(resources=[one for one in plan.resources if one.address != address]))
    assert found
    for finding in found:
        assert all((finding.expected, finding.found, finding.reason, finding.remedy)), finding


def changed(address: str, **values: Value) -> Plan:
    """Return the reference with other values of one resource."""
    plan = reference()

    def change(resource: Resource) -> Resource:
        return replace(resource, values={**resource.values, **values}) if resource.address == address else resource

    assert address in plan.by_address
    return plan.replaced(resources=[change(resource) for resource in plan.resources])


def alarm(name: str) -> str:
    """Return the address of an alarm of the reference."""
    return f"module.monitoring.aws_cloudwatch_metric_alarm.{name}"


CPU = alarm('utilization["cpu"]')
UNHEALTHY, DENIED, LAG = alarm("unhealthy_targets"), alarm("secret_access_denied"), alarm("no_database_connection")
TOPIC, POLICY = (
    'module.monitoring.aws_sns_topic.level["critical"]',
    'module.monitoring.aws_sns_topic_policy.level["warning"]',
)
KEY = "module.monitoring.aws_kms_key.notifications"
RULES = "module.monitoring.aws_cloudwatch_event_rule.this"
FILTERS = "module.monitoring.aws_cloudwatch_log_metric_filter"
TARGETS = "module.monitoring.aws_cloudwatch_event_target.topic"
COUNTED = f'{FILTERS}.secrets["SecretAccessDenied"]'
COUNT = {"namespace": "daily-report-tool-prod", "name": "SecretAccessDenied"}
DATABASE, GROUP = "module.rds.aws_db_instance.this", "module.rds.aws_db_parameter_group.this"
WRITE = "module.monitoring.aws_cloudwatch_log_resource_policy.write_events"
FAILURES = alarm("secret_read_failures")
QUERIES = [
    {**query, "id": {"failures": "failure"}.get(query["id"], query["id"])}
    for query in reference().by_address[FAILURES].get("metric_query")
]
MINIMA = [
    {**query, "metric": [{**metric, "stat": "Minimum"} for metric in query.get("metric") or []]}
    for query in reference().by_address[FAILURES].get("metric_query")
]
ONLY_PUT = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},'
    '"Action":"logs:PutLogEvents","Resource":"*"}]}'
)
KEY_WITHOUT_RESOURCE = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["cloudwatch.amazonaws.com",'
    '"events.amazonaws.com"]},"Action":"kms:*"}]}'
)
ELSEWHERE = "arn:aws:sns:ap-northeast-1:123456789012:elsewhere"
EVENTS_ONLY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},'
    '"Action":"sns:Publish","Resource":"*"}]}'
)
OTHER_ACCOUNT = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["cloudwatch.amazonaws.com",'
    '"events.amazonaws.com"]},"Action":"sns:Publish","Resource":"*",'
    '"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}'
)
DENYING = EVENTS_ONLY.replace("}]}", '},{"Effect":"Deny","Principal":"*","Action":"sns:*","Resource":"*"}]}')
KEY_OF_SOURCE = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["cloudwatch.amazonaws.com",'
    '"events.amazonaws.com"]},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*",'
    '"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}'
)


@pytest.mark.parametrize(
    ("address", "values", "verdict", "said"),
    [
        (CPU, {"threshold": 95}, VIOLATED, "threshold at least 50 and at most 80"),
        (CPU, {"threshold": 20}, VIOLATED, "threshold = 80"),
        (CPU, {"threshold": 80.5}, VIOLATED, "threshold 80.5"),
        (CPU, {"threshold": Unknown("var.limit")}, UNDETERMINED, "${var.limit} is unknown"),
        (CPU, {"period": 600}, VIOLATED, "period at most 300"),
        (CPU, {"evaluation_periods": 20}, VIOLATED, "evaluation_periods at most 5"),
        (CPU, {"statistic": "Minimum"}, VIOLATED, 'statistic = "Average"'),
        (CPU, {"statistic": None, "extended_statistic": "p99"}, VIOLATED, "statistic p99"),
        (CPU, {"namespace": "AWS/EC2"}, VIOLATED, "no alarm of the plan watches it"),
        (CPU, {"metric_name": "CpuUtilized"}, VIOLATED, "CPUUtilization"),
        (CPU, {"dimensions": {"ClusterName": "other", "ServiceName": "other"}}, VIOLATED, "no alarm of the plan"),
        (CPU, {"dimensions": {"ClusterName": "daily-report-tool-prod-cluster"}}, VIOLATED, "no alarm of the plan"),
        (
            CPU,
            {"dimensions": {"ClusterName": Unknown("var.cluster"), "ServiceName": "daily-report-tool-prod-backend"}},
            UNDETERMINED,
            "${var.cluster}",
        ),
        (CPU, {"comparison_operator": "LessThanThreshold"}, VIOLATED, "fires by LessThanThreshold"),
        (CPU, {"comparison_operator": Unknown("var.operator")}, UNDETERMINED, "${var.operator} is unknown"),
        (CPU, {"dimensions": Unknown("var.dimensions")}, UNDETERMINED, "${var.dimensions}"),
        (CPU, {"unit": "Count"}, VIOLATED, "unit Percent, or none"),
        (DENIED, {"unit": "Count"}, UNDETERMINED, "no data under another unit"),
        (
            f'{FILTERS}.secrets["SecretAccessDenied"]',
            {
                "metric_transformation": [
                    {"namespace": "daily-report-tool-prod", "name": "SecretAccessDenied", "value": "0"}
                ]
            },
            VIOLATED,
            "no alarm of the plan counts",
        ),
        (
            "module.monitoring.aws_cloudwatch_composite_alarm.application_down",
            {"actions_suppressor": [{"alarm": "x"}]},
            UNDETERMINED,
            "while its suppressor is in ALARM",
        ),
        (CPU, {"actions_enabled": False}, VIOLATED, "actions_enabled = true"),
        (CPU, {"alarm_actions": []}, VIOLATED, "the alert reaches nobody"),
        (CPU, {"alarm_actions": [ELSEWHERE]}, UNDETERMINED, "the topic is not in the plan"),
        (CPU, {"alarm_actions": Unknown("var.actions")}, UNDETERMINED, "the topic is not in the plan"),
        (CPU, {"alarm_actions": [Unknown(f"{TOPIC}.arn")]}, VIOLATED, "it is the topic of another level"),
        (UNHEALTHY, {"comparison_operator": "GreaterThanOrEqualToThreshold"}, VIOLATED, "threshold 0"),
        (UNHEALTHY, {"evaluation_periods": 1}, VIOLATED, "evaluation_periods at least 3 and at most 5"),
        (UNHEALTHY, {"dimensions": {"TargetGroup": "targetgroup/x/1"}}, VIOLATED, "no alarm of the plan"),
        (DENIED, {"threshold": 5}, VIOLATED, "threshold 0"),
        (DENIED, {"treat_missing_data": "breaching"}, VIOLATED, 'treat_missing_data = "notBreaching"'),
        (LAG, {"treat_missing_data": None}, VIOLATED, "treat_missing_data missing"),
        (f'{FILTERS}.secrets["SecretAccessDenied"]', {"pattern": "ERROR"}, VIOLATED, "no alarm of the plan counts"),
        (f'{FILTERS}.secrets["SecretAccessDenied"]', {"pattern": "%x%"}, UNDETERMINED, "cannot be decided"),
        (f'{FILTERS}.secrets["SecretAccessDenied"]', {"pattern": ""}, VIOLATED, "no alarm of the plan counts"),
        (f'{FILTERS}.secrets["SecretReads"]', {"log_group_name": "/aws/other"}, UNDETERMINED, "nothing in the plan"),
        (f'{FILTERS}.database["DatabaseConnectionFailures"]', {"log_group_name": "/x"}, VIOLATED, "no alarm of the"),
        (COUNTED, {"metric_transformation": [{**COUNT, "value": "0"}]}, VIOLATED, "no alarm of the plan counts"),
        (COUNTED, {"metric_transformation": [{**COUNT, "value": None}]}, VIOLATED, "no alarm of the plan counts"),
        (FAILURES, {"metric_query": QUERIES}, VIOLATED, "no metric_query has the id failures"),
        (FAILURES, {"metric_query": MINIMA}, VIOLATED, 'stat = "Sum"'),
        (DATABASE, {"parameter_group_name": None}, UNDETERMINED, "has the default parameter group"),
        (DATABASE, {"parameter_group_name": "default.postgres16"}, UNDETERMINED, "has the default parameter group"),
        (GROUP, {"parameter": [{"name": "log_connections", "value": "0"}]}, UNDETERMINED, "log_connections of"),
        (GROUP, {"parameter": []}, UNDETERMINED, f"log_connections of {GROUP} is off"),
        (WRITE, {"policy_document": ONLY_PUT}, UNDETERMINED, "no aws_cloudwatch_log_resource_policy of the plan"),
        (KEY, {"policy": KEY_WITHOUT_RESOURCE}, VIOLATED, "perform kms:Decrypt and kms:GenerateDataKey*"),
        ("module.rds.aws_db_instance.this", {"enabled_cloudwatch_logs_exports": []}, VIOLATED, "no alarm of the plan"),
        (f'{RULES}["secret-reads"]', {"state": "ENABLED"}, UNDETERMINED, "nothing in the plan writes"),
        (f'{RULES}["tasks"]', {"state": "DISABLED"}, UNDETERMINED, "nothing in the plan writes"),
        (f'{RULES}["tasks"]', {"event_pattern": '{"source":["aws.ec2"]}'}, UNDETERMINED, "nothing in the plan writes"),
        (f'{RULES}["deployment-failed"]', {"event_pattern": Unknown("var.p")}, UNDETERMINED, "its pattern or state"),
        (f'{RULES}["deployment-failed"]', {"event_bus_name": "own"}, VIOLATED, "no rule in the plan matches it"),
        (f'{TARGETS}["deployment-failed"]', {"arn": Unknown(f"{TOPIC}.arn")}, VIOLATED, "the topic of another level"),
        (f'{TARGETS}["deployment-failed"]', {"arn": ELSEWHERE}, UNDETERMINED, ELSEWHERE),
        (f'{TARGETS}["deployment-failed"]', {"role_arn": "arn:r"}, UNDETERMINED, "publishes as the role of the target"),
        (POLICY, {"policy": EVENTS_ONLY}, VIOLATED, "allows cloudwatch.amazonaws.com to publish"),
        (POLICY, {"policy": OTHER_ACCOUNT}, VIOLATED, "allows cloudwatch.amazonaws.com to publish"),
        (POLICY, {"policy": DENYING}, VIOLATED, "allows events.amazonaws.com to publish"),
        (POLICY, {"policy": Unknown("data.external.x.policy")}, UNDETERMINED, "cannot be decided"),
        (TOPIC, {"kms_master_key_id": "alias/aws/sns"}, VIOLATED, "the AWS managed key"),
        (TOPIC, {"kms_master_key_id": "alias/other"}, UNDETERMINED, "the key is not in the plan"),
        (KEY, {"policy": None}, VIOLATED, "it leaves access to IAM policies"),
        (KEY, {"policy": KEY_OF_SOURCE}, VIOLATED, "allows events.amazonaws.com to perform kms:Decrypt"),
        (
            "module.monitoring.aws_sns_topic_subscription.pager",
            {"endpoint": Unknown("var.endpoint")},
            UNDETERMINED,
            "does not certainly reach pager",
        ),
        (
            "module.monitoring.aws_sns_topic_subscription.pager",
            {"endpoint": "https://example.com/hook"},
            VIOLATED,
            "does not certainly reach pager",
        ),
        (
            "module.monitoring.aws_sns_topic_subscription.pager",
            {"filter_policy": '{"a":["b"]}'},
            VIOLATED,
            "does not certainly reach pager",
        ),
        (
            "module.monitoring.aws_sns_topic_subscription.pager",
            {"filter_policy": '{"a":["b"]}', "filter_policy_scope": "MessageBody"},
            UNDETERMINED,
            "does not certainly reach pager",
        ),
    ],
)
def test_what_is_changed_is_found(address: str, values: Mapping[str, Value], verdict: Verdict, said: str) -> None:
    """Each part of an alarm, a filter, a rule, a policy, a key and a subscription is compared."""
    found = bad(changed(address, **values))
    assert verdict in {finding.verdict for finding in found}
    assert verdict is VIOLATED or VIOLATED not in {finding.verdict for finding in found}
    assert said in "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (CPU, {"threshold": 70}),
        (CPU, {"unit": "Percent"}),
        (DENIED, {"threshold": 0.5}),
        (CPU, {"threshold": 80, "comparison_operator": "GreaterThanOrEqualToThreshold"}),
        (UNHEALTHY, {"threshold": 1, "comparison_operator": "GreaterThanOrEqualToThreshold"}),
        (DENIED, {"threshold": 1, "comparison_operator": "GreaterThanOrEqualToThreshold"}),
        (LAG, {"threshold": 0, "comparison_operator": "LessThanOrEqualToThreshold"}),
        (TOPIC, {"kms_master_key_id": None}),
        (TOPIC, {"kms_master_key_id": "alias/daily-report-tool-prod-notifications"}),
        (CPU, {"alarm_actions": ["arn:aws:sns:ap-northeast-1:123456789012:daily-report-tool-prod-warning"]}),
        (f'{RULES}["tasks"]', {"state": None, "is_enabled": True}),
    ],
)
def test_what_says_the_same_is_proven(address: str, values: Mapping[str, Value]) -> None:
    """An alarm that is stricter within the bounds, or written in another way, is as good."""
    assert [] == bad(changed(address, **values))


@pytest.mark.parametrize(
    ("expression", "verdicts"),
    [
        ("100 * failures / attempts", []),
        ("(failures / attempts) * 100", []),
        ("failures / attempts", [VIOLATED]),
        ("100 * attempts / failures", [VIOLATED]),
        ("IF(failures > 1, 100, 0)", [UNDETERMINED]),
        (Unknown("var.expression"), [UNDETERMINED]),
    ],
)
def test_an_expression_computes_what_is_wanted(expression: Value, verdicts: list[Verdict]) -> None:
    """One that is written in another way does; what is not read, or not known, is left open."""
    address = alarm("database_connection_failures")
    queries = reference().by_address[address].get("metric_query")
    given = [{**query, "expression": expression} if query["id"] == "rate" else query for query in queries]
    assert verdicts == [finding.verdict for finding in bad(changed(address, metric_query=given))]


@pytest.mark.parametrize(("threshold", "verdicts"), [(0.05, []), (0.07, [VIOLATED]), (5, [VIOLATED])])
def test_a_rate_may_be_a_fraction(threshold: float, verdicts: list[Verdict]) -> None:
    """A rate that is not in percent is compared with a hundredth of the threshold."""
    queries = reference().by_address[alarm("database_connection_failures")].get("metric_query")
    fraction = [{**query, "expression": "failures / attempts"} if query["id"] == "rate" else query for query in queries]
    found = bad(changed(alarm("database_connection_failures"), metric_query=fraction, threshold=threshold))
    assert verdicts == [finding.verdict for finding in found]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"deployment_circuit_breaker": []}, VIOLATED),
        ({"deployment_circuit_breaker": [{"enable": False, "rollback": False}]}, VIOLATED),
        ({"deployment_circuit_breaker": [{"enable": Unknown("var.breaker"), "rollback": True}]}, UNDETERMINED),
        ({"deployment_circuit_breaker": Unknown("var.breaker")}, UNDETERMINED),
        ({"deployment_circuit_breaker": [], "alarms": [{"enable": True, "rollback": True}]}, UNDETERMINED),
        ({"deployment_circuit_breaker": [], "deployment_controller": [{"type": "CODE_DEPLOY"}]}, UNDETERMINED),
    ],
)
def test_ecs_tells_of_a_failed_deployment_where_the_breaker_is_on(
    values: Mapping[str, Value], verdict: Verdict
) -> None:
    """An alarm on an event that is never sent is no alarm."""
    found = bad(changed("module.ecs.aws_ecs_service.this", **values))
    assert {verdict} == {finding.verdict for finding in found}
    assert ["deployment-failed", "deployment-success"] == sorted(finding.subject for finding in found)
    assert "a failed deployment does not reach" in found[0].reason
    assert "deployment_circuit_breaker {" in found[0].remedy


def test_cloudwatch_needs_no_topic_policy() -> None:
    """The policy that SNS gives a topic lets alarms of the account publish; rules need one of their own."""
    plan = reference()
    without = plan.replaced(resources=[one for one in plan.resources if one.type != "aws_sns_topic_policy"])
    assert {"events.amazonaws.com"} == {finding.subject.split(",")[0] for finding in bad(without)}


def with_alarms(**tables: Any) -> Contract:
    """Return the reference's contract with other [alarms]."""
    return CONTRACT.model_copy(update={"alarms": Alarms.model_validate(tables)})


def test_the_contract_changes_the_catalogue() -> None:
    """Another threshold is asked for, an alarm is not, and one of another metric is."""
    own = {
        "watches": "service",
        "level": "warning",
        "metric": {"namespace": "shop", "name": "Orders", "dimensions": {"Service": "{service_name}"}},
        "comparison": "<",
        "threshold": 1,
    }
    found = bad(
        reference(), with_alarms(items={"service-cpu": {"threshold": 90}, "orders": own}, without=["replica-lag"])
    )
    assert ["module.ecs.aws_ecs_service.this service-cpu", "module.ecs.aws_ecs_service.this orders"] == [
        finding.key for finding in found
    ]
    assert 'Service = "daily-report-tool-prod-backend"' in found[1].remedy


def test_the_contract_changes_the_routes() -> None:
    """A level of other channels makes its topics wrong, and says which channel is missing or too many."""
    levels = {"critical": ["chat", "email", "pager"], "warning": ["email"], "info": ["chat", "email"]}
    found = bad(reference(), with_alarms(levels=levels))
    assert found
    assert "also reaches" in str(found) or "another level" in str(found)


def test_a_network_load_balancer_has_metrics_of_its_own() -> None:
    """The namespace follows from the protocol of the target group."""
    found = bad(changed("module.network.aws_lb_target_group.tasks", protocol="TCP"))
    assert {"unhealthy-targets", "no-healthy-target"} == {finding.subject for finding in found}
    assert "AWS/NetworkELB" in found[0].remedy


@pytest.mark.parametrize(("engine", "verdicts"), [("mysql", []), (Unknown("var.engine"), [UNDETERMINED])])
def test_the_log_of_another_engine_is_not_read(engine: Value, verdicts: list[Verdict]) -> None:
    """Failed connections are asked for of PostgreSQL; where the engine is not known, it cannot be decided."""
    plan = changed("module.rds.aws_db_instance.this", engine=engine)
    without = plan.replaced(
        resources=[one for one in plan.resources if one.address != alarm("database_connection_failures")]
    )
    assert verdicts == [finding.verdict for finding in bad(without)]


SMALL = """
provider "aws" { region = "eu-west-1" }
resource "aws_ecs_cluster" "main" { name = "shop" }
resource "aws_ecs_service" "api" {
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  name    = "api"
  cluster = aws_ecs_cluster.main.id
  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "api"
    container_port   = 80
  }
}
resource "aws_lb" "main" { name = "shop" }
resource "aws_lb_target_group" "api" { name = "api" }
resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  default_action {
    type = "forward"
    forward {
      target_group { arn = aws_lb_target_group.api.arn }
    }
  }
}
resource "aws_db_instance" "main" {
  identifier                      = "shop"
  engine                          = "postgres"
  parameter_group_name            = "shop"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
resource "aws_db_instance" "copy" {
  identifier          = "shop-copy"
  replicate_source_db = aws_db_instance.main.identifier
}
resource "aws_secretsmanager_secret" "db" { name = "shop/db" }
resource "aws_secretsmanager_secret" "jwt" { name = "shop/jwt" }
resource "aws_sns_topic" "alerts" {
  for_each = toset(["critical", "warning", "info"])
  name     = each.key
}
resource "aws_sns_topic_policy" "alerts" {
  for_each = aws_sns_topic.alerts
  arn      = each.value.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = "sns:Publish", Resource = each.value.arn
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
    }]
  })
}
resource "aws_sns_topic_subscription" "chat" {
  for_each  = aws_sns_topic.alerts
  topic_arn = each.value.arn
  protocol  = "lambda"
  endpoint  = "arn:aws:lambda:eu-west-1:111122223333:function:chat"
}
resource "aws_sns_topic_subscription" "email" {
  for_each  = toset(["critical", "warning"])
  topic_arn = aws_sns_topic.alerts[each.key].arn
  protocol  = "email"
  endpoint  = "oncall@example.com"
}
resource "aws_sns_topic_subscription" "pager" {
  topic_arn = aws_sns_topic.alerts["critical"].arn
  protocol  = "https"
  endpoint  = "https://events.pagerduty.com/integration/key/enqueue"
}
resource "aws_cloudwatch_log_group" "events" { name = "/aws/events/shop-prod" }
resource "aws_cloudwatch_event_rule" "all" {
  name          = "all"
  state         = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
  event_pattern = jsonencode({ source = ["aws.ecs", "aws.secretsmanager"] })
}
resource "aws_cloudwatch_event_target" "all" {
  rule = aws_cloudwatch_event_rule.all.name
  arn  = aws_cloudwatch_log_group.events.arn
}
resource "aws_cloudwatch_log_resource_policy" "all" {
  policy_name = "events"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.events.arn}:*"
      Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
    }]
  })
}
"""
SHOP = Contract.model_validate(
    {
        "project": {"application": "shop"},
        "environments": {"prod": {"account_id": "111122223333", "region": "eu-west-1"}},
        "alarms": {
            "channels": {
                "chat": {"protocols": ["lambda"], "endpoint": "arn:aws:lambda:.*:function:chat$"},
                "email": {"protocols": ["email"]},
                "pager": {"protocols": ["https"], "endpoint": "https://events"},
            }
        },
    }
)


def test_the_fixes_mend(tmp_path: Path) -> None:
    """What the findings of an infrastructure without alarms give to paste makes the rule proven."""
    before = bad(plan_of(tmp_path, SMALL), SHOP)
    pasted = "\n".join(finding.remedy for finding in before)
    after = bad(plan_of(tmp_path, {"main.tf": SMALL, "alarms.tf": pasted}), SHOP)

    assert {VIOLATED} == {finding.verdict for finding in before}
    assert 22 == len(before)
    assert [] == after
    assert [] == [line for line in re.findall(r"pattern +=(.*)", pasted) if len(line) > 1024]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('aws_ecs_service" "api" {\n', 'aws_ecs_service" "api" {\n  # default\n', ""),
        (
            "aws_lb_target_group.api.arn\n",
            '"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api/12"\n',
            "the load balancer of",
        ),
        ('aws_sns_topic_subscription" "chat', 'aws_sns_topic_subscription" "chatter', ""),
    ],
)
def test_variants_of_the_small_source(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A target group from elsewhere leaves its load balancer unknown; nothing else is lost."""
    pasted = "\n".join(finding.remedy for finding in bad(plan_of(tmp_path, SMALL), SHOP))
    source = SMALL.replace(old, new, 1) + 'variable "chat" {}'
    found = bad(plan_of(tmp_path, {"main.tf": source, "alarms.tf": pasted}), SHOP)
    if said:
        assert found
        assert {"no-healthy-target", "unhealthy-targets"} == {finding.subject for finding in found}
    else:
        assert [] == found


@pytest.mark.parametrize(
    ("endpoint", "verdict"),
    [("arn:aws:lambda:eu-west-1:111122223333:function:other", VIOLATED), ("${var.x}", UNDETERMINED)],
)
def test_a_function_is_a_chat_if_the_contract_says_so(tmp_path: Path, endpoint: str, verdict: Verdict) -> None:
    """A Lambda function that is not the one of the contract's channel reaches nobody, one that is not known perhaps."""
    pasted = "\n".join(finding.remedy for finding in bad(plan_of(tmp_path, SMALL), SHOP))
    source = SMALL.replace("arn:aws:lambda:eu-west-1:111122223333:function:chat", endpoint) + 'variable "x" {}'
    found = bad(plan_of(tmp_path, {"main.tf": source, "alarms.tf": pasted}), SHOP)
    assert {verdict} == {finding.verdict for finding in found if finding.subject.startswith("subscriptions")}


@pytest.mark.parametrize("endpoint", ['"oncall@example.com"', '""', "null"])
def test_a_subscription_without_an_endpoint_reaches_nobody(tmp_path: Path, endpoint: str) -> None:
    """Whatever its protocol is."""
    pasted = "\n".join(finding.remedy for finding in bad(plan_of(tmp_path, SMALL), SHOP))
    source = SMALL.replace('"oncall@example.com"', endpoint)
    found = bad(plan_of(tmp_path, {"main.tf": source, "alarms.tf": pasted}), SHOP)
    expected = [] if endpoint.strip('"').count("@") else ["critical", "warning"]
    assert [f"subscriptions of level {level}" for level in expected] == [one.subject for one in found]
    assert all(one.verdict is VIOLATED and "reach email" in one.reason for one in found)


def test_missing_subscriptions_come_with_the_variables_of_their_endpoints(tmp_path: Path) -> None:
    """What the findings of two levels give to paste stands side by side: each declares what it refers to."""
    pasted = "\n".join(finding.remedy for finding in bad(plan_of(tmp_path, SMALL), SHOP))
    source = re.sub(r'resource "aws_sns_topic_subscription" "email" \{.*?\n\}\n', "", SMALL, flags=re.DOTALL)
    found = bad(plan_of(tmp_path, {"main.tf": source, "alarms.tf": pasted}), SHOP)
    assert ["subscriptions of level critical", "subscriptions of level warning"] == [each.subject for each in found]
    remedies = "\n".join(finding.remedy for finding in found)
    values = ["critical_email_endpoint", "warning_email_endpoint"]
    fixed = plan_of(
        tmp_path,
        {"main.tf": source, "alarms.tf": pasted, "subscriptions.tf": remedies},
        arguments=[Assignment(name, "oncall@example.com") for name in values],
    )
    assert [] == bad(fixed, SHOP)


def test_a_trail_writes_its_events_as_they_are(tmp_path: Path) -> None:
    """A filter on the log group of a trail reads CloudTrail's own form, without EventBridge around it."""
    source = """
    resource "aws_secretsmanager_secret" "db" { name = "db" }
    resource "aws_cloudwatch_log_group" "trail" { name = "trail" }
    resource "aws_cloudtrail" "main" { cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.trail.arn}:*" }
    resource "aws_cloudwatch_log_metric_filter" "denied" {
      log_group_name = aws_cloudwatch_log_group.trail.name
      pattern        = "{ ($.errorCode = AccessDenied*) && ($.errorMessage = \\"*:secret:db-*\\") }"
      metric_transformation {
        namespace = "own"
        name      = "denied"
        value     = "1"
      }
    }
    resource "aws_sns_topic" "critical" { name = "critical" }
    resource "aws_cloudwatch_metric_alarm" "denied" {
      alarm_name          = "denied"
      namespace           = "own"
      metric_name         = "denied"
      statistic           = "Sum"
      period              = 60
      evaluation_periods  = 1
      threshold           = 0
      comparison_operator = "GreaterThanThreshold"
      treat_missing_data  = "notBreaching"
      alarm_actions       = [aws_sns_topic.critical.arn]
    }
    """
    findings = judged(plan_of(tmp_path, source), SHOP)
    (denied,) = [finding for finding in findings if finding.subject == "secret-access-denied"]
    assert PROVEN is denied.verdict


def test_what_is_not_there_is_not_watched(tmp_path: Path) -> None:
    """Where there is no service, database or secret, only the environment is watched."""
    findings = check_alarms(plan_of(tmp_path, 'resource "aws_sns_topic" "x" { name = "x" }'), SHOP, "prod")
    assert [f"environment prod {name}" for name in ("permission-checks", "consistency-checks", "run-completed")] == [
        finding.key for finding in findings
    ]


COMPOSITE = "module.monitoring.aws_cloudwatch_composite_alarm.application_down"
BOTH = {"critical": ["chat", "email"], "warning": ["chat", "email"], "info": ["chat"]}


@pytest.mark.parametrize(("name", "missed"), [("no-healthy-target", False), ("cpu", True)])
def test_a_composite_alarm_may_name_an_alarm_by_its_arn(name: str, *, missed: bool) -> None:
    """It tells of that alarm, and of no other."""
    arn = f"arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:daily-report-tool-prod-{name}"
    found = bad(changed(COMPOSITE, alarm_rule=f'ALARM("{arn}")'))

    assert missed is any("no-healthy-target" in one.key for one in found)


@pytest.mark.parametrize(
    ("description", "verdict"),
    [
        ("Playbook: docs/playbooks/en/health-check-failing.md", PROVEN),
        ("See ./docs/playbooks/en/health-check-failing.md.", PROVEN),
        ("https://git.example.com/x/blob/main/docs/playbooks/en/health-check-failing.md#2-restore", PROVEN),
        ("手順は「docs/playbooks/ja/health-check-failing.md」を参照", PROVEN),
        ("プレイブックhealth-check-failingを参照", PROVEN),
        ("Open health-check-failing", PROVEN),
        ("Playbook: escalation", PROVEN),
        ("対応手順：escalation", PROVEN),
        (Text(("Users of ", Unknown("var.x"), " wait. Playbook: health-check-failing")), PROVEN),
        ("Escalation: by escalation to the team", VIOLATED),
        ("The alarm my-health-check-failing-alarm", VIOLATED),
        ("Playbook: docs/playbooks/fr/health-check-failing.md", VIOLATED),
        ("Playbook: mydocs/playbooks/en/health-check-failing.md", VIOLATED),
        ("Playbook: roll back", VIOLATED),
        ("", VIOLATED),
        (None, VIOLATED),
        (Unknown("var.description"), UNDETERMINED),
        (Text(("Playbook: ", Unknown("var.playbook"))), UNDETERMINED),
    ],
)
def test_a_critical_alarm_names_a_playbook(description: Value, verdict: Verdict) -> None:
    """Its description has the id of a playbook or the path of a page that exists, in any language."""
    found = judged(changed(COMPOSITE, alarm_description=description))
    (one,) = [finding for finding in found if finding.key == f"{COMPOSITE} playbook"]
    assert verdict is one.verdict
    assert {one.verdict, PROVEN} == {finding.verdict for finding in found} | {PROVEN}
    if verdict is not PROVEN:
        assert "composite.tf:" in str(one.location)
        assert "database-unreachable" in one.expected
        assert re.search(r'^alarm_description = ".*Playbook: ID\." # ID: ', one.remedy)


def test_the_line_to_paste_names_a_playbook() -> None:
    """What the finding gives to paste fixes it, and keeps what the description said."""
    (found,) = bad(changed(DENIED, alarm_description="Somebody may not read ${secret}."))
    assert r'alarm_description = "Somebody may not read $${secret}. Playbook: secret-access-denied."' == found.remedy
    assert [] == bad(changed(DENIED, alarm_description=found.remedy.partition('"')[2].rstrip('"')))


def test_which_alarms_are_critical() -> None:
    """Those that tell of a critical item, or go to a topic of that level alone; not one that a composite tells of."""
    named = [finding.address for finding in judged(reference()) if finding.subject == "playbook"]
    assert [DENIED, COMPOSITE, COMPOSITE.replace("application_down", "database_unreachable")] == named
    plan = changed(CPU, alarm_actions=[Unknown(f"{TOPIC}.arn")])
    assert f"{CPU} playbook" in {finding.key for finding in bad(plan)}
    named = [finding.key for finding in judged(reference(), with_alarms(levels=BOTH)) if finding.subject == "playbook"]
    assert not [key for key in named if "utilization" in key]


def test_no_playbook_is_asked_for_without_the_table() -> None:
    """A contract without [playbooks] leaves the descriptions alone."""
    without = CONTRACT.model_copy(update={"playbooks": None})
    found = judged(changed(COMPOSITE, alarm_description=None), without)
    assert 33 == len(found)
    assert {PROVEN} == {finding.verdict for finding in found}


def test_a_missing_critical_alarm_is_given_with_its_playbook() -> None:
    """The alarm to paste names the playbook that the rule asks for."""
    plan = reference()
    found = bad(plan.replaced(resources=[one for one in plan.resources if one.address != DENIED]))
    assert all("Playbook: secret-access-denied." in finding.remedy for finding in found)


@pytest.mark.parametrize("address", needed())
def test_nothing_on_the_way_of_an_alert_is_certain_by_what_may_be_absent(address: str) -> None:
    """Whatever is on the way, an unknown count of it proves nothing and refutes nothing."""
    plan = reference()
    without = bad(plan.replaced(resources=[one for one in plan.resources if one.address != address]))
    found = bad(plan.replaced(uncertain=absent(address)))
    assert {UNDETERMINED} == {finding.verdict for finding in found}
    referred_to = ".aws_sns_topic.level" in address
    assert referred_to or {one.key for one in without} <= {one.key for one in found}


def test_a_watched_thing_of_which_there_may_be_none() -> None:
    """Without an alarm it is not certain that something is missing where there may be nothing to watch."""
    plan, watched = reference(), "module.network.aws_lb_target_group.tasks"
    left = [one for one in plan.resources if one.address != UNHEALTHY]
    judged_so = bad(plan.replaced(resources=left, uncertain=absent(watched)))
    (found,) = (one for one in judged_so if one.subject == "unhealthy-targets")
    assert (watched, UNDETERMINED) == (found.address, found.verdict)
    assert f"the count of {watched} is unknown: var.on ? 1 : 0; without an instance nothing is wrong" in found.reason


def test_a_subscription_of_which_there_may_be_none() -> None:
    """An unknown for_each or count may be empty: the channel is not certainly reached."""
    plan, pager = reference(), "module.monitoring.aws_sns_topic_subscription.pager"
    found = bad(plan.replaced(uncertain=absent(pager)))
    assert ["subscriptions of level critical"] == [finding.subject for finding in found]
    assert UNDETERMINED is found[0].verdict
    assert "does not certainly reach pager" in found[0].reason


def test_an_alarm_of_which_there_may_be_none() -> None:
    """An unknown count may be none: it is not certain that anything is watched."""
    (found,) = bad(reference().replaced(uncertain=absent(UNHEALTHY)))
    assert UNDETERMINED is found.verdict
    assert f"there may be none of it: the count of {UNHEALTHY} is unknown: var.on ? 1 : 0" == found.reason
    assert found.remedy.startswith(f"in {UNHEALTHY}\ngive var.on a value")
