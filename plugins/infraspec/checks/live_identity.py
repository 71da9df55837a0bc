"""Which live resource is one of the source, and what it is called in AWS for certain."""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.checks.comparison import Bound
from infraspec.conventions.name_attributes import read_name
from infraspec.resource_types import resource_type
from infraspec.resource_types.network import FIREWALL_RULE
from infraspec.terraform.plan import Resource
from infraspec.unknown import Value

_FIREWALL_RULES = frozenset({"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"})

_NAME_TAG = "tags.Name"


def find_live(source: Resource, bound: Bound) -> Resource | None:
    """Return the live resource of one of the source, or of another that is the same in AWS; None if there is none."""
    live = bound.resource(source)
    own = identity(source, bound) if live is None else None
    if own is None:
        return live
    same = (one for one in bound.plan.managed(source.type) if identity(one, bound) == own)
    return next((found for one in same if (found := bound.resource(one)) is not None), None)


def identity(source: Resource, bound: Bound) -> tuple[str, ...] | None:
    """Return what names a resource in AWS; None if that is not wholly known, or is a tag, which anything may have.

    A rule of a security group is named by what it says.
    """
    values = [bound.value(value) for value in _named_by(source)]
    if not values or not all(isinstance(value, str | int) for value in values):
        return None
    return tuple(str(value) for value in values if value != "")


def _named_by(source: Resource) -> Iterator[Value]:
    if source.type in _FIREWALL_RULES:
        yield source.attribute("security_group_id")
        yield from (source.get(name, "") for name in FIREWALL_RULE)
        return
    known = resource_type(source.type)
    if known.identity:
        yield from (source.attribute(name) for name in known.identity)
        return
    path = known.name or _NAME_TAG
    name = None if path == _NAME_TAG else read_name(source.type, source.values, source.address, path)
    if name is not None:
        yield name
