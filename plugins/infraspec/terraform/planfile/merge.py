"""A plan or state completed by the source: what the plan leaves unknown until apply, the source knows by structure.

A policy with one unknown ARN in it is unknown as a whole in a plan. The source keeps its statements, with just the ARN
unknown; and where the state already knows the ARN, it is put there.

A plan does not say whether a list is one or a set, whose order may differ between plan and source. So elements are
paired by what is known of them, and not at all where that leaves a choice.

The source names what it does not know: `aws_secretsmanager_secret.db.arn`. Once the secret exists, a plan or state
knows that attribute, so that a policy from the source and a task definition from the plan name the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value, concatenate, encode_json, is_known
from infraspec.terraform.language.conversions import to_text
from infraspec.terraform.language.values import SetValue, with_items
from infraspec.terraform.plan import Diagnostic, Plan, Resource, ValuesOnDemand
from infraspec.terraform.planfile.instances import bare
from infraspec.terraform.provider.masking import is_sensitive, mask_attribute

_MOST = 200
"""Longest lists whose elements are compared each with each."""


def pair(planned: Sequence[Value], source: Sequence[Value]) -> list[int] | None:
    """Return for each planned element the index of its source element; None if that cannot be decided.

    In their own order if nothing known contradicts that; else by the one order in which nothing does.
    """
    if len(planned) != len(source):
        return None
    if all(map(_covers, source, planned)):
        return list(range(len(planned)))
    if len(planned) > _MOST:
        return None
    return _only_order(planned, source, _covers) or _only_order(planned, source, _may_equal)


def _only_order(
    planned: Sequence[Value], source: Sequence[Value], agrees: Callable[[Value, Value], bool]
) -> list[int] | None:
    """Return the one order in which the elements agree, found by settling those with one candidate left.

    Elements of which nothing is known come last, in order: any order of them is the same set.
    """
    candidates = {
        place: {index for index, other in enumerate(source) if agrees(other, element)}
        for place, element in enumerate(planned)
        if not isinstance(element, Unknown)
    }
    order: dict[int, int] = {}
    while candidates:
        place = min(candidates, key=lambda key: len(candidates[key]))
        left = candidates.pop(place)
        if len(left) != 1:
            return None
        order[place] = next(iter(left))
        for others in candidates.values():
            others.difference_update(left)
    rest = iter(sorted(set(range(len(source))) - set(order.values())))
    return [order[place] if place in order else next(rest) for place in range(len(planned))]


def _covers(source: Value, planned: Value) -> bool:
    """Tell whether the source has every known part of a planned value, and just so."""
    return _agree(source, planned, lambda known, other: bool(known == other) and is_known(other))


def _may_equal(source: Value, planned: Value) -> bool:
    """Tell whether nothing known of the source contradicts a planned value."""
    return _agree(source, planned, lambda known, other: isinstance(other, (Unknown, Text)) or bool(known == other))


def _agree(source: Value, planned: Value, leaf: Callable[[Value, Value], bool]) -> bool:
    if isinstance(planned, Unknown):
        return True
    if isinstance(planned, dict) and isinstance(source, dict):
        return all(_agree(source[key], item, leaf) for key, item in planned.items() if key in source)
    if isinstance(planned, list) and isinstance(source, list) and len(planned) == len(source):
        return all(_agree(other, item, leaf) for item, other in zip(planned, source, strict=True))
    return leaf(planned, source)


_STEP = re.compile(r'(?:^|\.)([A-Za-z_][\w-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_ESCAPE = re.compile(r"\\(.)")


class Binding:
    """Replace unknowns by what a plan knows of them; those it does not know stay."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[str, Value] = {}

    def bind(self, value: Value) -> Value:
        """Return a value with every unknown in it that the plan knows replaced."""
        if isinstance(value, Sensitive) or is_known(value):
            return value
        match value:
            case Unknown():
                return self._bound(value)
            case JsonText():
                tree = self.bind(value.tree)
                return encode_json(tree) if is_known(tree) else JsonText(tree)
            case Text():
                return concatenate(map(self._bound_text, value.parts))
            case dict():
                return with_items(value, ((key, self.bind(item)) for key, item in value.items()))
            case SetValue():
                return SetValue.of(map(self.bind, value))
            case list():
                return type(value)(map(self.bind, value))
            case _:
                return value

    def _bound(self, unknown: Unknown) -> Value:
        if unknown.address not in self._known:
            self._known[unknown.address] = self._look_up(unknown)
        return self._known[unknown.address]

    def _bound_text(self, part: str | Unknown) -> str | Text | Unknown:
        bound = self._bound(part) if isinstance(part, Unknown) else part
        return to_text(bound) if isinstance(bound, (str, bool, int, float, Unknown)) else part

    def _look_up(self, unknown: Unknown) -> Value:
        if isinstance(unknown, Sensitive):
            return unknown
        found = self._plan.find(unknown)
        if found is None:
            return unknown
        resource, path = found
        for value in value_at(resource.values, path):
            if isinstance(value, Sensitive) or is_known(value):
                return value
        return unknown


