"""The roles of task definitions of which nothing is known, and what makes them known."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from infraspec.checks.roles import RoleIndex
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.iam_snapshot import EXPORT
from infraspec.terraform.plan import Plan
from infraspec.unknown import Value, render


class UnknownRole(Struct, frozen=True):
    """A role that is not known, by ARN or attribute, why, and what to do about it; empty where a snapshot does."""

    name: str
    why: str
    remedy: str


def unknown_roles(plan: Plan, definitions: Iterable[TaskDefinition]) -> list[UnknownRole]:
    """Return the roles that task definitions name and that neither the plan nor a snapshot has, each once."""
    attributes = AwsAttributes(plan)
    roles = RoleIndex(attributes)
    found: dict[Value, UnknownRole] = {}
    for definition in definitions:
        account = attributes.account_of(definition.resource) if definition.resource else plan.account
        for value in (definition.execution_role, definition.task_role):
            if value is None or value in found:
                continue
            sought = roles.sought(value, account)
            if sought.resource is None or (sought.resource.mode == "data" and not sought.resource.get(_TRUST)):
                remedy = sought.remedy if sought.settled or EXPORT not in sought.remedy else ""
                found[value] = UnknownRole(render(attributes.narrow(value)), sought.why, remedy)
    return list(found.values())


_TRUST = "assume_role_policy"
