"""Each service's answers, and the resources that they become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import ResourceRefusalError
from infraspec.core.unknown import Unknown
from infraspec.live.plan import LivePlan, live_plan
from infraspec.monitoring.alarms import alarms
from tests.live.answers import Answers
from tests.live.world import ACCOUNT, REGION, TAGS, contract, pairs, source

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:app-prod-critical"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/app-prod/50dc"
GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/app-prod/73e2"
LISTENER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/app-prod/50dc/0467"
NOTHING: dict[str, Any] = {}
SOURCE = """
resource "aws_sns_topic" "critical" { name = "app-prod-critical" }
resource "aws_sns_topic_policy" "critical" {
  arn    = aws_sns_topic.critical.arn
  policy = "{}"
}
resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.critical.arn
  protocol  = "email"
  endpoint  = "team@example.com"
}
resource "aws_chatbot_slack_channel_configuration" "alerts" {
  configuration_name = "app-prod"
  sns_topic_arns     = [aws_sns_topic.critical.arn]
}
resource "aws_cloudwatch_metric_alarm" "errors" { alarm_name = "app-prod-errors" }
resource "aws_cloudwatch_metric_alarm" "share" { alarm_name = "app-prod-share" }
resource "aws_cloudwatch_composite_alarm" "down" { alarm_name = "app-prod-down" }
resource "aws_cloudwatch_composite_alarm" "slow" { alarm_name = "app-prod-slow" }
resource "aws_cloudwatch_event_rule" "deletion" { name = "app-prod-deletion" }
resource "aws_cloudwatch_event_target" "topic" {
  rule = aws_cloudwatch_event_rule.deletion.name
  arn  = aws_sns_topic.critical.arn
}
resource "aws_cloudwatch_log_group" "api" { name_prefix = "/ecs/app-prod-" }
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = "/ecs/app-prod-api"
}
resource "aws_cloudwatch_log_resource_policy" "events" { policy_name = "events" }
resource "aws_db_instance" "main" { identifier = "app-prod-db" }
resource "aws_db_parameter_group" "main" { name = "app-prod-pg" }
resource "aws_db_subnet_group" "main" { name = "app-prod" }
resource "aws_lb" "main" { name = "app-prod" }
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
}
resource "aws_lb_target_group" "main" { name = "app-prod" }
resource "aws_ecr_repository" "api" { name = "app-prod-api" }
resource "aws_ecr_repository_policy" "api" {
  repository = aws_ecr_repository.api.name
  policy     = "{}"
}
resource "aws_s3_bucket" "state" { bucket = "app-prod-state" }
resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = "{}"
}
resource "aws_dynamodb_table" "lock" { name = "app-prod-lock" }
resource "aws_ssm_parameter" "level" { name = "/app/prod/level" }
resource "aws_vpc" "main" { tags = { Name = "app-prod" } }
resource "aws_security_group" "api" { name = "app-prod-api" }
resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.api.id
  description       = "HTTPS"
}
resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id = aws_security_group.api.id
  description       = "Database"
  from_port         = 5432
  to_port           = 5432
}
"""


def exists(directory: Path, answers: dict[str, Any]) -> LivePlan:
    """Return what exists where AWS answers this; nothing of it is tagged otherwise."""
    table: dict[tuple[str, str], Any] = {("resourcegroupstaggingapi", "get_resources"): NOTHING}
    for name, answer in answers.items():
        service, _, operation = name.partition("__")
        table[service, operation] = answer
    return live_plan(Answers(table, ACCOUNT, "aws", REGION), source(directory, SOURCE), contract(), "prod")


ALARMS = {
    "MetricAlarms": [
        {
            "AlarmName": "app-prod-errors",
            "AlarmArn": "arn:1",
            "Namespace": "app",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "Service", "Value": "api"}],
            "Threshold": 1.0,
            "ActionsEnabled": False,
            "AlarmActions": [TOPIC],
        },
        {
            "AlarmName": "app-prod-share",
            "AlarmArn": "arn:2",
            "Metrics": [
                {"Id": "share", "Expression": "100 * errors", "ReturnData": True},
                {
                    "Id": "errors",
                    "ReturnData": False,
                    "MetricStat": {
                        "Metric": {"Namespace": "app", "MetricName": "Errors", "Dimensions": []},
                        "Period": 60,
                        "Stat": "Sum",
                    },
                },
            ],
        },
        {"AlarmName": "other", "AlarmArn": "arn:3"},
    ],
    "CompositeAlarms": [
        {
            "AlarmName": "app-prod-down",
            "AlarmArn": "arn:4",
            "AlarmRule": 'ALARM("app-prod-errors")',
            "ActionsSuppressor": "app-prod-share",
            "ActionsSuppressorWaitPeriod": 120,
            "ActionsSuppressorExtensionPeriod": 60,
        },
        {"AlarmName": "app-prod-slow", "AlarmArn": "arn:5", "AlarmRule": 'ALARM("app-prod-share")'},
    ],
}


def test_alarms(tmp_path: Path) -> None:
    """Metric alarms and composite ones are asked for by their type, and read by the checks as written ones are."""
    asked: list[list[str]] = []

    def described(AlarmTypes: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        asked.append(AlarmTypes)
        return ALARMS

    plan = exists(tmp_path, {"cloudwatch__describe_alarms": described})
    errors, share = alarms(plan)
    assert asked == [["MetricAlarm"]]
    assert errors.resource.address == "aws_cloudwatch_metric_alarm.errors"
    assert errors.series[""].dimensions == {"Service": "api"}
    assert (errors.get("actions_enabled"), errors.get("alarm_actions")) == (False, [TOPIC])
    assert share.expression == "100 * errors"
    assert share.series["errors"].statistic == "Sum"
    composite, plain = plan.managed("aws_cloudwatch_composite_alarm")
    assert asked == [["MetricAlarm"], ["CompositeAlarm"]]
    assert composite.get("alarm_rule") == 'ALARM("app-prod-errors")'
    suppressor = {"alarm": "app-prod-share", "wait_period": 120, "extension_period": 60}
    assert ([suppressor], []) == (composite.get("actions_suppressor"), plain.get("actions_suppressor"))


OF_SNS = {
    "Sid": "__default_statement_ID",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": [
        *("SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission"),
        *("SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"),
    ],
    "Resource": TOPIC,
    "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
}


@pytest.mark.parametrize(
    ("statements", "is_of_sns"),
    [
        pytest.param([OF_SNS], True, id="as SNS makes it"),
        pytest.param([OF_SNS | {"Action": [*OF_SNS["Action"], "SNS:Receive"]}], True, id="as SNS made it once"),
        pytest.param([OF_SNS | {"Effect": "Deny"}], False, id="effect"),
        pytest.param([OF_SNS | {"Action": ["SNS:Subscribe"]}], False, id="actions"),
        pytest.param([OF_SNS | {"Action": "SNS:Publish"}], False, id="one action"),
        pytest.param([OF_SNS | {"Principal": {"AWS": ACCOUNT}}], False, id="principal"),
        pytest.param([OF_SNS | {"Condition": {"StringEquals": {"AWS:SourceOwner": "1"}}}], False, id="owner"),
        pytest.param([OF_SNS | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}], False, id="condition"),
        pytest.param([OF_SNS, OF_SNS | {"Effect": "Deny", "Principal": "*"}], False, id="one more"),
        pytest.param([], False, id="none"),
    ],
)
def test_policies_of_topics(tmp_path: Path, statements: list[dict[str, Any]], *, is_of_sns: bool) -> None:
    """The policy that SNS gave a topic is none of the source's; one that was changed and keeps its Id is looked at."""
    policy = json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": statements})
    plan = exists(
        tmp_path,
        {
            "sns__list_topics": {"Topics": [{"TopicArn": TOPIC}]},
            "sns__get_topic_attributes": {"Attributes": {"Policy": policy}},
            "sns__list_subscriptions_by_topic": {},
        },
    )
    assert [one.get("policy") for one in plan.managed("aws_sns_topic_policy")] == ([] if is_of_sns else [policy])


