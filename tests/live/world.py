"""A small account: one service whose task reads a secret, beside things of other environments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infraspec.contract.models import Contract
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.live.answers import Answers
from tests.terraform.sources import plan_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:app-prod-db-AbCdEf"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app-prod-api-execution"
TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/app-prod-api-task"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/app-prod-read"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/app-prod"
FAMILY = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/app-prod-api"
TAGS = {"Application": "app", "Environment": "prod"}
SOURCE = """
locals { tags = { Application = "app", Environment = "prod" } }
resource "aws_secretsmanager_secret" "db" {
  name       = "app-prod-db"
  kms_key_id = aws_kms_key.secrets.arn
  tags       = local.tags
}
resource "aws_kms_key" "secrets" { tags = local.tags }
resource "aws_kms_alias" "secrets" {
  name          = "alias/app-prod"
  target_key_id = aws_kms_key.secrets.key_id
}
resource "aws_iam_role" "execution" {
  name               = "app-prod-api-execution"
  assume_role_policy = jsonencode({ Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }
  ] })
  tags               = local.tags
}
resource "aws_iam_role" "task" {
  name               = "app-prod-api-task"
  assume_role_policy = aws_iam_role.execution.assume_role_policy
  tags               = local.tags
}
resource "aws_iam_policy" "read" {
  name   = "app-prod-read"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.db.arn },
    { Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.secrets.arn },
  ] })
  tags   = local.tags
}
resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.execution.name
  policy_arn = aws_iam_policy.read.arn
}
resource "aws_ecs_cluster" "main" {
  name = "app-prod"
  tags = local.tags
}
resource "aws_ecs_task_definition" "api" {
  family                   = "app-prod-api"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([{
    name    = "api"
    image   = "public.ecr.aws/app/api:1"
    secrets = [{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }]
  }])
  tags                     = local.tags
}
resource "aws_ecs_service" "api" {
  name            = "app-prod-api"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.api.arn
  tags            = local.tags
}
"""


def contract(**changes: Any) -> Contract:
    """Return the contract of the account: patterns and tags that hold the application and the environment."""
    settings = {
        "project": {"application": "app"},
        "environments": {"prod": {"root": "."}, "dev": {"root": "dev"}},
        "names": {
            "patterns": {"aws_iam_role": "regex:x", "aws_secretsmanager_secret": "{application}-{environment}-db"}
        },
        "tags": {"common": {"Application": "{application}", "Environment": "{environment}"}},
    }
    return Contract.model_validate({**settings, **changes})


def source(directory: Path, text: str = SOURCE) -> Plan:
    """Evaluate the source of the account."""
    return plan_of(directory, text, known=KnownData.of({}, account=ACCOUNT, region=REGION))


def allow(action: str, resource: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """Write a statement."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def trust() -> dict[str, Any]:
    """Write the trust policy of the roles of tasks."""
    principal = {"Service": "ecs-tasks.amazonaws.com"}
    return {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}


_EMPTY = {
    "application-autoscaling": "describe_scalable_targets describe_scaling_policies describe_scheduled_actions",
    "cloudwatch": "describe_alarms",
    "dynamodb": "list_tables",
    "ec2": "describe_vpcs describe_subnets describe_internet_gateways describe_nat_gateways describe_addresses "
    "describe_route_tables describe_vpc_endpoints describe_security_groups describe_security_group_rules "
    "describe_network_acls",
    "ecr": "describe_repositories",
    "elbv2": "describe_load_balancers describe_target_groups describe_tags",
    "events": "list_rules",
    "logs": "describe_log_groups describe_metric_filters describe_resource_policies",
    "rds": "describe_db_instances describe_db_subnet_groups describe_db_parameter_groups",
    "s3": "list_buckets",
    "sns": "list_topics",
}
"""What the account has nothing of."""


