"""The alarm catalogue of a contract: the packaged one with the contract's changes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from infraspec.contract.alarms import AlarmItem, Alarms, Metric
from infraspec.core.errors import ContractError, ErrorCollector
from infraspec.core.unknown import AFTER_APPLY, Unknown, Value, computed_from, concatenate, render
from infraspec.monitoring.sample_events import SAMPLES, Specimens
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_NAMESPACES: Mapping[Value, str] = {
    **dict.fromkeys(("HTTP", "HTTPS"), "AWS/ApplicationELB"),
    **dict.fromkeys(("TCP", "TCP_UDP", "TLS", "UDP", "QUIC", "TCP_QUIC"), "AWS/NetworkELB"),
}
"""The namespace of a target group's metrics by its protocol."""
_LISTENERS, _GROUPS = ("aws_lb_listener", "aws_alb_listener"), ("aws_lb_target_group", "aws_alb_target_group")


class AlarmSubject(Struct, frozen=True, eq=False):
    """One watched thing; `facts` are the values of the placeholders that name it."""

    address: str
    facts: Mapping[str, Value]
    resource: Resource | None = None
    attributes: Mapping[str, str] = {}
    """The addresses of attributes that have the same values, by placeholder."""

    def fill(self, specimens: Specimens) -> Callable[[str], str]:
        """Return a function that gives the text of a placeholder, with stand-ins for what is not known."""
        return lambda name: specimens.text(self.facts.get(name, Unknown(name)))

    @property
    def is_postgresql(self) -> bool | None:
        """Whether it is a PostgreSQL database; None where its engine is not known."""
        engine = self.resource.stated("engine") if self.resource else None
        return engine.startswith("postgres") if isinstance(engine, str) else None


def subjects(kind: str, attributes: AwsAttributes, facts: Mapping[str, str], environment: str) -> list[AlarmSubject]:
    """Return what is watched of a kind (`contract.alarms.Watched`); `facts` are those of the environment."""
    common: dict[str, Value] = {"account": attributes.plan.account, "region": attributes.plan.region, **facts}
    match kind:
        case "environment":
            return [AlarmSubject(f"environment {environment}", common)]
        case "secret":
            watched = [
                AlarmSubject(
                    one.address, {"secret_arn": one.reference("arn"), "secret_name": attributes.name(one)}, one
                )
                for one in attributes.plan.managed("aws_secretsmanager_secret")
            ]
        case "service":
            watched = [_service(attributes, service) for service in attributes.plan.managed("aws_ecs_service")]
        case "target":
            watched = list(_targets(attributes))
        case "database" | "replica":
            watched = [
                _database(attributes, database)
                for database in attributes.plan.managed("aws_db_instance")
                if bool(database.stated("replicate_source_db")) is (kind == "replica")
            ]
        case _:
            raise ValueError(kind)
    return [replace(subject, facts={**common, **subject.facts}) for subject in watched]


def _service(attributes: AwsAttributes, service: Resource) -> AlarmSubject:
    configured = service.stated("cluster")
    cluster = "default" if configured is None else attributes.narrow(configured)
    name, is_arn = attributes.name(service), render(cluster).startswith("arn:")
    cluster_arn = cluster if is_arn else attributes.arn(service, "ecs", "cluster/", cluster)
    cluster_name: Value = _after(cluster_arn, ":cluster/")
    facts = {
        "cluster_arn": cluster_arn,
        "cluster_name": cluster_name,
        "service_arn": attributes.arn(service, "ecs", "service/", cluster_name, "/", name),
        "service_name": name,
    }
    own = {"service_name": f"{service.address}.name"}
    referred = attributes.plan.find(configured) if isinstance(configured, Unknown) else None
    if referred and referred[0].mode == "managed":
        own["cluster_name"] = f"{referred[0].address}.name"
    return AlarmSubject(service.address, facts, service, own)


def _after(value: Value, mark: str) -> Value:
    """Return what follows a mark in text with unknown parts."""
    parts = value.parts if hasattr(value, "parts") else (value,)
    for index, part in enumerate(parts):
        if isinstance(part, str) and mark in part:
            return concatenate([part.partition(mark)[2], *parts[index + 1 :]])
    return Unknown(f"the name in {render(value)}", computed_from(value))


def _targets(attributes: AwsAttributes) -> Iterator[AlarmSubject]:
    balancers = _balancers(attributes)
    for service in attributes.plan.managed("aws_ecs_service"):
        blocks = service.stated("load_balancer")
        for block in blocks if isinstance(blocks, list | tuple) else ():
            arn = block.get("target_group_arn") if isinstance(block, dict) else block
            if arn is not None:
                yield _target(attributes, service, arn, balancers)


def _target(
    attributes: AwsAttributes, service: Resource, arn: Value, balancers: Mapping[str, Resource]
) -> AlarmSubject:
    group = _owner(attributes, arn, *_GROUPS)
    if group is None:
        known = isinstance(arn, str) and ":targetgroup/" in arn
        cause = computed_from(arn)
        suffix: Value = arn[arn.index(":targetgroup/") + 1 :] if known else Unknown(f"the name of {render(arn)}", cause)
        unknown = Unknown(f"the load balancer of {render(arn)}", cause)
        facts = {"target_group": suffix, "load_balancer": unknown, "load_balancer_namespace": unknown}
        return AlarmSubject(service.address, facts, service)
    balancer = balancers.get(group.address)
    unknown = Unknown(f"the load balancer of {group.address}", AFTER_APPLY)
    facts = {
        "target_group": group.attribute("arn_suffix"),
        "load_balancer": balancer.attribute("arn_suffix") if balancer else unknown,
        "load_balancer_namespace": _NAMESPACES.get(group.stated("protocol") or "HTTP", unknown),
    }
    return AlarmSubject(group.address, facts, group)


