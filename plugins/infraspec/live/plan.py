"""The Plan model of what exists: the resources of an environment as AWS describes them, read when first asked for.

A check that reads alarms asks AWS for alarms, and needs no permission to look at anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from infraspec.aws.calls import Calls
from infraspec.checks.secret_access import placed
from infraspec.contract.models import Contract
from infraspec.live.membership import Membership
from infraspec.live.plan_alarms import alarm_resources
from infraspec.live.plan_balancers import balancer_resources
from infraspec.live.plan_databases import database_resources
from infraspec.live.plan_ecs import ecs_resources
from infraspec.live.plan_events import event_resources
from infraspec.live.plan_iam import iam_resources
from infraspec.live.plan_keys import key_resources
from infraspec.live.plan_logs import log_resources
from infraspec.live.plan_network import network_resources
from infraspec.live.plan_parameters import parameter_resources
from infraspec.live.plan_secrets import secret_resources
from infraspec.live.plan_storage import bucket_resources, repository_resources, table_resources
from infraspec.live.plan_topics import topic_resources
from infraspec.live.scope import Scope
from infraspec.live.sources import Sources
from infraspec.terraform.plan import Plan, Resource

Managed = Callable[..., tuple[Resource, ...]]
"""Return the live resources of the given types."""
Builder = Callable[[Scope, Managed], Iterable[Resource]]

_BUILDERS: Mapping[Builder, tuple[str, ...]] = {
    ecs_resources: ("aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition"),
    iam_resources: ("aws_iam_role", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment"),
    secret_resources: ("aws_secretsmanager_secret", "aws_secretsmanager_secret_policy"),
    parameter_resources: ("aws_ssm_parameter",),
    key_resources: ("aws_kms_key", "aws_kms_alias", "aws_kms_key_policy"),
    repository_resources: ("aws_ecr_repository", "aws_ecr_repository_policy"),
    bucket_resources: ("aws_s3_bucket", "aws_s3_bucket_policy"),
    table_resources: ("aws_dynamodb_table",),
    log_resources: (
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_log_metric_filter",
        "aws_cloudwatch_log_resource_policy",
    ),
    alarm_resources: ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"),
    event_resources: ("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"),
    topic_resources: (
        "aws_sns_topic",
        "aws_sns_topic_policy",
        "aws_sns_topic_subscription",
        "aws_chatbot_slack_channel_configuration",
    ),
    database_resources: ("aws_db_instance", "aws_db_subnet_group", "aws_db_parameter_group"),
    balancer_resources: ("aws_lb", "aws_lb_listener", "aws_lb_target_group"),
    network_resources: (
        "aws_vpc",
        "aws_subnet",
        "aws_internet_gateway",
        "aws_nat_gateway",
        "aws_eip",
        "aws_route_table",
        "aws_vpc_endpoint",
        "aws_security_group",
        "aws_default_security_group",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    ),
}
"""What each builder makes, in the order of the plan."""
_BUILDER_OF = {type_: builder for builder, types in _BUILDERS.items() for type_ in types}


def live_plan(calls: Calls, plan: Plan, contract: Contract, environment: str) -> LivePlan:
    """Return the Plan of what exists and belongs to an environment.

    That is what the source `plan` names, what the contract's patterns and tags say is of this environment, and what
    these use: the roles of its task definitions, their policies, the secrets and parameters that they read, the keys
    of those. A resource that the source knows has its address and place there, any other its ARN: what the source puts
    in another account or region is not what has its name here. What the runner may not look at is RunnerPermissionError
    when a check first asks for it.
    """
    source = placed(plan, contract, environment)
    membership = Membership(contract, environment, calls.region, calls.account)
    return LivePlan(
        f"the account {calls.account}, region {calls.region}",
        LiveResources(Scope(calls, Sources(source, calls.account, calls.region), membership)),
        account=calls.account,
        region=calls.region,
        partition=calls.partition,
        source=source,
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

    @cached_property
    def by_address(self) -> Mapping[str, Resource]:
        """The resources that were asked for so far: only to those can anything refer."""
        return self.resources.by_address
