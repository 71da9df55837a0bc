"""Which resource types take tags.

The schema of the Terraform AWS provider says it; a type that it does not have is judged by whether it has tags at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from infraspec.resource_types import resource_type
from infraspec.terraform.schema import has_tags
from infraspec.unknown import Value


class Taggable(Enum):
    """YES and NO are certain; MAYBE: default_tags of the provider are all that is seen, and the type is not known."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


_PROVIDERS = ("aws_", "awscc_")


def taggable(type_: str, values: Mapping[str, Value]) -> Taggable:
    """Tell whether a resource takes tags; only AWS resources do."""
    known = _takes_tags(type_)
    if known is not None:
        return Taggable.YES if known else Taggable.NO
    if "tags" in values:
        return Taggable.YES
    return Taggable.MAYBE if values.get("tags_all") is not None else Taggable.NO


def is_classified(type_: str) -> bool:
    """Tell whether it is known of a type whether it takes tags."""
    return _takes_tags(type_) is not None


def _takes_tags(type_: str) -> bool | None:
    if not type_.startswith(_PROVIDERS):
        return False
    return resource_type(type_).tag_blocks or has_tags(type_)
