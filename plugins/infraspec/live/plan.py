"""The Plan model of what exists: the resources of an environment as AWS describes them, read when first asked for.

A check that reads alarms asks AWS for alarms, and needs no permission to look at anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from infraspec.aws.calls import Calls
from infraspec.checks.secret_access import placed
from infraspec.contract.models import Contract
from infraspec.live.membership import Membership
from infraspec.live.plan_ecs import ecs_resources
from infraspec.live.plan_iam import iam_resources
from infraspec.live.plan_keys import key_resources
from infraspec.live.plan_parameters import parameter_resources
from infraspec.live.plan_secrets import secret_resources
from infraspec.live.scope import Scope
from infraspec.live.sources import Sources
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Unknown

Managed = Callable[..., tuple[Resource, ...]]
"""Return the live resources of the given types."""
Builder = Callable[[Scope, Managed], Iterable[Resource]]

_BUILDERS: Mapping[Builder, tuple[str, ...]] = {
    ecs_resources: ("aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition"),
    iam_resources: ("aws_iam_role", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment"),
    secret_resources: ("aws_secretsmanager_secret", "aws_secretsmanager_secret_policy"),
    parameter_resources: ("aws_ssm_parameter",),
    key_resources: ("aws_kms_key", "aws_kms_alias", "aws_kms_key_policy"),
}
"""What each builder makes, in the order of the plan."""
_BUILDER_OF = {type_: builder for builder, types in _BUILDERS.items() for type_ in types}


def live_plan(calls: Calls, plan: Plan, contract: Contract, environment: str) -> LivePlan:
    """Return the Plan of what exists and belongs to an environment.

    That is what the source `plan` names, what the contract's patterns and tags say is of this environment, and what
    these use: the roles of its task definitions, their policies, the secrets and parameters that they read, the keys
    of those. A resource that the source knows has its address and place there, any other its ARN. What the runner may
    not look at is RunnerPermissionError when a check first asks for it.
    """
    source = placed(plan, contract, environment)
    membership = Membership(contract, environment, calls.region, calls.account)
    return LivePlan(
        f"the account {calls.account}, region {calls.region}",
        LiveResources(Scope(calls, Sources(source), membership)),
        account=calls.account,
        region=calls.region,
        partition=calls.partition,
    )


class LiveResources(Sequence[Resource]):
    """The resources that exist, by type; all of them if they are iterated over."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._built: dict[Builder, tuple[Resource, ...]] = {}
        self.by_address: dict[str, Resource] = {}
        """The resources that were asked for so far: nothing refers to others."""

    def of(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of the given types."""
        return tuple(one for type_ in types for one in self._builds(_BUILDER_OF.get(type_)) if one.type == type_)

    def _builds(self, builder: Builder | None) -> tuple[Resource, ...]:
        if builder is None:
            return ()
        if builder not in self._built:
            self._built[builder] = found = tuple(builder(self._scope, self.of))
            self.by_address.update((resource.address, resource) for resource in found)
        return self._built[builder]

    def __iter__(self) -> Iterator[Resource]:
        for builder in _BUILDERS:
            yield from self._builds(builder)

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | Sequence[Resource]:
        """Return one resource, or several, by position."""
        return tuple(self)[index]

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, repr=False)
class LivePlan(Plan):
    """A Plan whose resources are asked for by type."""

    resources: LiveResources

    def __repr__(self) -> str:
        return f"<Plan of {self.origin}>"

    def managed(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of the given types, or of all."""
        return self.resources.of(*types) if types else tuple(self.resources)

    def data(self, *types: str) -> tuple[Resource, ...]:  # noqa: ARG002 - the interface of Plan
        """Return nothing: what exists is no data source."""
        return ()

    def find(self, unknown: Unknown) -> tuple[Resource, str] | None:
        """Return the resource and attribute path that an unknown names, of those that were asked for."""
        address = unknown.address
        cut = len(address)
        while (cut := address.rfind(".", 0, cut)) > 0:
            resource = self.resources.by_address.get(address[:cut])
            if resource is not None:
                return resource, address[cut + 1 :]
        return None
