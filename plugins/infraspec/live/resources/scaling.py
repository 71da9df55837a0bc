"""What scales the services of an environment: scalable targets with their policies and scheduled actions.

AWS lists them by the service that they are of. Whoever registers a service by hand changes how many tasks it has, so
those of the environment's services belong to it, whoever made them. Sources: Application Auto Scaling API Reference,
DescribeScalableTargets, DescribeScalingPolicies and DescribeScheduledActions (`ResourceId` of a service is
`service/CLUSTER/NAME`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from infraspec.core.unknown import Value
from infraspec.live.resources.containers import SERVICE
from infraspec.live.resources.reading import LISTINGS, entries, values_of
from infraspec.live.resources.scope import LiveScope
from infraspec.terraform.plan import Resource

TARGET, POLICY, SCHEDULED = (
    "aws_appautoscaling_target",
    "aws_appautoscaling_policy",
    "aws_appautoscaling_scheduled_action",
)
_ECS = "ecs"


def scaled(service: Resource) -> Value:
    """Return what Application Auto Scaling calls a service: the end of its ARN."""
    return str(service.stated("id")).rpartition(":")[2]


def scaling(scope: LiveScope, type_: str) -> Iterator[Resource]:
    """Yield what AWS has of a type: of the services of the environment, and what the source names."""
    services = {scaled(one) for one in scope.seen(SERVICE)}
    named = (one.stated("service_namespace") for one in scope.sources.plan.managed(type_))
    namespaces = {name for name in named if isinstance(name, str)} | ({_ECS} if services else set())
    for namespace in sorted(namespaces):
        for entry in entries(scope, type_, {"service_namespace": namespace}):
            values = values_of(scope, type_, entry)
            if values.get("resource_id") in services or scope.belongs(type_, values):
                yield scope.resource(type_, values, address=_address(type_, values))


def _address(type_: str, values: Mapping[str, Value]) -> str:
    return LISTINGS[type_].address.format_map(values)


READERS: Mapping[str, Callable[[LiveScope], Iterator[Resource]]] = {
    type_: partial(scaling, type_=type_) for type_ in (TARGET, POLICY, SCHEDULED)
}
