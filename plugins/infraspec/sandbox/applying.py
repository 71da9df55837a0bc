"""Apply a plan to an account: each resource by its calls, in the order of its references."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from msgspec import Struct, convert, to_builtins

from infraspec.checks.common.live_comparison import Whereabouts
from infraspec.sandbox.images_and_values import Created, Unresolved, put_value, references, settle
from infraspec.sandbox.resources.peculiar import KINDS
from infraspec.sandbox.server_process import Account
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_RANKS = {type_: rank for rank, type_ in enumerate(KINDS)}


class NotApplied(Struct, frozen=True):
    """Resources that are not in the sandbox: their type, how many, and why. `address` is empty for a whole type."""

    type: str
    count: int
    reason: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.address or f'{self.count} of {self.type}'}: {self.reason}"


def reasons(not_applied: Iterable[NotApplied]) -> dict[str, str]:
    """Return why something is not in the sandbox, by its address or, of a whole type, by the type."""
    return {one.address or one.type: one.reason for one in not_applied}


@dataclass(slots=True)
class AppliedPlan:
    """What has been applied to an account, by address: the values then, and the attributes that came of it."""

    account: Account
    values: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    types: dict[str, str] = field(default_factory=dict)
    settled: bool = True
    """Whether alarms get data and subscriptions are confirmed after an apply."""
    not_applied: tuple[NotApplied, ...] = ()
    """What of the last plan is not in the account, with the reasons."""

    @classmethod
    def restored(cls, account: Account, state: Mapping[str, Any]) -> Self:
        """Go on with what another process has applied to an account, from the `state` that it left."""
        made = state.get("resources", {})
        values, attributes = ({name: dict(one[key]) for name, one in made.items()} for key in ("values", "attributes"))
        types = {name: one["type"] for name, one in made.items()}
        not_applied = convert(state.get("not_applied", ()), tuple[NotApplied, ...])
        return cls(account, values, attributes, types, not_applied=not_applied)

    def state(self) -> dict[str, Any]:
        """Return what has been applied, and what could not be, as JSON has it. It may hold secrets of the sandbox."""
        made = {
            address: {"type": type_, "values": self.values[address], "attributes": self.attributes[address]}
            for address, type_ in self.types.items()
            if address in self.attributes
        }
        return {"resources": made, "not_applied": to_builtins(self.not_applied)}

    def apply(self, plan: Plan) -> tuple[NotApplied, ...]:
        """Create what is new, change what differs, delete what is gone; return what could not be applied.

        A resource waits for those that its values name. What AWS refuses is tried once more after all others, since a
        name in plain text (`role = "app"`) tells no order. What the plan puts in another region or account is left out.
        """
        created = Created(plan, self.attributes)
        plan, elsewhere = _divided(
            plan, Whereabouts(plan.derived(AwsAttributes), self.account.account, self.account.region)
        )
        failed = self._pass(_ordered(plan), created)
        while failed:
            again = self._pass([resource for resource, _ in failed], created)
            if len(again) == len(failed):
                break
            failed = again
        kept = self._forget(plan)
        for resource in plan.managed("aws_secretsmanager_secret"):
            if resource.address in self.attributes:
                put_value(self.account, self.attributes[resource.address]["arn"])
        if self.settled:
            settle(self.account)
        refused = [NotApplied(resource.type, 1, reason, resource.address) for resource, reason in failed]
        self.not_applied = (*unsupported(plan), *elsewhere, *refused, *kept)
        return self.not_applied

    def _pass(self, resources: list[Resource], created: Created) -> list[tuple[Resource, str]]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the static path never imports it

        failed: list[tuple[Resource, str]] = []
        for resource in resources:
            try:
                self._one(resource, {name: created.resolve(value) for name, value in resource.values.items()})
            except Unresolved as error:
                failed.append((resource, str(error)))
            except (ClientError, BotoCoreError) as error:
                failed.append((resource, f"the sandbox refuses it: {error}"))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                failed.append((resource, f"it is not as the sandbox expects: {type(error).__name__} {error}"))
        return failed

    def _one(self, resource: Resource, values: dict[str, Any]) -> None:
        kind, address = KINDS[resource.type], resource.address
        if address not in self.attributes:
            self.attributes[address] = values | kind.create(self.account, values)
        elif self.values[address] != values or kind.drifted(self.account, values, self.attributes[address]):
            if kind.update is None:
                raise ValueError("a change of this type needs a new sandbox")
            self.attributes[address] = values | kind.update(self.account, values, self.attributes[address])
        self.values[address] = values
        self.types[address] = resource.type

    def _forget(self, plan: Plan) -> Iterator[NotApplied]:
        """Delete what the plan has no more, the last created first."""
        gone = [address for address in self.attributes if address not in plan.by_address]
        for address in reversed(gone):
            kind = KINDS[self.types[address]]
            if kind.delete is None:
                yield NotApplied(self.types[address], 1, "it is no longer in the plan; the sandbox keeps it", address)
                continue
            kind.delete(self.account, self.values.pop(address), self.attributes.pop(address))


def _divided(plan: Plan, whereabouts: Whereabouts) -> tuple[Plan, list[NotApplied]]:
    """Return a plan without what is certainly not in the account and region of a sandbox, and what that is."""
    others = {one.address: place for one in plan.managed() if (place := whereabouts.elsewhere(one))}
    if not others:
        return plan, []
    kept = tuple(one for one in plan.resources if one.address not in others)
    counts = Counter((plan.by_address[address].type, place) for address, place in others.items())
    reason = f"the sandbox is {whereabouts.asked} alone"
    left = [NotApplied(f"{type_} in {place}", count, reason) for (type_, place), count in sorted(counts.items())]
    return plan.replaced(resources=kept), left


def unsupported(plan: Plan) -> Iterator[NotApplied]:
    """Yield the types of a plan that no sandbox has."""
    for type_ in plan.types():
        if type_ not in KINDS:
            yield NotApplied(type_, len(plan.managed(type_)), "the sandbox does not know this type")


def _ordered(plan: Plan) -> list[Resource]:
    """Order the resources by their references, then by their type."""
    known = {resource.address: resource for resource in plan.managed() if resource.type in KINDS}
    waiting: dict[str, set[str]] = {}
    dependents: dict[str, list[str]] = {}
    for address, resource in known.items():
        waiting[address] = {name for name in references(resource, plan) if name in known}
        for name in waiting[address]:
            dependents.setdefault(name, []).append(address)
    places = {address: (_RANKS[resource.type], index) for index, (address, resource) in enumerate(known.items())}
    ready = [(*places[address], address) for address, names in waiting.items() if not names]
    heapq.heapify(ready)
    order: list[Resource] = []
    while ready:
        address = heapq.heappop(ready)[2]
        order.append(known[address])
        for dependent in dependents.get(address, ()):
            waiting[dependent].discard(address)
            if not waiting[dependent]:
                heapq.heappush(ready, (*places[dependent], dependent))
    done = {resource.address for resource in order}
    return [*order, *(resource for address, resource in known.items() if address not in done)]