def test_topics(tmp_path: Path) -> None:
    """A topic comes with the policy that somebody gave it, its subscriptions, and the chat that reads it."""
    policy = '{"Statement": []}'
    subscriptions = [
        {"Protocol": "email", "Endpoint": "team@example.com", "SubscriptionArn": "PendingConfirmation"},
        {"Protocol": "sqs", "Endpoint": "arn:q", "SubscriptionArn": f"{TOPIC}:1"},
        {"Protocol": "https", "Endpoint": "https://global.sns-api.chatbot.amazonaws.com", "SubscriptionArn": "x"},
    ]
    plan = exists(
        tmp_path,
        {
            "sns__list_topics": {"Topics": [{"TopicArn": TOPIC}, {"TopicArn": f"{TOPIC}-other"}]},
            "sns__get_topic_attributes": {"Attributes": {"Policy": policy, "KmsMasterKeyId": "alias/x"}},
            "sns__list_subscriptions_by_topic": {"Subscriptions": subscriptions},
            "sns__get_subscription_attributes": {"Attributes": {"FilterPolicy": "{}"}},
        },
    )
    (topic,) = plan.managed("aws_sns_topic")
    assert (topic.address, topic.get("kms_master_key_id")) == ("aws_sns_topic.critical", "alias/x")
    assert [one.get("policy") for one in plan.managed("aws_sns_topic_policy")] == [policy]
    mail, queue = plan.managed("aws_sns_topic_subscription")
    assert (mail.address, mail.get("pending_confirmation")) == ("aws_sns_topic_subscription.mail", True)
    assert (queue.address, queue.get("filter_policy")) == (f"{TOPIC}:1", "{}")
    (chat,) = plan.managed("aws_chatbot_slack_channel_configuration")
    assert (chat.address, chat.get("sns_topic_arns")) == ("aws_chatbot_slack_channel_configuration.alerts", [TOPIC])


