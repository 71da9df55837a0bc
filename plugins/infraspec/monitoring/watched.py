"""What a catalogue's alarms watch: the services, target groups, databases, replicas and secrets of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from infraspec.monitoring.specimen import Specimens
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.unknown import AFTER_APPLY, Unknown, Value, computed_from, concatenate, render

_NAMESPACES: Mapping[Value, str] = {
    **dict.fromkeys(("HTTP", "HTTPS"), "AWS/ApplicationELB"),
    **dict.fromkeys(("TCP", "TCP_UDP", "TLS", "UDP", "QUIC", "TCP_QUIC"), "AWS/NetworkELB"),
}
"""The namespace of a target group's metrics by its protocol."""


class Subject(Struct, frozen=True, eq=False):
    """One watched thing; `facts` are the values of the placeholders that name it."""

    address: str
    facts: Mapping[str, Value]
    resource: Resource | None = None

    def fill(self, specimens: Specimens) -> Callable[[str], str]:
        """Return a function that gives the text of a placeholder, with stand-ins for what is not known."""
        return lambda name: specimens.text(self.facts.get(name, Unknown(name)))

    @property
    def is_postgresql(self) -> bool | None:
        """Whether it is a PostgreSQL database; None where its engine is not known."""
        engine = self.resource.get("engine") if self.resource else None
        return engine.startswith("postgres") if isinstance(engine, str) else None


def subjects(kind: str, attributes: AwsAttributes, facts: Mapping[str, str], environment: str) -> list[Subject]:
    """Return what is watched of a kind (`contract.alarms.Watched`); `facts` are those of the environment."""
    common: dict[str, Value] = {"account": attributes.plan.account, "region": attributes.plan.region, **facts}
    match kind:
        case "environment":
            return [Subject(f"environment {environment}", common)]
        case "secret":
            found = [_secret(attributes, secret) for secret in attributes.plan.managed("aws_secretsmanager_secret")]
        case "service":
            found = [_service(attributes, service) for service in attributes.plan.managed("aws_ecs_service")]
        case "target":
            found = list(_targets(attributes))
        case "database" | "replica":
            found = [
                _database(attributes, database)
                for database in attributes.plan.managed("aws_db_instance")
                if bool(database.get("replicate_source_db")) is (kind == "replica")
            ]
        case _:
            raise ValueError(kind)
    return [Subject(subject.address, {**common, **subject.facts}, subject.resource) for subject in found]


def _secret(attributes: AwsAttributes, secret: Resource) -> Subject:
    arn = secret.reference("arn")
    return Subject(secret.address, {"secret_arn": arn, "secret_name": attributes.name(secret)}, secret)


def _service(attributes: AwsAttributes, service: Resource) -> Subject:
    configured = service.get("cluster")
    cluster = "default" if configured is None else attributes.narrow(configured)
    shown = render(cluster)
    name = attributes.name(service)
    cluster_arn = cluster if shown.startswith("arn:") else attributes.arn(service, "ecs", "cluster/", cluster)
    cluster_name: Value = _after(cluster_arn, ":cluster/")
    service_arn = attributes.arn(service, "ecs", "service/", cluster_name, "/", name)
    facts = {
        "cluster_arn": cluster_arn,
        "cluster_name": cluster_name,
        "service_arn": service_arn,
        "service_name": name,
    }
    return Subject(service.address, facts, service)


def _after(value: Value, mark: str) -> Value:
    """Return what follows a mark in text with unknown parts."""
    parts = value.parts if hasattr(value, "parts") else (value,)
    for index, part in enumerate(parts):
        if isinstance(part, str) and mark in part:
            return concatenate([part.partition(mark)[2], *parts[index + 1 :]])
    return Unknown(f"the name in {render(value)}", computed_from(value))


def _targets(attributes: AwsAttributes) -> Iterator[Subject]:
    balancers = _balancers(attributes)
    for service in attributes.plan.managed("aws_ecs_service"):
        blocks = service.get("load_balancer")
        for block in blocks if isinstance(blocks, list | tuple) else ():
            arn = block.get("target_group_arn") if isinstance(block, dict) else block
            if arn is not None:
                yield _target(attributes, service, arn, balancers)


def _target(attributes: AwsAttributes, service: Resource, arn: Value, balancers: Mapping[str, Resource]) -> Subject:
    group = _owner(attributes, arn, "aws_lb_target_group", "aws_alb_target_group")
    if group is None:
        known = isinstance(arn, str) and ":targetgroup/" in arn
        cause = computed_from(arn)
        suffix: Value = arn[arn.index(":targetgroup/") + 1 :] if known else Unknown(f"the name of {render(arn)}", cause)
        unknown = Unknown(f"the load balancer of {render(arn)}", cause)
        facts = {"target_group": suffix, "load_balancer": unknown, "load_balancer_namespace": unknown}
        return Subject(service.address, facts, service)
    balancer = balancers.get(group.address)
    unknown = Unknown(f"the load balancer of {group.address}", AFTER_APPLY)
    facts = {
        "target_group": group.attribute("arn_suffix"),
        "load_balancer": balancer.attribute("arn_suffix") if balancer else unknown,
        "load_balancer_namespace": _NAMESPACES.get(group.get("protocol") or "HTTP", unknown),
    }
    return Subject(group.address, facts, group)


def _balancers(attributes: AwsAttributes) -> Mapping[str, Resource]:
    """Return, by target group, the load balancer whose listener, or a rule of it, forwards to it."""
    found: dict[str, Resource] = {}
    plan = attributes.plan
    for source in plan.managed("aws_lb_listener", "aws_alb_listener", "aws_lb_listener_rule", "aws_alb_listener_rule"):
        listener: Resource | None = source
        if source.type.endswith("_rule"):
            listener = _owner(attributes, source.attribute("listener_arn"), "aws_lb_listener", "aws_alb_listener")
        balancer = listener and _owner(attributes, listener.attribute("load_balancer_arn"), "aws_lb", "aws_alb")
        for arn in _forwarded(source.get("default_action") or source.get("action")) if balancer else ():
            group = _owner(attributes, arn, "aws_lb_target_group", "aws_alb_target_group")
            if group and balancer:
                found.setdefault(group.address, balancer)
    return found


def _forwarded(actions: Value) -> Iterator[Value]:
    for action in actions if isinstance(actions, list | tuple) else ():
        if not isinstance(action, dict):
            continue
        yield action.get("target_group_arn")
        for forward in action.get("forward") or ():
            for group in (forward.get("target_group") or ()) if isinstance(forward, dict) else ():
                yield group.get("arn") if isinstance(group, dict) else None


def _owner(attributes: AwsAttributes, value: Value, *types: str) -> Resource | None:
    if isinstance(value, str):
        return next((one for one in attributes.plan.managed(*types) if one.get("arn") == value), None)
    found = attributes.plan.find(value) if isinstance(value, Unknown) else None
    return found[0] if found and found[0].type in types and found[0].mode == "managed" else None


def _database(attributes: AwsAttributes, database: Resource) -> Subject:
    facts = {
        "database": attributes.name(database, "identifier"),
        "database_arn": database.reference("arn"),
    }
    return Subject(database.address, facts, database)