def _balancers(attributes: AwsAttributes) -> Mapping[str, Resource]:
    """Return, by target group, the load balancer whose listener, or a rule of it, forwards to it."""
    balancers: dict[str, Resource] = {}
    rules = ("aws_lb_listener_rule", "aws_alb_listener_rule")
    for source in attributes.plan.managed(*_LISTENERS, *rules):
        listener: Resource | None = source
        if source.type in rules:
            listener = _owner(attributes, source.attribute("listener_arn"), *_LISTENERS)
        balancer = listener and _owner(attributes, listener.attribute("load_balancer_arn"), "aws_lb", "aws_alb")
        for arn in _forwarded(source.stated("default_action") or source.stated("action")) if balancer else ():
            group = _owner(attributes, arn, *_GROUPS)
            if group and balancer:
                balancers.setdefault(group.address, balancer)
    return balancers


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
        return next((owner for owner in attributes.plan.managed(*types) if owner.stated("arn") == value), None)
    referred = attributes.plan.find(value) if isinstance(value, Unknown) else None
    return referred[0] if referred and referred[0].type in types and referred[0].mode == "managed" else None


def _database(attributes: AwsAttributes, database: Resource) -> AlarmSubject:
    facts = {"database": attributes.name(database, "identifier"), "database_arn": database.reference("arn")}
    return AlarmSubject(database.address, facts, database, {"database": f"{database.address}.identifier"})


@cache
def packaged() -> Mapping[str, AlarmItem]:
    """Return the packaged catalogue by name."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: AlarmItem.model_validate(item) for name, item in tomllib.loads(text).items()}


def catalogue(alarms: Alarms) -> Mapping[str, AlarmItem]:
    """Return the items that are asked for. Raises ContractError, all of them at once, if one cannot be checked."""
    collector = ErrorCollector()
    items = dict(packaged())
    for name, change in alarms.items.items():
        own = {field: getattr(change, field) for field in change.model_fields_set}
        items[name] = items[name].model_copy(update=own) if name in items else change
    for name in alarms.without:
        with collector.collect():
            _drop(items, name)
    for name, item in items.items():
        with collector.collect():
            _check(name, item, alarms)
    collector.finalize()
    return items


def metrics_of(item: AlarmItem) -> Mapping[str, Metric]:
    """Return the metrics of an item by the id they have in its expression; without one it is the empty text."""
    return {"": item.metric} if item.metric else item.metrics


def is_of_postgresql(item: AlarmItem) -> bool:
    """Tell whether an item is about what only the log of a PostgreSQL database tells."""
    events = chain.from_iterable((*metric.counts, *metric.ignores) for metric in metrics_of(item).values())
    return any(SAMPLES[event].origin == "postgresql" for event in events)


def _drop(items: dict[str, AlarmItem], name: str) -> None:
    if name not in items:
        raise ContractError(
            "the catalogue has no such alarm",
            place="alarms.without",
            expected=f"one of {', '.join(items)}",
            found=name,
            remedy="correct the name, or take it out",
        )
    del items[name]


def _check(name: str, item: AlarmItem, alarms: Alarms) -> None:
    for problem, expected in _problems(item, alarms):
        raise ContractError(
            f"the alarm {name} of the catalogue {problem}",
            place=f"alarms.items.{name}",
            expected=expected,
            remedy="correct it, or take the alarm out with [alarms] without",
        )


def _problems(item: AlarmItem, alarms: Alarms) -> Iterator[tuple[str, str]]:
    if item.watches is None:
        yield "does not say what it watches", 'watches = "service", or another kind'
    if sum(bool(getattr(item, key)) for key in ("metric", "expression", "event")) != 1:
        yield "must be about one thing", "metric, expression (with metrics) or event"
    if item.expression and not item.metrics:
        yield "has an expression without metrics", "metrics, by the ids of the expression"
    if not item.event and (item.comparison is None or item.threshold is None):
        yield "does not say when it fires", "comparison and threshold"
    if item.level not in alarms.levels:
        yield "has no level with channels", f"level, one of {', '.join(alarms.levels)}"
    for channel in alarms.levels.get(item.level or "", ()):
        if channel not in alarms.channels:
            yield f"is of a level with the unknown channel {channel}", f"one of {', '.join(alarms.channels)}"
    yield from _of_metrics(item)


def _of_metrics(item: AlarmItem) -> Iterator[tuple[str, str]]:
    metrics = metrics_of(item).values()
    if any(not metric.counts and not (metric.namespace and metric.name) for metric in metrics):
        yield "has a metric that is not named", "namespace and name, or counts"
    counted = chain.from_iterable((*metric.counts, *metric.ignores) for metric in metrics)
    for event in (*counted, *([item.event] if item.event else [])):
        if event not in SAMPLES:
            yield f"is about the unknown event {event}", f"one of {', '.join(SAMPLES)}"
