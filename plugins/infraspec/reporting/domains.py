"""What a rule belongs to, and how much a violation of it matters."""

from __future__ import annotations

from typing import NamedTuple

from infraspec.contract.kinds import Severity
from infraspec.reporting.rules import described


class Domain(NamedTuple):
    """A part of the infrastructure, and the severity of a violation where the contract does not say otherwise."""

    name: str
    severity: Severity = "normal"


_DOMAINS = {
    "source": Domain("Source"),
    "names": Domain("Names and tags", "minor"),
    "tags": Domain("Names and tags", "minor"),
    "tag-policy": Domain("Names and tags", "minor"),
    "task-definitions": Domain("Task definitions", "critical"),
    "secret-access": Domain("IAM", "blocker"),
    "policies": Domain("IAM", "critical"),
    "secret-readers": Domain("IAM", "critical"),
    "alarms": Domain("Alarms", "critical"),
    "alarm-state": Domain("Alarms", "critical"),
    "alarm-delivery": Domain("Alarms", "critical"),
    "plan-review": Domain("Plan review", "critical"),
    "no-diff": Domain("Plan review"),
    "state-backend": Domain("State and versions", "critical"),
    "state-bucket": Domain("State and versions"),
    "versions": Domain("State and versions"),
    "consistency": Domain("Structure"),
    "modules": Domain("Structure", "minor"),
    "playbooks": Domain("Process"),
    "incidents": Domain("Process"),
    "process": Domain("Process"),
    "rollout": Domain("Live services", "blocker"),
    "stopped-tasks": Domain("Live services", "critical"),
    "next-start": Domain("Live services", "blocker"),
    "secret-chain": Domain("Live services", "blocker"),
    "databases": Domain("Databases", "critical"),
    "log-groups": Domain("Live operations"),
    "state-store": Domain("State and versions", "critical"),
    "drift": Domain("Live operations"),
}


def domain_of(rule: str) -> Domain:
    """Return the domain of a rule; one that is not listed is named after the page about it, or is somebody's own."""
    page = described(rule).page
    return _DOMAINS.get(rule, Domain(page.replace("-", " ").capitalize() if page else "Own rules"))
