"""What a resource of the source has in AWS beside itself, and the source does not give it; `inventory` tells of it.

A policy of a secret, the lifecycle of a repository or bucket, what scales a service: none has a name or tags of its
own, so it belongs to the environment by what it is of. AWS itself gives buckets a policy for the logs that it delivers;
that is left out. Sources: Terraform AWS provider, the resource of each type; Application Auto Scaling API Reference,
ScalableTarget (`ResourceId` of a service is the end of its ARN).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.checks.common.live_comparison import ResolvedSource, same
from infraspec.checks.deployed.inventory import Stray
from infraspec.core.truth import Truth, all_of, any_of
from infraspec.core.unknown import Unknown, Value
from infraspec.terraform.plan import Plan, Resource


class _Attached(Struct, frozen=True):
    """`attribute` names what it is of: a resource of the type `owner`, by the attribute `key`.

    `names` tell it apart where there may be several of one owner, and make up the id by which Terraform imports it.
    `argument` is that of the owner by which it may have one too, `shown` what is not known where nobody may look.
    """

    attribute: str
    owner: str
    key: str
    shown: str = "policy"
    argument: str = "policy"
    names: tuple[str, ...] = ()


_SERVICE, _SCALED = "aws_ecs_service", ("service_namespace", "resource_id", "scalable_dimension")
_ATTACHED = {
    "aws_appautoscaling_policy": _Attached("resource_id", _SERVICE, "id", "policy_type", "", (*_SCALED, "name")),
    "aws_appautoscaling_scheduled_action": _Attached("resource_id", _SERVICE, "id", "schedule", "", (*_SCALED, "name")),
    "aws_appautoscaling_target": _Attached("resource_id", _SERVICE, "id", "min_capacity", "", _SCALED),
    "aws_ecr_lifecycle_policy": _Attached("repository", "aws_ecr_repository", "name"),
    "aws_ecr_repository_policy": _Attached("repository", "aws_ecr_repository", "name"),
    "aws_s3_bucket_lifecycle_configuration": _Attached("bucket", "aws_s3_bucket", "bucket", "rule", "lifecycle_rule"),
    "aws_secretsmanager_secret_policy": _Attached("secret_arn", "aws_secretsmanager_secret", "arn"),
    "aws_sns_topic_policy": _Attached("arn", "aws_sns_topic", "arn"),
}


def extra_attachments(plan: Plan, live: Plan) -> Iterator[Stray]:
    """Yield what resources of the source have in AWS of these types, and do not have by the source."""
    bound = ResolvedSource(plan, live)
    for type_, attached in _ATTACHED.items():
        owners = {_called(one, attached): plan.by_address.get(one.address) for one in live.managed(attached.owner)}
        names = attached.names or (attached.attribute,)
        given = [_given(bound, one, names) for one in plan.managed(type_)]
        for one in live.managed(type_):
            source = owners.get(one.stated(attached.attribute))
            if source is None or one.address in plan.by_address or isinstance(one.stated(attached.shown), Unknown):
                continue
            if attached.argument and source.sets(attached.argument):
                continue
            own = [one.stated(name) for name in names]
            known = any_of(all_of(here, *map(same, values, own)) for here, values in given)
            if known is not Truth.YES:
                name, certain = "/".join(map(str, own)), known is Truth.NO and plan.is_whole
                yield Stray(one.address, type_, f"what it is of, {source.address}", certain=certain, import_id=name)


def _called(owner: Resource, attached: _Attached) -> Value:
    """Return what names an owner: a service by the end of its ARN."""
    name = owner.stated(attached.key)
    return name.rpartition(":")[2] if attached.owner == _SERVICE and isinstance(name, str) else name


def _given(bound: ResolvedSource, source: Resource, names: tuple[str, ...]) -> tuple[Truth, list[Value]]:
    return bound.whereabouts.has(source), [bound.value(source.attribute(name)) for name in names]
