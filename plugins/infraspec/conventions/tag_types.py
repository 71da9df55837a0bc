"""Resource types as tag policies name them (`logs:log-group`) and as Terraform does (`aws_cloudwatch_log_group`).

Source: AWS Organizations User Guide, "Services and resource types that support enforcement"; AWS Service Authorization
Reference for the types of each service.
"""

from __future__ import annotations

from enum import Enum

from infraspec.resource_types import TYPES, resource_type

WILDCARDS = ("*", "ALL_SUPPORTED")


class Covered(Enum):
    """Whether a tag policy's resource type covers a Terraform type; MAYBE if neither is known well enough."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


_TAG_TYPES = frozenset(tag_type for known in TYPES.values() for tag_type in known.tag_types)


def covers(tag_type: str, terraform_type: str) -> Covered:
    """Tell whether `service:type`, `service:*` or `service:ALL_SUPPORTED` covers a Terraform type.

    A type that is not listed is judged by the naming convention of the provider, `aws_SERVICE_TYPE`; where that
    says nothing either, it may be covered.
    """
    service, _, name = tag_type.partition(":")
    listed = resource_type(terraform_type).tag_types
    if listed:
        if name in WILDCARDS:
            return _yes(any(own.startswith(f"{service}:") for own in listed))
        return _yes(tag_type in listed)
    stem = f"aws_{_snake(service)}"
    if name in WILDCARDS:
        return Covered.YES if terraform_type.startswith(f"{stem}_") else Covered.MAYBE
    if tag_type in _TAG_TYPES:
        return Covered.NO
    return Covered.YES if terraform_type == f"{stem}_{_snake(name)}" else Covered.MAYBE


def _yes(covered: bool) -> Covered:  # noqa: FBT001 - the one argument of a private conversion
    return Covered.YES if covered else Covered.NO


def _snake(name: str) -> str:
    return name.replace("-", "_").replace("/", "_").lower()
