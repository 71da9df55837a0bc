"""The operations that the live suite may ask AWS for: all else does not leave the process.

The catalogue says which operations list the resources of a type. A check of anything else adds its operations here,
under boto3's name of the service and the API's name of the operation, and `infraspec runner-policy` prints the IAM
actions that they need. Nothing here may change anything or return the value of a secret. Source of the actions: Service
Authorization Reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from infraspec.resource_types import TYPES

FURTHER: Mapping[str, tuple[str, ...]] = {
    "cloudtrail": ("LookupEvents",),
    "cloudwatch": ("DescribeAlarmHistory", "GetMetricData"),
    "dynamodb": ("DescribeTable",),
    "ec2": ("DescribeNetworkAcls",),
    "ecr": ("DescribeImages",),
    "ecs": ("DescribeServiceRevisions", "DescribeTasks", "ListServiceDeployments", "ListTasks"),
    "elbv2": ("DescribeTargetHealth",),
    "iam": ("SimulatePrincipalPolicy",),
    "kms": ("ListGrants", "ListKeys"),
    "rds": ("DescribePendingMaintenanceActions",),
    "resourcegroupstaggingapi": ("GetResources",),
    "s3": ("GetBucketEncryption", "GetBucketVersioning", "GetPublicAccessBlock", "HeadBucket"),
    "secretsmanager": ("DescribeSecret",),
    "sqs": ("GetQueueAttributes", "GetQueueUrl"),
    "sts": ("GetCallerIdentity",),
}
"""Operations by service that list no resources of the catalogue."""


def _reads() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set, {service: set(names) for service, names in FURTHER.items()})
    for listing in (one.listing for one in TYPES.values() if one.listing is not None):
        found[listing.service].update(listing.operations())
    return {service: tuple(sorted(found[service])) for service in sorted(found)}


READS = _reads()
"""All operations by service."""

PREFIXES: Mapping[str, str] = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
"""The prefix of a service's IAM actions, where it is not boto3's name of the service."""

ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
}
"""The IAM actions of an operation, where they are not the operation's own name."""

CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "signin": ("CreateOAuth2Token",),
    "sso": ("GetRoleCredentials",),
    "sso-oidc": ("CreateToken",),
    "sts": ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"),
}
"""What botocore asks to get the credentials of a profile or a role; the sessions made of them are guarded too."""

VALUES: Mapping[str, str] = {"secretsmanager:GetSecretValue": "SecretId", "ssm:GetParameter": "Name"}
"""Operations that return the value of a secret, by the parameter that names it: for those alone of the contract."""

STATE_ACTIONS = ("s3:GetObject",)
"""Actions that are granted for the state of Terraform alone: `terraform state pull` needs them before a run."""

UNSHARED = frozenset({("s3", "GetObject"), ("sns", "GetSubscriptionAttributes"), ("sns", "ListSubscriptionsByTopic")})
"""Operations whose answers may hold secrets: they stay in the memory of one process.

A state of Terraform holds them, and the endpoint of a pager's subscription is its integration key.
"""


def api_name(service: str, operation: str) -> str:
    """Return the API's name of an operation (`DescribeServices`) by boto3's (`describe_services`).

    That of another one, which a contract may allow, is guessed: abbreviations have one capital (`DescribeDbProxies`).
    """
    plain = _plain(operation)
    own = (name for name in READS.get(service, ()) if _plain(name) == plain)
    return next(own, operation.title().replace("_", ""))


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """Return the IAM actions that an operation needs."""
    name = api_name(service, operation)
    return ACTIONS.get((service, name), (f"{PREFIXES.get(service, service)}:{name}",))


def _plain(operation: str) -> str:
    return operation.replace("_", "").lower()
