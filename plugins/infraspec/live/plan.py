"""The Plan model of what exists: the resources of an environment as AWS describes them, read when first asked for.

A check that reads alarms asks AWS for alarms, and needs no permission to look at anything else. What exists and is not
in the source is told by the services themselves, and by the Resource Groups Tagging API. Source: Resource Groups
Tagging API Reference, GetResources (what has or had tags; IAM is not among it).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from infraspec.aws.calls import Calls
from infraspec.checks.access.secret_access import placed
from infraspec.checks.common.live_comparison import Whereabouts
from infraspec.checks.deployed.attachments import extra_attachments
from infraspec.checks.deployed.inventory import (
    FirewallRule,
    Stray,
    extra_grants,
    extra_receivers,
    extra_rules,
)
from infraspec.contract.models import Contract
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.truth import Truth
from infraspec.core.unknown import MissingVariable, Unknown
from infraspec.live.resources import containers, network, notifications, scaling, secrets, stores, workloads
from infraspec.live.resources.api_to_terraform import tag_map
from infraspec.live.resources.principals import principals
from infraspec.live.resources.reading import LISTINGS, NOTHING, listed, unseen
from infraspec.live.resources.scope import LiveScope, Membership, refused
from infraspec.live.resources.source_index import SourceIndex
from infraspec.live.resources.whole_network import RUNNERS, whole_network
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import IamSnapshot, Plan, Resource

_TAGGED = "what the tags alone tell of"
_READERS: Mapping[str, Callable[[LiveScope], Iterable[Resource]]] = {
    **containers.READERS,
    **secrets.IDENTITY_READERS,
    **network.READERS,
    **notifications.READERS,
    **scaling.READERS,
    **secrets.READERS,
    **workloads.READERS,
}
"""The types that no table says how to read; one reader may yield several."""
_PECULIARITIES = {
    **network.PECULIARITIES,
    **notifications.PECULIARITIES,
    **secrets.PECULIARITIES,
    **stores.PECULIARITIES,
    **workloads.PECULIARITIES,
}


def live_plan(
    calls: Calls,
    plan: Plan,
    contract: Contract,
    environment: str,
    *,
    not_applied: Mapping[str, str] | None = None,
) -> LivePlan:
    """Return the Plan of what exists and belongs to an environment.

    That is what the source `plan` names, what the contract's patterns and tags say is of this environment, and what
    these use: the roles of its task definitions, their policies, the secrets and parameters that they read, the keys
    of those. A resource that the source knows has its address and place there, any other its ARN: what the source puts
    in another account or region is not what has its name here. Of what the runner may not look at nothing is known, and
    each of its attributes is Unknown. `not_applied` says why a sandbox that the plan was applied to does not have
    something, by its address or type; None where it was applied by somebody else.
    """
    source = placed(plan, contract, environment)
    membership = Membership(contract, environment, calls.region, calls.account)
    return LivePlan(
        f"the account {calls.account}, region {calls.region}",
        LiveResources(calls, SourceIndex(source, calls.account, calls.region), membership, not_applied),
        account=calls.account,
        region=calls.region,
        partition=calls.partition,
        source=source,
    )


class LiveResources(Sequence[Resource]):
    """The resources that exist, by type; all of them if they are iterated over."""

    def __init__(
        self,
        calls: Calls,
        sources: SourceIndex,
        membership: Membership,
        not_applied: Mapping[str, str] | None = None,
    ) -> None:
        self._not_applied = not_applied
        self.refused: dict[str, RunnerPermissionError] = {}
        """Why not all resources of a type are known."""
        self._scope = LiveScope(calls, sources, membership, self.of, self.refused)
        self._read: dict[object, tuple[Resource, ...]] = {}
        self.by_address: dict[str, Resource] = {}
        """The resources that were asked for so far: nothing refers to others."""

    def of(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of the given types."""
        return tuple(one for type_ in types if type_ in LISTINGS for one in self._of(type_) if one.type == type_)

    def principals(self) -> IamSnapshot:
        """Return the users, groups, roles and grants of the account. Raises RunnerPermissionError, SnapshotError."""
        return principals(self._scope)

    def network(self) -> tuple[Resource, ...]:
        """Return what runs tasks, and the whole network around it. Raises RunnerPermissionError."""
        running = (one for type_ in RUNNERS if type_ in LISTINGS for one in self.of(type_))
        return (*running, *whole_network(self._scope))

    def _of(self, type_: str) -> tuple[Resource, ...]:
        reader = _READERS.get(type_)
        key = reader or type_
        if key not in self._read:
            self._read[key] = self._asked(type_, reader)
            self.by_address.update((resource.address, resource) for resource in self._read[key])
        return self._read[key]

    def _asked(self, type_: str, reader: Callable[[LiveScope], Iterable[Resource]] | None) -> tuple[Resource, ...]:
        """Return what can be read, then what of the source was not found and could not be looked for."""
        types = [name for name, one in _READERS.items() if one is reader] if reader else [type_]
        found: list[Resource] = []
        try:
            found += reader(self._scope) if reader else listed(self._scope, type_, _PECULIARITIES.get(type_, NOTHING))
        except RunnerPermissionError as error:
            self.refused.update((name, error) for name in types)
        found = [one for one in found if not self.left_out(one)]
        known = {one.address for one in found}
        left = (one for name in types if name in self.refused for one in unseen(self._scope, name, self.refused[name]))
        return (*found, *(one for one in left if one.address not in known))

    def left_out(self, source: Resource) -> str:
        """Return why a sandbox does not have a resource of the source, nothing if it has or this is an account."""
        lacking = self._not_applied or {}
        return lacking.get(source.address) or lacking.get(source.type, "")

    def made_up(self, variable: MissingVariable) -> str | None:
        """Return the value that a sandbox made up for a variable; None of an account."""
        return None if self._not_applied is None else variable.in_sandbox

    def __iter__(self) -> Iterator[Resource]:
        for type_ in LISTINGS:
            yield from self.of(type_)

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

    def left_out(self, source: Resource) -> str:
        """Return why a sandbox does not have a resource of the source, nothing if it has or this is an account."""
        return self.resources.left_out(source)

    def made_up(self, variable: MissingVariable) -> str | None:
        """Return the value that a sandbox made up for a variable; None of an account."""
        return self.resources.made_up(variable)

    def unlisted(self, type_: str) -> Unknown | None:
        """Return why there may be more resources of a type than are known, None if there are not."""
        self.managed(type_)
        error = self.resources.refused.get(type_)
        return None if error is None else refused(f"each {type_} of the account", error)

    def with_principals(self) -> LivePlan | Unknown:
        """Return the plan with the principals of the account and the grants of the keys that its secrets are under."""
        try:
            return dataclasses.replace(self, snapshots=(self.resources.principals(),))
        except RunnerPermissionError as error:
            return refused("a principal of the account", error)

    def with_network(self) -> Plan | Unknown:
        """Return a plan of what runs tasks with the network around it, whoever made that."""
        place = {"account": self.account, "region": self.region, "partition": self.partition}
        try:
            return Plan(self.origin, self.resources.network(), **place)
        except RunnerPermissionError as error:
            return refused("the network of the account", error)

    def __repr__(self) -> str:
        return f"<Plan of {self.origin}>"

    def managed(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of the given types, or of all."""
        return self.resources.of(*types) if types else tuple(self.resources)

    def data(self, *types: str) -> tuple[Resource, ...]:  # noqa: ARG002 - the interface of Plan
        """Return nothing: what exists is no data source."""
        return ()

    @cached_property
    def by_address(self) -> Mapping[str, Resource]:
        """The resources that were asked for so far: only to those can anything refer."""
        return self.resources.by_address


def strays(calls: Calls, plan: Plan, live: Plan, contract: Contract, environment: str) -> tuple[Stray, ...]:
    """Return what belongs to an environment by its name or tags, or to a role or security group of its source.

    It is at no address of the source.
    """
    membership = Membership(contract, environment, calls.region, calls.account)
    rules = _firewall_rules(calls)
    canary = contract.environments[environment].live.canary
    receivers = extra_receivers(plan, live, [canary.queue] if canary else [])
    extra = (*extra_grants(plan, live), *extra_attachments(plan, live), *extra_rules(plan, live, rules), *receivers)
    whereabouts = Whereabouts(plan.derived(AwsAttributes), calls.account, calls.region)
    doubtful = {one.type for one in plan.managed() if whereabouts.has(one) is Truth.MAYBE}
    listed = {stray.arn: stray for stray in (*extra, *_listed(plan, live, membership, doubtful))}
    known = {name for one in live.managed() for name in (one.stated("arn"), one.stated("id")) if isinstance(name, str)}
    found, unseen = _tagged(calls, membership)
    tagged = (one for one in found if one.arn not in listed and not _is_known(one.arn, known))
    return (*listed.values(), *tagged, *unseen, *_unlisted(live))


def _tagged(calls: Calls, membership: Membership) -> tuple[Sequence[Stray], Sequence[Stray]]:
    """Return what belongs by its tags, and that nobody may ask for tags."""
    try:
        found = calls.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList")
    except RunnerPermissionError as error:
        return (), [Stray(_TAGGED, "", "its tags", certain=False, refused=error.remedy)]
    own = [one["ResourceARN"] for one in found if membership.by_tags(tag_map(one.get("Tags")))]
    return [Stray(arn, "", "its tags", certain=False) for arn in own if not _is_going(calls, arn)], ()


def _is_going(calls: Calls, arn: str) -> bool:
    """Tell whether a secret is deleted but for the days in which that can be taken back: nobody has it any more.

    Source: AWS Secrets Manager User Guide, "Delete an AWS Secrets Manager secret".
    """
    if ":secretsmanager:" not in arn:
        return False
    try:
        found = calls.ask("secretsmanager", "describe_secret", SecretId=arn, absent=("ResourceNotFoundException",))
    except RunnerPermissionError:
        return False
    return found is None or found.get("DeletedDate") is not None


def _unlisted(live: Plan) -> Iterator[Stray]:
    """Yield that the resources of a type could not be listed, each type by itself."""
    refusals = live.resources.refused if isinstance(live, LivePlan) else {}
    for type_, error in sorted(refusals.items()):
        yield Stray(type_, type_, "", certain=False, refused=error.remedy)


def _listed(plan: Plan, live: Plan, membership: Membership, doubtful: Collection[str]) -> Iterator[Stray]:
    """Yield what belongs and has no address of the source; of a `doubtful` type one of the source may be it."""
    for one in live.managed():
        arn = one.stated("arn")
        if one.address in plan.by_address or not isinstance(arn, str):
            continue
        by_name = membership.by_name(one.type, one.name)
        if by_name or membership.by_tags(one.stated("tags_all") or {}):
            certain = plan.is_whole and one.type not in doubtful
            yield Stray(arn, one.type, "its name" if by_name else "its tags", certain=certain)


def _firewall_rules(calls: Calls) -> list[FirewallRule]:
    """Return the rules of all security groups; none where they may not be listed, as their types are not then."""
    try:
        found = calls.pages("ec2", "describe_security_group_rules", "SecurityGroupRules")
    except RunnerPermissionError:
        return []
    prefix = f"arn:{calls.partition}:ec2:{calls.region}:{calls.account}:security-group-rule/"
    rules = ((one["SecurityGroupRuleId"], one) for one in found)
    return [
        FirewallRule(prefix + identifier, identifier, one.get("GroupId", ""), bool(one.get("IsEgress")))
        for identifier, one in rules
    ]


def _is_known(arn: str, known: set[str]) -> bool:
    """Tell whether an ARN, or the id that it ends with, is that of a live resource that was looked at already."""
    return arn in known or arn.rpartition("/")[2] in known or arn.rpartition(":")[2] in known