class World:
    """What is in the account. A test changes it before it asks."""

    def __init__(self) -> None:
        self.revisions: dict[int, dict[str, Any]] = {15: self.revision()}
        self.running = 15
        self.documents: dict[str, Any] = {
            POLICY: {
                "Version": "2012-10-17",
                "Statement": [allow("secretsmanager:GetSecretValue", SECRET), allow("kms:Decrypt", KEY)],
            }
        }
        self.attached = [POLICY]
        self.inline: dict[str, Any] = {}
        self.role: dict[str, Any] = {
            "RoleName": "app-prod-api-execution",
            "Arn": ROLE,
            "Path": "/",
            "Tags": pairs(TAGS),
        }
        self.secret: dict[str, Any] = {
            "ARN": SECRET,
            "Name": "app-prod-db",
            "KmsKeyId": KEY,
            "Tags": pairs(TAGS),
            "SecretVersionsToStages": {"v1": ["AWSCURRENT"]},
        }
        self.versions = {"v1": ["AWSCURRENT"]}
        self.changed = datetime(2026, 11, 20, tzinfo=UTC)
        self.key_state = "Enabled"
        self.grants: list[dict[str, Any]] = []
        self.tasks: dict[str, datetime] = {}
        self.simulated: dict[str, Any] = {}
        self.organization: bool | None = None
        self.gone = ""
        self.service: dict[str, Any] = {}
        self.others: list[dict[str, Any]] = []
        self.secret_policy: Any = None
        root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        self.key_policy: Any = {"Statement": [allow("kms:*", "*", Principal=root)]}

    @staticmethod
    def revision(value_from: str = SECRET, **changes: Any) -> dict[str, Any]:
        """Describe a revision of the task definition that reads a value."""
        container = {
            "name": "api",
            "image": "public.ecr.aws/app/api:1",
            "secrets": [{"name": "DB", "valueFrom": value_from}],
        }
        described = {
            "family": "app-prod-api",
            "containerDefinitions": [container],
            "executionRoleArn": ROLE,
            "taskRoleArn": TASK_ROLE,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
        }
        return {**described, **changes}

    def answers(self, **more: Any) -> Answers:
        """Return the answers of AWS about the account; `more` are others by `service__operation`."""
        table: dict[tuple[str, str], Any] = {
            **{(service, name): {} for service, names in _EMPTY.items() for name in names.split()},
            ("resourcegroupstaggingapi", "get_resources"): {
                "ResourceTagMappingList": [{"ResourceARN": KEY, "Tags": pairs(TAGS)}]
            },
            ("ecs", "list_clusters"): {"clusterArns": [CLUSTER, f"{CLUSTER}-other"]},
            ("ecs", "describe_clusters"): {
                "clusters": [
                    {"clusterName": "app-prod", "clusterArn": CLUSTER, "status": "ACTIVE", "tags": pairs(TAGS)},
                    {"clusterName": "other", "clusterArn": f"{CLUSTER}-other", "status": "ACTIVE"},
                ]
            },
            ("ecs", "list_services"): {"serviceArns": [f"{CLUSTER.replace('cluster', 'service')}/app-prod-api"]},
            ("ecs", "describe_services"): {
                "services": [
                    {
                        "serviceArn": f"{CLUSTER.replace('cluster', 'service')}/app-prod-api",
                        "serviceName": "app-prod-api",
                        "clusterArn": CLUSTER,
                        "status": "ACTIVE",
                        "taskDefinition": f"{FAMILY}:{self.running}",
                        "tags": pairs(TAGS),
                        **self.service,
                    }
                ]
            },
            ("ecs", "list_task_definition_families"): {"families": ["app-prod-api", "other-api"]},
            ("ecs", "describe_task_definition"): self._task_definition,
            ("iam", "get_account_authorization_details"): {},
            ("iam", "list_roles"): {"Roles": [{"RoleName": "app-prod-api-task"}, {"RoleName": "admin"}]},
            ("iam", "get_role"): self._role,
            ("iam", "list_role_policies"): self._inline_names,
            ("iam", "get_role_policy"): lambda PolicyName, **_: {"PolicyDocument": self.inline[PolicyName]},  # noqa: N803 - AWS's name
            ("iam", "list_attached_role_policies"): self._attached,
            ("iam", "list_policies"): {"Policies": []},
            ("iam", "get_policy"): lambda PolicyArn: {  # noqa: N803 - AWS's name
                "Policy": {
                    "PolicyName": PolicyArn.rpartition("/")[2],
                    "DefaultVersionId": "v3",
                    "Tags": pairs(TAGS),
                    "UpdateDate": self.changed,
                }
            },
            ("iam", "get_policy_version"): lambda PolicyArn, **_: {  # noqa: N803 - AWS's name
                "PolicyVersion": {"Document": self.documents[PolicyArn]}
            },
            ("secretsmanager", "list_secrets"): {"SecretList": [self.secret, *self.others]},
            ("secretsmanager", "get_resource_policy"): lambda SecretId: (  # noqa: N803 - AWS's name
                {"ResourcePolicy": json.dumps(self.secret_policy)} if self.secret_policy and SecretId == SECRET else {}
            ),
            ("secretsmanager", "describe_secret"): self._described,
            ("ssm", "describe_parameters"): {"Parameters": []},
            ("kms", "list_aliases"): {"Aliases": [{"AliasName": "alias/app-prod", "TargetKeyId": "0a1b2c3d"}]},
            ("kms", "get_key_rotation_status"): {"KeyRotationEnabled": False},
            ("kms", "describe_key"): {
                "KeyMetadata": {"Arn": KEY, "KeyManager": "CUSTOMER", "KeyState": self.key_state}
            },
            ("kms", "list_grants"): {"Grants": self.grants},
            ("ecs", "list_tasks"): {"taskArns": list(self.tasks)},
            ("ecs", "describe_tasks"): lambda tasks, **_: {"tasks": [self._task(arn) for arn in tasks]},
            ("iam", "simulate_principal_policy"): self._simulation,
            ("kms", "get_key_policy"): lambda **_: {"Policy": json.dumps(self.key_policy)},
        }
        return Answers({**table, **{_key(name): answer for name, answer in more.items()}}, ACCOUNT, "aws", REGION)

    def _task_definition(self, taskDefinition: str, **_: Any) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        number = taskDefinition.rpartition(":")[2]
        revision = int(number) if number.isdigit() else max(self.revisions)
        described = {**deepcopy(self.revisions[revision]), "taskDefinitionArn": f"{FAMILY}:{revision}"}
        return {"taskDefinition": {**described, "revision": revision}, "tags": pairs(TAGS, "key", "value")}

    def _described(self, SecretId: str) -> Mapping[str, Any] | None:  # noqa: N803 - AWS's name
        if SecretId != SECRET:
            return None
        dates = {"LastChangedDate": self.changed, "VersionIdsToStages": self.versions}
        return {**self.secret, **dates}

    def _task(self, arn: str) -> Mapping[str, Any]:
        revision = f"{FAMILY}:{self.running}"
        return {"taskArn": arn, "taskDefinitionArn": revision, "lastStatus": "RUNNING", "startedAt": self.tasks[arn]}

    def _simulation(self, ActionNames: list[str], ResourceArns: list[str], **_: Any) -> Mapping[str, Any]:  # noqa: N803
        results = []
        for action in ActionNames:
            said = {"EvalResourceDecision": "allowed", **self.simulated.get(action, {})}
            specific = [{"EvalResourceName": arn, **said} for arn in ResourceArns]
            result: dict[str, Any] = {
                "EvalActionName": action,
                "EvalDecision": "allowed",
                "ResourceSpecificResults": specific,
            }
            if self.organization is not None:
                result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": self.organization}
            results.append(result)
        return {"EvaluationResults": results}

    def _role(self, RoleName: str) -> Mapping[str, Any] | None:  # noqa: N803 - AWS's name
        if RoleName == self.gone:
            return None
        if RoleName == self.role["RoleName"]:
            return {"Role": {"AssumeRolePolicyDocument": trust(), **self.role}}
        arn = ROLE.replace("app-prod-api-execution", RoleName)
        return {"Role": {"RoleName": RoleName, "Arn": arn, "AssumeRolePolicyDocument": trust(), "Tags": pairs(TAGS)}}

    def _inline_names(self, RoleName: str) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        return {"PolicyNames": list(self.inline) if RoleName == self.role["RoleName"] else []}

    def _attached(self, RoleName: str) -> Mapping[str, Any]:  # noqa: N803 - AWS's name
        arns = self.attached if RoleName == self.role["RoleName"] else []
        return {"AttachedPolicies": [{"PolicyArn": arn} for arn in arns]}


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Write tags as pairs."""
    return [{key: name, value: text} for name, text in tags.items()]


def _key(name: str) -> tuple[str, str]:
    service, _, operation = name.partition("__")
    return service, operation
