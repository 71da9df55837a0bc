"""AWS managed policies that can be decided offline, and what is certain of the others.

Source: AWS Managed Policy Reference Guide. Only short policies that ECS roles commonly have are here as text. Of any
other it is known that it exists and, but for a few, that it has no Deny: it may allow, and it is never taken for empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from infraspec.iam.document import PolicyDocument
from infraspec.iam.policy import IdentityPolicy
from infraspec.unknown import PolicyContent, Unknown, Value

_ARN = re.compile(r"^arn:[a-z-]+:iam::aws:policy/(?:[\w+=,.@/-]*/)?(?P<name>[\w+=,.@-]+)$")
_PULL = ("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer")
_ON_EVERYTHING: Mapping[str, tuple[str, ...]] = {
    "AdministratorAccess": ("*",),
    "AmazonECSTaskExecutionRolePolicy": (
        *_PULL, "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents",
    ),
    "AmazonEC2ContainerRegistryReadOnly": (
        *_PULL, "ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages",
        "ecr:BatchGetImage", "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview", "ecr:ListTagsForResource",
        "ecr:DescribeImageScanFindings",
    ),
    "AmazonS3FullAccess": ("s3:*", "s3-object-lambda:*"),
    "AmazonS3ReadOnlyAccess": ("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*",
        "s3-object-lambda:List*"),
    "AmazonSSMReadOnlyAccess": ("ssm:Describe*", "ssm:Get*", "ssm:List*"),
    "AWSXRayDaemonWriteAccess": (
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ),
}  # fmt: skip
"""The policies that are one Allow of these actions on every resource."""

_WITH_DENY = re.compile(
    r"Deny|Quarantine|PermissionsBoundary|^IAM|Unlock|IdentityContext|CertificateManager|PrivateCA|CleanRooms|DeepRacer"
    r"|Glue|SageMaker|DataZone|LakeFormation|RDSCustom|Connect|Inspector|GuardDuty|SpotService|QuickSetup|OpsData"
    r"|AWSTransform|MarketplaceImageBuild|Evidently|CognitoIdp|RedshiftData|SecurityLake|OmniSpace"
)
"""Names of managed policies, or of families of them, that have a Deny; wider than need be."""


def is_managed(arn: str) -> bool:
    """Tell whether an ARN names a policy that AWS manages."""
    return _ARN.match(arn) is not None


def managed_statements(name_or_arn: str) -> tuple[Mapping[str, Value], ...] | None:
    """Return the statements of an AWS managed policy, by its name or ARN; None if its content is not known here."""
    found = _ARN.match(name_or_arn)
    actions = _ON_EVERYTHING.get(found["name"] if found else name_or_arn)
    return None if actions is None else ({"Effect": "Allow", "Action": list(actions), "Resource": "*"},)


@cache
def managed_policy(arn: str) -> IdentityPolicy:
    """Return an AWS managed policy by its ARN: its content if that is known, else an opaque policy that names it."""
    found = _ARN.match(arn)
    name = found["name"] if found else arn
    statements = managed_statements(name) if found else None
    if statements is None:
        effect = None if not found or _WITH_DENY.search(name) else "Allow"
        return IdentityPolicy.opaque(
            arn, Unknown(f"the content of AWS's policy {name}", PolicyContent(name, of_aws=True)), effect=effect
        )
    return IdentityPolicy.of(arn, PolicyDocument.from_value({"Version": "2012-10-17", "Statement": list(statements)}))


def managed_policy_named(name: str) -> IdentityPolicy | None:
    """Return an AWS managed policy by its name, if its content is known."""
    if name not in _ON_EVERYTHING:
        return None
    path = "service-role/" if name == "AmazonECSTaskExecutionRolePolicy" else ""
    return managed_policy(f"arn:aws:iam::aws:policy/{path}{name}")