def test_events(tmp_path: Path) -> None:
    """A rule comes with its tags and targets."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/app-prod-deletion"
    plan = exists(
        tmp_path,
        {
            "events__list_rules": {
                "Rules": [{"Name": "app-prod-deletion", "Arn": arn, "State": "ENABLED"}, {"Name": "x", "Arn": "arn:x"}]
            },
            "events__list_tags_for_resource": {"Tags": [*pairs(TAGS), {"Key": "aws:stack", "Value": "x"}]},
            "events__list_targets_by_rule": {"Targets": [{"Id": "t", "Arn": TOPIC}]},
        },
    )
    rule, target = plan.managed("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target")
    assert (rule.get("state"), rule.get("tags_all")) == ("ENABLED", TAGS)
    assert (target.address, target.get("arn")) == ("aws_cloudwatch_event_target.topic", TOPIC)


def test_logs(tmp_path: Path) -> None:
    """A log group is the source's by its prefix; filters and policies come with it."""
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/app-prod-api"
    transformation = {"metricName": "Errors", "metricNamespace": "app", "metricValue": "1"}
    plan = exists(
        tmp_path,
        {
            "logs__describe_log_groups": {
                "logGroups": [{"logGroupName": "/ecs/app-prod-api", "arn": f"{arn}:*", "retentionInDays": 30}]
            },
            "logs__describe_metric_filters": {
                "metricFilters": [
                    {
                        "logGroupName": "/ecs/app-prod-api",
                        "filterName": "errors",
                        "filterPattern": "ERROR",
                        "metricTransformations": [transformation],
                    }
                ]
            },
            "logs__describe_resource_policies": {
                "resourcePolicies": [{"policyName": "events", "policyDocument": "{}"}]
            },
        },
    )
    (group,) = plan.managed("aws_cloudwatch_log_group")
    assert (group.address, group.get("arn")) == ("aws_cloudwatch_log_group.api", arn)
    (metric_filter,) = plan.managed("aws_cloudwatch_log_metric_filter")
    assert metric_filter.get("metric_transformation") == [{"name": "Errors", "namespace": "app", "value": "1"}]
    assert [one.get("policy_document") for one in plan.managed("aws_cloudwatch_log_resource_policy")] == ["{}"]


def test_databases(tmp_path: Path) -> None:
    """A database comes with what its alarms and logs depend on, a parameter group with what was set in it."""
    database = {
        "DBInstanceIdentifier": "app-prod-db",
        "DBInstanceArn": "arn:db",
        "Engine": "postgres",
        "ReadReplicaSourceDBInstanceIdentifier": "",
        "EnabledCloudwatchLogsExports": ["postgresql"],
        "DBParameterGroups": [{"DBParameterGroupName": "app-prod-pg"}],
        "MasterUserSecret": {"SecretArn": "arn:secret", "KmsKeyId": "arn:key"},
        "TagList": pairs(TAGS),
    }
    plan = exists(
        tmp_path,
        {
            "rds__describe_db_instances": {"DBInstances": [database]},
            "rds__describe_db_subnet_groups": {
                "DBSubnetGroups": [{"DBSubnetGroupName": "app-prod", "DBSubnetGroupArn": "arn:s"}]
            },
            "rds__describe_db_parameter_groups": {
                "DBParameterGroups": [{"DBParameterGroupName": "app-prod-pg", "DBParameterGroupArn": "arn:p"}]
            },
            "rds__describe_db_parameters": {
                "Parameters": [{"ParameterName": "log_connections", "ParameterValue": "1"}]
            },
            "rds__list_tags_for_resource": {"TagList": pairs(TAGS)},
        },
    )
    (main,) = plan.managed("aws_db_instance")
    assert (main.get("parameter_group_name"), main.get("replicate_source_db")) == ("app-prod-pg", None)
    assert main.get("master_user_secret") == [{"secret_arn": "arn:secret", "kms_key_id": "arn:key"}]
    (group,) = plan.managed("aws_db_parameter_group")
    assert group.get("parameter") == [{"name": "log_connections", "value": "1"}]
    assert [one.get("tags") for one in plan.managed("aws_db_subnet_group")] == [TAGS]