def value_at(values: Mapping[str, Value], path: str) -> Iterator[Value]:
    """Yield the value at a path such as `endpoint[0].url` or `tags["a.b"]`: one, or none if there is nothing there."""
    value: Value = values
    end = 0
    for step in _STEP.finditer(path):
        name, index, key = step.groups()
        if step.start() != end:
            return
        end = step.end()
        place = int(index) if index is not None else _ESCAPE.sub(r"\1", key) if key is not None else name
        if place not in (range(len(value)) if isinstance(value, list) else value if isinstance(value, Mapping) else ()):
            return
        value = value[place]
    if end == len(path):
        yield value


_SHOWN = 5


def complete(planned: Plan, source: Plan) -> Plan:
    """Return the planned resources with their unknown parts filled from the source.

    A known planned value always stands. Locations and provider configurations come from the source. The plan says
    what exists: managed resources that only the source has are left out, with a diagnostic; data sources of the source
    are kept. Values are joined on first access.
    """
    binding = Binding(planned)
    counterparts = _Counterparts(source)
    resources = [_complete(resource, counterparts, binding) for resource in planned.resources]
    resources += [
        _bound(resource, binding)
        for resource in source.resources
        if resource.mode == "data" and resource.address not in planned.by_address
    ]
    known = {(entry.kind, entry.source, entry.target) for entry in source.refactorings}
    further = (entry for entry in planned.refactorings if (entry.kind, entry.source, entry.target) not in known)
    return planned.replaced(
        origin=f"{planned.origin}, completed by {source.origin}",
        resources=tuple(resources),
        diagnostics=(*planned.diagnostics, *source.diagnostics, *_differences(planned, source, counterparts)),
        outputs=_joined("", "output", planned.outputs, source.outputs, binding),
        refactorings=(*source.refactorings, *further),
        account=source.account if isinstance(planned.account, Unknown) else planned.account,
        region=source.region if isinstance(planned.region, Unknown) else planned.region,
        partition=source.partition if planned.partition == "aws" else planned.partition,
        regions=_regions(planned.regions, source.regions),
        accounts={**planned.accounts, **source.accounts},
        ignored_tags=source.ignored_tags,
        module_calls=source.module_calls,
        absent=source.absent,
        problems=source.problems,
        fetched=source.fetched,
        waivers=source.waivers,
        refused_waivers=source.refused_waivers,
    )


