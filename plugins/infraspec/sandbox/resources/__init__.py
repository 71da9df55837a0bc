"""The resource types that the sandbox can create, one module for each service."""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.sandbox.resources import (
    balancers,
    containers,
    databases,
    firewalls,
    identity,
    keys,
    network,
    notifications,
    observation,
    secrets,
    storage,
)
from infraspec.sandbox.resources.kind import Kind

KINDS: Mapping[str, Kind] = {
    **keys.KINDS,
    **identity.KINDS,
    **storage.KINDS,
    **network.KINDS,
    **firewalls.KINDS,
    **balancers.KINDS,
    **secrets.KINDS,
    **notifications.KINDS,
    **databases.KINDS,
    **observation.KINDS,
    **containers.KINDS,
}
"""The kinds by resource type, in the order in which they are created where no reference says otherwise."""
