"""Alarms on events that AWS does not send: they stay silent, whatever happens.

Source: Amazon ECS Developer Guide, "Amazon ECS service deployment state change events": SERVICE_DEPLOYMENT_FAILED is
sent for services whose deployment circuit breaker is on.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from infraspec.contract.alarms import AlarmItem
from infraspec.finding import Finding, Verdict
from infraspec.monitoring.catalogue import metrics_of
from infraspec.monitoring.watched import Subject
from infraspec.terraform.plan import Resource
from infraspec.unknown import Value

_FAILED = "deployment-failed"
_OFF = (None, False, "false")


def unless_silent(finding: Finding, item: AlarmItem, subject: Subject) -> Finding:
    """Return a finding about an alarm, or that the event it waits for is not sent of its subject."""
    waits = item.event == _FAILED or any(_FAILED in metric.counts for metric in metrics_of(item).values())
    service = subject.resource
    if not waits or service is None or finding.verdict is not Verdict.PROVEN:
        return finding
    enabled = _of_block(service, "deployment_circuit_breaker", "enable")
    if enabled in (True, "true"):
        return finding
    is_other = enabled not in _OFF or _of_block(service, "alarms", "enable") not in _OFF
    is_other = is_other or _of_block(service, "deployment_controller", "type") not in (None, "ECS")
    return replace(
        finding,
        verdict=Verdict.UNDETERMINED if is_other else Verdict.VIOLATED,
        location=service.location_of("deployment_circuit_breaker"),
        expected="a deployment circuit breaker: ECS sends the event of a failed deployment where it is on",
        found="whether it is on is not known, or something else ends a deployment" if is_other else "none that is on",
        reason=f"the alarm is there ({finding.reason}), and is told nothing of a deployment that fails",
        remedy=f"in {service.address}\ndeployment_circuit_breaker {{\n  enable   = true\n  rollback = true\n}}",
    )


def _of_block(service: Resource, name: str, attribute: str) -> Value:
    """Return an attribute of a block that may be given once; None without the block, or what hides it."""
    block = service.get(name)
    first = block[0] if isinstance(block, list | tuple) and block else block
    if isinstance(first, Mapping):
        return first.get(attribute)
    return None if first in (None, [], ()) else first
