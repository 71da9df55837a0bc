"""What to add to the policy of a resource that does not let a role in, or of which that cannot be told.

Sources: AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account"; AWS Key
Management Service Developer Guide, "Allowing users in other accounts to use a KMS key"; Amazon ECR User Guide, "Private
repository policies in Amazon ECR", whose statements have no Resource.
"""

from __future__ import annotations

from infraspec.checks.owners import DOCUMENT_TYPE, Owners
from infraspec.checks.roles import Role
from infraspec.checks.suggestion import principal_to_add
from infraspec.ecs.requirement import Requirement
from infraspec.iam.pattern import shown
from infraspec.unknown import PolicyElsewhere, render


def policy_remedy(requirement: Requirement, role: Role, owners: Owners) -> str:
    """Return the statement to add to the policy of a resource, which is known not to let the role in."""
    source = owners.policy_source(requirement.resource)
    target = (owners.document_of(source) or source) if source else None
    statement = principal_to_add(
        requirement.action,
        "AWS",
        role.arn,
        module=target.module if target else "",
        as_block=target is not None and target.type == DOCUMENT_TYPE,
        resource=_resource(requirement),
    )
    named = shown(requirement.need.named) or render(requirement.resource)
    where = f"{target.address} ({target.location})" if target else f"the policy of {named}"
    return f"add to {where} the statement\n{statement}"


def policy_elsewhere_remedy(cause: PolicyElsewhere, requirement: Requirement, role: Role, owners: Owners) -> str:
    """Return what the policy of a resource that is not in the plan has to say.

    It names the role by its ARN: whoever keeps that policy has no reference to the role.
    """
    if requirement.action.startswith("ssm:"):
        return "share the parameter with the role's account in AWS Resource Access Manager, and waive the finding"
    statement = principal_to_add(
        requirement.action,
        "AWS",
        owners.attributes.narrow(role.arn),
        module="",
        as_block=False,
        resource=_resource(requirement),
    )
    policy = f"the policy of {cause.owner}"
    return f"see to it that {policy} has this statement, then waive the finding, or bring it into the plan\n{statement}"


def _resource(requirement: Requirement) -> str:
    """Return the Resource of a statement in the resource's own policy: S3 wants the ARN, ECR takes none."""
    service = requirement.action.partition(":")[0]
    if service == "s3" and isinstance(requirement.resource, str):
        return requirement.resource
    return "" if service == "ecr" else "*"
