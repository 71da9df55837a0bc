"""A plan as it is once it has been applied: the ids and ARNs that AWS assigns are in it."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.checks.common.live_comparison import ResolvedSource
from infraspec.contract.models import Contract
from infraspec.core.unknown import MissingVariable, Text, Unknown, Value, is_known
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan, Resource

REFERENCE = Path(__file__).parents[2] / "fixtures/daily-report-tool"
CONTRACT: Contract = contracts.load(REFERENCE)


@cache
def reference() -> Plan:
    """Return the plan of the reference infrastructure's prod."""
    return Environments(CONTRACT).plan("prod")


@cache
def deployed() -> Plan:
    """Return the reference infrastructure as AWS has it."""
    return applied(reference())


def applied(plan: Plan) -> Plan:
    """Return a plan with what AWS assigns."""
    attributes = AwsAttributes(plan)
    assigned = [_assigned(resource, attributes, number) for number, resource in enumerate(plan.managed())]
    given = {one.name: getattr(plan, one.name) for one in fields(plan) if one.init}
    first = _Applied(**given).replaced(resources=tuple(assigned))
    bound = ResolvedSource(plan, first)
    return first.replaced(resources=tuple(replace(one, values=_known(bound.value(one.values))) for one in assigned))


class _Applied(Plan):
    """A plan that was applied with what a pipeline gives, as the sandbox makes it up."""

    def made_up(self, variable: MissingVariable) -> str | None:
        return variable.in_sandbox


def changed(address: str, **values: Value) -> Plan:
    """Return what is deployed with other values of one resource; None takes an attribute away."""
    plan = deployed()
    assert address in plan.by_address

    def change(resource: Resource) -> Resource:
        given = {name: value for name, value in {**resource.values, **values}.items() if value is not None}
        return replace(resource, values=given) if resource.address == address else resource

    return plan.replaced(resources=tuple(change(resource) for resource in plan.resources))


def without(*addresses: str) -> Plan:
    """Return what is deployed without some resources."""
    plan = deployed()
    assert all(address in plan.by_address for address in addresses)
    return plan.replaced(resources=tuple(one for one in plan.resources if one.address not in addresses))


def moved(*addresses: str, region: Value = None, account: Value = None) -> Plan:
    """Return the reference in which a provider alias makes some resources, in another region or account."""
    plan = reference()
    assert all(address in plan.by_address for address in addresses)
    return plan.replaced(
        resources=tuple(
            replace(one, provider="aws.other") if one.address in addresses else one for one in plan.resources
        ),
        regions={**plan.regions, "aws.other": region or plan.region},
        accounts={**plan.accounts, "aws.other": account or plan.account},
    )


def _assigned(resource: Resource, attributes: AwsAttributes, number: int) -> Resource:
    own = f"{resource.address}."
    values = {
        "id": f"{resource.type.removeprefix('aws_').replace('_', '-')}-{number:08d}",
        "key_id": f"00000000-0000-0000-0000-{number:012d}",
        "arn_suffix": f"app/{resource.name}/{number:016d}",
        **resource.values,
    }
    for name in ("arn", "id", "name"):
        shaped = attributes.narrow(Unknown(own + name))
        if shaped != Unknown(own + name):
            values[name] = _filled(shaped, number)
    if resource.type == "aws_ecs_task_definition":
        values["arn"] = f"arn:aws:ecs:ap-northeast-1:123456789012:task-definition/{values['family']}:7"
    values.setdefault("arn", f"arn:aws:assigned:::{resource.type}/{number}")
    return replace(resource, values=values)


def _filled(value: Value, number: int) -> Value:
    if not isinstance(value, Text):
        return value
    pieces = [part if isinstance(part, str) else "" for part in value.parts]
    return "".join(pieces) + ("" if pieces[-1] else f"{number:06d}")


def _known(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if is_known(value)}