def test_balancers(tmp_path: Path) -> None:
    """Load balancer, listener and target group have the ends of their ARNs, which alarms name them by."""
    listener = {
        "ListenerArn": LISTENER,
        "LoadBalancerArn": BALANCER,
        "Port": 443,
        "DefaultActions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": GROUP}]}}],
    }
    plan = exists(
        tmp_path,
        {
            "elbv2__describe_load_balancers": {
                "LoadBalancers": [{"LoadBalancerName": "app-prod", "LoadBalancerArn": BALANCER}]
            },
            "elbv2__describe_target_groups": {
                "TargetGroups": [{"TargetGroupName": "app-prod", "TargetGroupArn": GROUP, "Protocol": "HTTP"}]
            },
            "elbv2__describe_tags": {"TagDescriptions": [{"ResourceArn": BALANCER, "Tags": pairs(TAGS)}]},
            "elbv2__describe_load_balancer_attributes": {
                "Attributes": [
                    {"Key": "deletion_protection.enabled", "Value": "true"},
                    {"Key": "access_logs.s3.bucket", "Value": "app-prod-logs"},
                ]
            },
            "elbv2__describe_target_group_attributes": {
                "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
            },
            "elbv2__describe_listeners": {"Listeners": [listener]},
        },
    )
    balancer, https, group = plan.managed("aws_lb", "aws_lb_listener", "aws_lb_target_group")
    assert (balancer.get("arn_suffix"), balancer.get("tags")) == ("app/app-prod/50dc", TAGS)
    assert https.address == "aws_lb_listener.https"
    forward = {"target_group": [{"arn": GROUP}], "stickiness": []}
    action = {"redirect": [], "fixed_response": [], "forward": [forward], "type": "forward", "target_group_arn": GROUP}
    assert https.get("default_action") == [action]
    assert (balancer.get("enable_deletion_protection"), group.get("deregistration_delay")) == ("true", "30")
    assert balancer.get("access_logs") == [{"bucket": "app-prod-logs"}]
    assert (group.get("arn_suffix"), group.get("tags")) == ("targetgroup/app-prod/73e2", {})


