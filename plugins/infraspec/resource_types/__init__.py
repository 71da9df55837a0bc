"""The catalogue of resource types: each type's facts in one place, for whoever needs them.

Sources: the argument references and the schemas of the Terraform AWS provider; AWS Service Authorization Reference;
AWS Organizations User Guide, "Services and resource types that support enforcement".
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.resource_types import (
    compute,
    containers,
    databases,
    identity,
    messaging,
    network,
    observation,
    other,
    secrets,
    storage,
)
from infraspec.resource_types.model import Drift, Policy, PolicyKind, PolicyLimit, Renaming, ResourceType

__all__ = ["TYPES", "Drift", "Policy", "PolicyKind", "PolicyLimit", "Renaming", "ResourceType", "resource_type"]

_FAMILIES = (compute, containers, databases, identity, messaging, network, observation, other, secrets, storage)
TYPES: Mapping[str, ResourceType] = {known.type: known for family in _FAMILIES for known in family.TYPES}
"""The types of which something is known, by name."""


def resource_type(name: str) -> ResourceType:
    """Return what is known of a type; of one that is not listed that is nothing."""
    return TYPES.get(name) or ResourceType(name)
