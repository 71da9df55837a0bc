"""Whether the policy of a resource lets an AWS service do something: publish to a topic, use a key, write to a log."""

from __future__ import annotations

from collections.abc import Iterable

from infraspec.iam.answer import Answer
from infraspec.iam.context import Context
from infraspec.iam.decision import decide
from infraspec.iam.document import PolicyDocument
from infraspec.iam.pattern import Subject
from infraspec.iam.policy import IdentityPolicy
from infraspec.iam.principal import Principal
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import Value


def grants(
    attributes: AwsAttributes,
    policies: Iterable[tuple[Resource, str]],
    *,
    service: str,
    action: str,
    resource: Value,
    context: Context,
) -> Answer:
    """Tell whether policies of a resource, each an attribute of a resource of the plan, allow a request of a service.

    Raises PolicyError if one of them is malformed.
    """
    compiled = [
        IdentityPolicy.of(
            source.address,
            PolicyDocument.from_value(source.attribute(name), place=f"{source.address}.{name}", with_principals=True),
            resolve=attributes.narrow,
        )
        for source, name in policies
    ]
    return decide(
        (),
        action,
        Subject.of(resource, attributes.narrow),
        resource_policies=compiled,
        principal=Principal.of(service),
        context=context,
    ).allowed
