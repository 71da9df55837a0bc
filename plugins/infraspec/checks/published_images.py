"""Private repositories of ECR that AWS keeps for everybody, and whose policies therefore let every account pull.

Source: Amazon ECS Developer Guide, "AWS for Fluent Bit image repositories for Amazon ECS": the addresses to write in a
task definition, by region. The role still has to be allowed to pull by a policy of its own.
"""

from __future__ import annotations

import re

from infraspec.iam.document import PolicyDocument
from infraspec.iam.policy import IdentityPolicy
from infraspec.unknown import Value, render

_REPOSITORY = re.compile(
    r"^arn:(?:aws:ecr:[^:]*:906394416424|aws-cn:ecr:[^:]*:128054284489|aws-us-gov:ecr:[^:]*:161423150738)"
    r":repository/aws-for-fluent-bit$"
)
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUBLISHED = IdentityPolicy.of(
    "AWS's policy of aws-for-fluent-bit",
    PolicyDocument.from_value(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": _PULL}]},
        with_principals=True,
    ),
)
"""The policy of such a repository."""


def published(target: Value) -> bool:
    """Tell whether an ARN is that of a repository which AWS keeps for everybody."""
    return _REPOSITORY.match(render(target)) is not None
