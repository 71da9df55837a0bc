"""The operations that the live suite may ask AWS for: all else does not leave the process.

A new check adds its operations here, under boto3's name of the service and the API's name of the operation, and
`infraspec runner-policy` prints the IAM actions that they need. Nothing here may change anything or return the value
of a secret. Source of the actions: Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping

READS: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling": ("DescribeScalableTargets", "DescribeScalingPolicies"),
    "cloudtrail": ("LookupEvents",),
    "cloudwatch": (
        "DescribeAlarmHistory",
        "DescribeAlarms",
        "GetMetricData",
        "ListMetrics",
        "ListTagsForResource",
    ),
    "dynamodb": ("DescribeContinuousBackups", "DescribeTable", "ListTables", "ListTagsOfResource"),
    "ec2": (
        "DescribeAddresses",
        "DescribeInstances",
        "DescribeInternetGateways",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcEndpoints",
        "DescribeVpcs",
    ),
    "ecr": (
        "BatchGetImage",
        "DescribeImages",
        "DescribeRepositories",
        "GetRepositoryPolicy",
        "ListTagsForResource",
    ),
    "ecs": (
        "DescribeClusters",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ListClusters",
        "ListServiceDeployments",
        "ListServices",
        "ListTagsForResource",
        "ListTaskDefinitionFamilies",
        "ListTaskDefinitions",
        "ListTasks",
    ),
    "elbv2": (
        "DescribeListeners",
        "DescribeLoadBalancers",
        "DescribeRules",
        "DescribeTags",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
    ),
    "events": ("DescribeRule", "ListRules", "ListTagsForResource", "ListTargetsByRule"),
    "iam": (
        "GetContextKeysForPrincipalPolicy",
        "GetPolicy",
        "GetPolicyVersion",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListPolicies",
        "ListRolePolicies",
        "ListRoleTags",
        "ListRoles",
        "SimulatePrincipalPolicy",
    ),
    "kms": (
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListAliases",
        "ListGrants",
        "ListKeys",
        "ListResourceTags",
    ),
    "lambda": ("GetFunctionConfiguration", "GetPolicy", "ListFunctions", "ListTags"),
    "logs": (
        "DescribeLogGroups",
        "DescribeMetricFilters",
        "DescribeResourcePolicies",
        "DescribeSubscriptionFilters",
        "ListTagsForResource",
    ),
    "rds": (
        "DescribeDBClusters",
        "DescribeDBInstances",
        "DescribeDBParameterGroups",
        "DescribeDBParameters",
        "DescribeDBSnapshots",
        "DescribeDBSubnetGroups",
        "DescribePendingMaintenanceActions",
        "ListTagsForResource",
    ),
    "resourcegroupstaggingapi": ("GetResources",),
    "s3": (
        "GetBucketEncryption",
        "GetBucketLifecycleConfiguration",
        "GetBucketLocation",
        "GetBucketPolicy",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetObject",
        "GetPublicAccessBlock",
        "HeadBucket",
        "HeadObject",
        "ListBuckets",
    ),
    "secretsmanager": ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds", "ListSecrets"),
    "sns": (
        "GetSubscriptionAttributes",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "ListTagsForResource",
        "ListTopics",
    ),
    "sqs": ("GetQueueAttributes", "GetQueueUrl", "ListQueueTags", "ListQueues"),
    "ssm": ("DescribeParameters", "ListTagsForResource"),
    "sts": ("GetCallerIdentity",),
}
"""Operations by service. Of S3 objects only the state of Terraform is read."""

PREFIXES: Mapping[str, str] = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
"""The prefix of a service's IAM actions, where it is not boto3's name of the service."""

ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
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
"""Actions that are granted for the state of Terraform alone."""

UNSHARED = frozenset({("s3", "GetObject"), ("sns", "GetSubscriptionAttributes"), ("sns", "ListSubscriptionsByTopic")})
"""Operations whose answers may hold secrets: they stay in the memory of one process.

A state of Terraform holds them, and the endpoint of a pager's subscription is its integration key.
"""


def api_name(service: str, operation: str) -> str:
    """Return the API's name of a read (`DescribeServices`) by boto3's (`describe_services`), or what was given."""
    plain = _plain(operation)
    return next((name for name in READS.get(service, ()) if _plain(name) == plain), operation)


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """Return the IAM actions that an operation needs."""
    name = api_name(service, operation)
    return ACTIONS.get((service, name), (f"{PREFIXES.get(service, service)}:{name}",))


def _plain(operation: str) -> str:
    return operation.replace("_", "").lower()
