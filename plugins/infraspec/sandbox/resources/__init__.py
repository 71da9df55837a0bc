"""The resource types that the sandbox can create, one module for each family of services."""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.sandbox.resources import containers, data, identity, network, observation
from infraspec.sandbox.resources.kind import Kind

KINDS: Mapping[str, Kind] = {
    **identity.KINDS,
    **network.KINDS,
    **data.KINDS,
    **observation.KINDS,
    **containers.KINDS,
}
"""The kinds by resource type, in the order in which they are created where no reference says otherwise."""
