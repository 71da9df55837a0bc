"""A risk that a change of a plan brings, and what the modules that look for risks are given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct, json

from infraspec.contract.static import PlanReview, Risk
from infraspec.conventions.effective_tags import Exemptions
from infraspec.core.truth import Truth
from infraspec.core.unknown import Sensitive, Text, Unknown, Value
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Change, ChangeKind, Plan, Resource


class RiskWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What risks.json says: what is expected in place of a risk, Terraform's `action_reason`, and what guards data.

    `guards` says by attribute and value what becomes of data that is destroyed.
    """

    expected: Mapping[Risk, str]
    reasons: Mapping[str, str]
    guards: Mapping[str, Mapping[str, str]]


WORDS = json.decode(Path(__file__).with_name("risks.json").read_bytes(), type=RiskWords)
_REFERENCES = ("name", "id", "arn", "bucket", "url")


class RiskFound(Struct, frozen=True):
    """A risk of a change. `answer` is YES if it is certain, MAYBE if it depends on something unknown.

    `path` is the attribute that it lies in, as Resource.location_of takes it.
    """

    risk: Risk
    answer: Truth
    found: str
    reason: str
    remedy: str = ""
    path: str = ""


class Review:
    """A plan under review: its changes, the resources as they will be, and the contract's table."""

    def __init__(self, plan: Plan, rules: PlanReview) -> None:
        self.plan = plan
        self.rules = rules
        self.attributes = plan.derived(AwsAttributes)
        self.disposable = Exemptions.of(rules.disposable)
        self._kinds = {
            change.address: change.kind for change in plan.changes if not change.drift and not change.deposed
        }

    def resource(self, change: Change) -> Resource | None:
        """Return the resource as it will be; None if it will be gone."""
        return None if change.deposed else self.plan.by_address.get(change.address)

    def after(self, change: Change) -> Mapping[str, Value]:
        """Return the attributes after the change, completed by the source where there is one."""
        resource = self.resource(change)
        return resource.values if resource is not None else change.after

    def given(self, change: Change, attribute: str, *, block: bool = False) -> Value:
        """Return an attribute after the change; None if it is the provider's to fill in, because nobody sets it.

        A plan marks what the provider computes and what is configured with something unknown alike. The source, or
        else the configuration in the plan file, tells them apart, but for the `dynamic` blocks that the latter omits.
        """
        value = self.after(change).get(attribute)
        if (
            not isinstance(value, Unknown)
            or isinstance(value, Sensitive)
            or value.address != f"{change.address}.{attribute}"
        ):
            return value
        resource = self.resource(change)
        if resource is not None and resource.location is not None:
            return None
        if change.configured is not None and attribute not in change.configured and not block:
            return None
        return value

    def is_new(self, *types: str, named: Value) -> bool:
        """Tell whether the resource that a name, id or ARN stands for is created by this plan.

        What is known only after apply belongs to something that does not exist yet.
        """
        if isinstance(named, Unknown | Text):
            referred = self.plan.find(named) if isinstance(named, Unknown) else None
            return referred is None or self._kinds.get(referred[0].address) in {
                ChangeKind.CREATE,
                ChangeKind.REPLACE,
                None,
            }
        return any((type_, named) in self._created for type_ in types)

    def is_gone(self, *types: str, named: Value) -> bool:
        """Tell whether the resource that a name, id or ARN stands for is destroyed for good by this plan."""
        return any((type_, named) in self._gone for type_ in types)

    @cached_property
    def created_by_type(self) -> Mapping[str, tuple[str, ...]]:
        """The addresses that the plan creates, by type."""
        by_type: dict[str, list[str]] = {}
        for change in self.plan.changes:
            if change.kind is ChangeKind.CREATE and not change.drift:
                by_type.setdefault(change.type, []).append(change.address)
        return {type_: tuple(addresses) for type_, addresses in by_type.items()}

    @cached_property
    def _created(self) -> frozenset[tuple[str, Value]]:
        return frozenset(
            (type_, name)
            for type_, addresses in self.created_by_type.items()
            for address in addresses
            if address in self.plan.by_address
            for name in _names(self.plan.by_address[address].values)
        )

    @cached_property
    def _gone(self) -> frozenset[tuple[str, Value]]:
        return frozenset(
            (change.type, name)
            for change in self.plan.changes
            if change.kind is ChangeKind.DELETE and not change.drift
            for name in _names(change.before)
        )


def _names(values: Mapping[str, Value]) -> tuple[Value, ...]:
    """Return what other resources may refer to one by, as far as it is known."""
    return tuple(values[name] for name in _REFERENCES if isinstance(values.get(name), str))