def _joined(
    type_: str, address: str, planned: Mapping[str, Value], source: Mapping[str, Value], binding: Binding
) -> ValuesOnDemand:
    """Return planned values, an unknown part of which is looked for in the source when it is asked for."""

    def completed(name: str) -> Value:
        value = planned[name]
        if is_known(value) or name not in source:
            return value
        other = binding.bind(source[name])
        if isinstance(value, Sensitive):
            keeps_structure = isinstance(other, JsonText) and not is_sensitive(type_, name)
            return other if keeps_structure else value
        return mask_attribute(type_, address, name, _fill(value, other))

    return ValuesOnDemand(planned, completed)


def _bound(resource: Resource, binding: Binding) -> Resource:
    """Return a resource of the source, with what the plan knows put in place of its unknowns."""
    return replace(resource, values=ValuesOnDemand(resource.values, lambda name: binding.bind(resource.values[name])))


def _fill(planned: Value, source: Value) -> Value:
    """Return a planned value with its unknown parts taken from the source; sensitive parts stay as they are."""
    if isinstance(planned, Sensitive):
        return planned
    if isinstance(planned, Unknown):
        return planned if source is None else source
    if isinstance(planned, dict) and isinstance(source, dict):
        return {key: _fill(item, source[key]) if key in source else item for key, item in planned.items()}
    if isinstance(planned, list) and isinstance(source, list) and not is_known(planned):
        order = pair(planned, source)
        if order is not None:
            return [_fill(item, source[index]) for item, index in zip(planned, order, strict=True)]
    return planned


class _Counterparts:
    """The source's instances by address; those of an unknown count or for_each by their address without index."""

    def __init__(self, source: Plan) -> None:
        self._exact = source.by_address
        self._templates = {
            bare(resource.address): resource for resource in source.resources if _is_template(resource.address)
        }

    def exact(self, address: str) -> Resource | None:
        return self._exact.get(address)

    def find(self, address: str) -> Resource | None:
        """Return an instance, or the one that stands for all of an unknown count or for_each."""
        return self._exact.get(address) or (self._templates.get(bare(address)) if self._templates else None)


def _complete(resource: Resource, counterparts: _Counterparts, binding: Binding) -> Resource:
    """Complete one resource; from the template of an unknown count, the values of which may differ, take the place."""
    found = counterparts.find(resource.address)
    if found is None:
        return resource
    values = resource.values
    if counterparts.exact(resource.address):
        values = _joined(resource.type, resource.address, resource.values, found.values, binding)
    return replace(
        resource,
        values=values,
        provider=found.provider or resource.provider,
        location=found.location,
        locate=found.locate,
        ignore_changes=found.ignore_changes,
    )


def _differences(planned: Plan, source: Plan, counterparts: _Counterparts) -> Iterator[Diagnostic]:
    addresses = planned.by_address
    blocks = {bare(address) for address in addresses} if any(map(_is_template, source.by_address)) else set()
    only_source = [
        resource.address
        for resource in source.managed()
        if resource.address not in addresses
        and not (_is_template(resource.address) and bare(resource.address) in blocks)
    ]
    only_planned = [resource.address for resource in planned.managed() if counterparts.find(resource.address) is None]
    yield from _difference(only_source, source.origin, planned.origin, "left out")
    yield from _difference(only_planned, planned.origin, source.origin, "not completed")


def _is_template(address: str) -> bool:
    return "[?]" in address or '["?"]' in address


def _difference(addresses: list[str], present: str, absent: str, consequence: str) -> Iterator[Diagnostic]:
    if addresses:
        shown = ", ".join(addresses[:_SHOWN]) + (", …" if len(addresses) > _SHOWN else "")
        resources = "1 resource is" if len(addresses) == 1 else f"{len(addresses)} resources are"
        yield Diagnostic(
            "warning",
            f"{resources} only in {present}, not in {absent}, and {consequence}: {shown}",
            remedy="make the plan or state anew from this source",
        )


def _regions(planned: Mapping[str, Value], source: Mapping[str, Value]) -> dict[str, Value]:
    known = {key: region for key, region in planned.items() if not isinstance(region, Unknown)}
    return {**planned, **source, **known}