def test_storage(tmp_path: Path) -> None:
    """Repositories and buckets come with their policies, tables with their ARNs."""
    repository = {"repositoryName": "app-prod-api", "repositoryArn": "arn:r", "repositoryUri": "x.dkr.ecr/app"}
    plan = exists(
        tmp_path,
        {
            "ecr__describe_repositories": {"repositories": [repository]},
            "ecr__list_tags_for_resource": {"tags": pairs(TAGS)},
            "ecr__get_repository_policy": {"policyText": "{}"},
            "s3__list_buckets": {"Buckets": [{"Name": "app-prod-state"}, {"Name": "other"}]},
            "s3__get_bucket_tagging": None,
            "s3__get_bucket_policy": {"Policy": "{}"},
            "dynamodb__list_tables": {"TableNames": ["app-prod-lock", "other"]},
            "dynamodb__describe_table": {"Table": {"KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}]}},
            "dynamodb__describe_continuous_backups": {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                }
            },
            "dynamodb__describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        },
    )
    found = plan.managed(
        "aws_ecr_repository",
        "aws_ecr_repository_policy",
        "aws_s3_bucket",
        "aws_s3_bucket_policy",
        "aws_dynamodb_table",
    )
    assert [one.address for one in found] == [
        "aws_ecr_repository.api",
        "aws_ecr_repository_policy.api",
        "aws_s3_bucket.state",
        "aws_s3_bucket_policy.state",
        "aws_dynamodb_table.lock",
    ]
    assert found[0].get("repository_url") == "x.dkr.ecr/app"
    assert found[2].get("tags") == {}
    lock = found[4]
    assert (lock.get("hash_key"), lock.get("point_in_time_recovery"), lock.get("ttl")) == (
        "LockID",
        [{"enabled": True}],
        [{"enabled": False}],
    )


def test_storage_that_keeps_the_runner_out(tmp_path: Path) -> None:
    """The policies and tags of a repository and a bucket are not known; neither is taken for one without."""

    def refused(**_: object) -> None:
        raise ResourceRefusalError("the runner may not")

    repository = {"repositoryName": "app-prod-api", "repositoryArn": "arn:r", "repositoryUri": "x.dkr.ecr/app"}
    plan = exists(
        tmp_path,
        {
            "ecr__describe_repositories": {"repositories": [repository]},
            "ecr__list_tags_for_resource": refused,
            "ecr__get_repository_policy": refused,
            "s3__list_buckets": {"Buckets": [{"Name": "app-prod-state"}]},
            "s3__get_bucket_tagging": refused,
            "s3__get_bucket_policy": refused,
        },
    )

    policies = plan.managed("aws_ecr_repository_policy", "aws_s3_bucket_policy")
    tagged = plan.managed("aws_ecr_repository", "aws_s3_bucket")
    arns = "arn:r", "arn:aws:s3:::app-prod-state"
    shown = [f"the {what} of {arn}, which denies the runner," for what in ("policy", "tags") for arn in arns]
    found = [one.get("policy") for one in policies] + [one.get("tags_all") for one in tagged]
    assert list(map(Unknown, shown)) == found


def test_network(tmp_path: Path) -> None:
    """What has no name is the source's by its tag Name; rules are by group and description, or by ports."""
    rules = [
        {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": False, "Description": "HTTPS"},
        {"SecurityGroupRuleId": "sgr-2", "GroupId": "sg-1", "IsEgress": True, "FromPort": 5432, "ToPort": 5432},
        {"SecurityGroupRuleId": "sgr-3", "GroupId": "sg-1", "IsEgress": True, "FromPort": 0, "ToPort": 0},
        {"SecurityGroupRuleId": "sgr-4", "GroupId": "sg-other", "IsEgress": True, "Tags": pairs(TAGS)},
    ]
    answers = {
        f"ec2__{name}": NOTHING
        for name in (
            "describe_subnets",
            "describe_internet_gateways",
            "describe_nat_gateways",
            "describe_addresses",
            "describe_route_tables",
            "describe_vpc_endpoints",
        )
    }
    named = [{"Key": "Name", "Value": "app-prod"}]
    plan = exists(
        tmp_path,
        {
            **answers,
            "ec2__describe_vpcs": {"Vpcs": [{"VpcId": "vpc-1", "Tags": named}, {"VpcId": "vpc-2"}]},
            "ec2__describe_security_groups": {
                "SecurityGroups": [
                    {"GroupId": "sg-1", "GroupName": "app-prod-api"},
                    {"GroupId": "sg-2", "GroupName": "default"},
                ]
            },
            "ec2__describe_security_group_rules": {"SecurityGroupRules": rules},
        },
    )
    types = ("aws_vpc", "aws_security_group", "aws_default_security_group", "aws_subnet")
    assert [one.address for one in plan.managed(*types)] == ["aws_vpc.main", "aws_security_group.api"]
    rule_types = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
    assert [one.address for one in plan.managed(*rule_types)] == [
        "aws_vpc_security_group_ingress_rule.https",
        "aws_vpc_security_group_egress_rule.database",
    ]


def test_parameters(tmp_path: Path) -> None:
    """Parameters are asked for by name, with their tags, and without their values."""
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/prod/level"
    listed = {"Parameters": [{"Name": "/app/prod/level", "Type": "SecureString", "KeyId": "alias/aws/ssm"}]}
    asked: list[Any] = []

    def described(ParameterFilters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        asked.extend(ParameterFilters)
        return listed

    plan = exists(
        tmp_path,
        {
            "ecs__list_clusters": NOTHING,
            "ecs__describe_clusters": NOTHING,
            "ecs__list_task_definition_families": NOTHING,
            "ssm__describe_parameters": described,
            "resourcegroupstaggingapi__get_resources": {
                "ResourceTagMappingList": [{"ResourceARN": arn, "Tags": pairs(TAGS)}]
            },
        },
    )
    (level,) = plan.managed("aws_ssm_parameter")
    assert (level.address, level.get("arn"), level.get("tags")) == ("aws_ssm_parameter.level", arn, TAGS)
    assert "value" not in level.values
    assert [one["Values"] for one in asked] == [["/app/prod/level"]]
