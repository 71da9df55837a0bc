"""The deployment circuit breaker of a service.

Source: Amazon ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

from math import ceil
from typing import Any

from msgspec import Struct

_LOWEST, _HIGHEST = 3, 200


class Breaker(Struct, frozen=True):
    """Whether deployments that fail are given up, and whether the service goes back to the last good one."""

    enabled: bool = False
    rolls_back: bool = False


def breaker_of(service: Any) -> Breaker:
    """Read the breaker of a service."""
    configuration = getattr(service, "deployment_configuration", None) or {}
    found = configuration.get("deploymentCircuitBreaker") or {}
    return Breaker(bool(found.get("enable")), bool(found.get("rollback")))


def threshold_of(service: Any) -> int:
    """Return how many tasks may fail: half the desired count, at least 3 and at most 200."""
    return min(max(ceil(int(service.desired_count) * 0.5), _LOWEST), _HIGHEST)
