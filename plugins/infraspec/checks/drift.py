"""Rule `drift`: what AWS has is what the source, or its state, says; who else may change it is said by the source.

What it compares are the attributes that change what something does and that AWS gives back as they were set. Alarms,
log groups and backups have rules of their own. Source: Terraform AWS provider, the resource of each type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from infraspec.checks.comparison import Bound, Difference, same
from infraspec.checks.policy_form import policy_form
from infraspec.conventions.name_attributes import NAME_ATTRIBUTES, read_name
from infraspec.ecs.declared_service import is_scaled
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Sensitive, Unknown, Value, render

RULE = "drift"
_DOCUMENTS = frozenset({"policy", "assume_role_policy", "event_pattern"})
_KEYS = frozenset({"kms_key_id", "kms_master_key_id"})
_COMPARED: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_rule": ("event_pattern", "state"),
    "aws_cloudwatch_event_target": ("arn",),
    "aws_cloudwatch_log_metric_filter": ("pattern",),
    "aws_db_instance": (
        "engine",
        "engine_version",
        "instance_class",
        "multi_az",
        "storage_encrypted",
        "publicly_accessible",
        "deletion_protection",
        "parameter_group_name",
        "db_subnet_group_name",
        "vpc_security_group_ids",
        "enabled_cloudwatch_logs_exports",
    ),
    "aws_dynamodb_table": ("billing_mode", "hash_key"),
    "aws_ecr_repository": ("image_tag_mutability",),
    "aws_ecs_cluster": (),
    "aws_ecs_service": ("task_definition", "desired_count", "launch_type", "enable_execute_command"),
    "aws_iam_policy": ("policy",),
    "aws_iam_role": ("assume_role_policy", "permissions_boundary"),
    "aws_iam_role_policy": ("policy",),
    "aws_kms_alias": (),
    "aws_kms_key": ("policy",),
    "aws_lb": (),
    "aws_lb_target_group": ("port", "protocol", "target_type"),
    "aws_s3_bucket": (),
    "aws_s3_bucket_policy": ("policy",),
    "aws_secretsmanager_secret": ("kms_key_id",),
    "aws_secretsmanager_secret_policy": ("policy",),
    "aws_sns_topic": ("kms_master_key_id",),
    "aws_sns_topic_policy": ("policy",),
    "aws_ssm_parameter": ("type",),
    "aws_vpc_security_group_egress_rule": ("ip_protocol", "from_port", "to_port", "cidr_ipv4"),
    "aws_vpc_security_group_ingress_rule": ("ip_protocol", "from_port", "to_port", "cidr_ipv4"),
}
"""What is compared, by type; of those without attributes only that they exist."""


@dataclass(frozen=True, slots=True)
class _Compared:
    wrong: list[Difference]
    doubtful: list[Difference]
    left: list[str]
    """What differs and is somebody else's."""


def check_drift(
    plan: Plan, live: Plan, running: Mapping[str, Collection[str]], types: Collection[str] = tuple(_COMPARED)
) -> list[Finding]:
    """Judge each resource of a source, or of a state, that is of one of the types.

    `live` has the live resources at the addresses of the source, `running` the task definitions of the tasks that run,
    by the address of their service.
    """
    bound = Bound(plan, live)
    return [
        finding
        for source in plan.managed()
        if source.type in _COMPARED and source.type in types
        for finding in _of_source(source, bound, running)
    ]


def _of_source(source: Resource, bound: Bound, running: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    live = bound.resource(source)
    if live is None:
        yield _absent(source, bound)
        return
    found = _compare(source, live, bound)
    if source.type == "aws_ecs_service":
        yield _service(source, live, bound, running.get(source.address, ()))
    arn = str(live.get("arn") or live.get("id") or "")
    related = (Related("live", arn),) if arn else ()
    shown = found.wrong or found.doubtful
    if not shown:
        owned = f"; the pipeline's: {', '.join(found.left)}" if found.left else ""
        reason = f"as the source says{owned}"
        yield Finding(RULE, Verdict.PROVEN, source.address, "", source.location, reason=reason, related=related)
        return
    yield Finding(
        RULE,
        Verdict.VIOLATED if found.wrong else Verdict.UNDETERMINED,
        source.address,
        "",
        source.location_of(shown[0].attribute),
        expected="\n".join(f"{one.attribute} {_shown(one.expected)}" for one in shown),
        found="\n".join(f"{one.attribute} {_shown(one.found)}" for one in shown),
        reason="somebody changed it, or the source was not applied"
        if found.wrong
        else "the source does not know it before apply",
        remedy=_remedy(source, shown)
        if found.wrong
        else "name the state of the environment in the contract: state = …",
        related=related,
    )


def _compare(source: Resource, live: Resource, bound: Bound) -> _Compared:
    found = _Compared([], [], [])
    for name in _COMPARED[source.type]:
        configured, there = source.get(name), live.get(name)
        if configured is None or there is None or isinstance(configured, Sensitive) or name == "task_definition":
            continue
        if name == "desired_count" and is_scaled(source, bound.attributes):
            continue
        expected = bound.value(configured)
        answer = _same(name, expected, there)
        if answer is Answer.YES:
            continue
        if {name, "all"} & set(source.ignore_changes):
            found.left.append(name)
        else:
            (found.wrong if answer is Answer.NO else found.doubtful).append(Difference(name, expected, there, answer))
    return found


def _same(name: str, expected: Value, found: Value) -> Answer:
    if name in _DOCUMENTS:
        return same(policy_form(expected), policy_form(found))
    if name == "engine_version" and isinstance(expected, str) and isinstance(found, str):
        return Answer.YES if f"{found}.".startswith(f"{expected}.") else Answer.NO
    if name in _KEYS and isinstance(expected, str) and isinstance(found, str):
        return _same_key(expected, found)
    return same(expected, found)


def _same_key(expected: str, found: str) -> Answer:
    """Compare a key by its id, which the ARN ends with; an alias may be of any key."""
    if expected == found or expected.rpartition("/")[2] == found.rpartition("/")[2]:
        return Answer.YES
    return Answer.MAYBE if ("alias/" in expected) is not ("alias/" in found) else Answer.NO


def _service(source: Resource, live: Resource, bound: Bound, running: Collection[str]) -> Finding:
    """Compare three: the revision of the source or its state, that of the service, and those of its tasks.

    Without a state the source knows a family and no revision: then the other two are compared, and that is said.
    """
    own, service = bound.attributes.narrow(source.get("task_definition")), live.get("task_definition")
    if not isinstance(own, str):
        own = _family_of(own, bound) or own
    tasks = sorted({_revision(one) for one in running})
    pipeline = bool({"task_definition", "all"} & set(source.ignore_changes))
    answer = _same_revision(_family(own) if pipeline else own, service)
    if answer is not Answer.NO and all(one == _revision(service) for one in tasks):
        told = _revision(service)
        if answer is Answer.MAYBE or pipeline or ":" not in str(own):
            told += ", the service and its tasks; " + (
                "the pipeline owns the revision" if pipeline else "which one the source means only its state tells"
            )
        return Finding(RULE, Verdict.PROVEN, source.address, "task definition", source.location, reason=told)
    return Finding(
        RULE,
        Verdict.VIOLATED,
        source.address,
        "task definition",
        source.location_of("task_definition"),
        expected="one revision in the source, the service and its tasks",
        found=f"source: {_revision(own)}\nservice: {_revision(service)}\ntasks: {', '.join(tasks) or 'none'}",
        reason="the service runs another revision than the source"
        if answer is Answer.NO
        else "its tasks run another revision than the service names",
        remedy=f"terraform apply, or if a pipeline deploys, in {source.address}\nlifecycle {{\n"
        "  ignore_changes = [task_definition]\n}"
        if answer is Answer.NO
        else "wait for the deployment to end; the rule rollout says how it stands",
    )


def _family_of(value: Value, bound: Bound) -> str | None:
    """Return the family of the task definition that a reference is to."""
    found = bound.plan.find(value) if isinstance(value, Unknown) else None
    name = bound.value(found[0].get("family")) if found else None
    return name if isinstance(name, str) else None


def _same_revision(own: Value, service: Value) -> Answer:
    """Compare an ARN, `family:revision` or `family` with the ARN of a service."""
    if not isinstance(own, str) or not isinstance(service, str):
        return Answer.MAYBE
    name = service.rpartition("/")[2]
    return Answer.YES if own in {service, name, name.rpartition(":")[0]} else Answer.NO


def _family(value: Value) -> Value:
    """Return the family of an ARN or of `family:revision`."""
    name = value.rpartition("/")[2] if isinstance(value, str) else ""
    return name.partition(":")[0] or value


def _revision(value: Value) -> str:
    return value.rpartition("/")[2] if isinstance(value, str) else render(value)


def _absent(source: Resource, bound: Bound) -> Finding:
    path = NAME_ATTRIBUTES.get(source.type)
    name = read_name(source.type, source.values, source.address, path) if path else None
    shown = bound.value(name) if name is not None else None
    certain = isinstance(shown, str)
    return Finding(
        RULE,
        Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
        source.address,
        "",
        source.location,
        expected=f"{source.type} {render(shown)}" if certain else f"a {source.type} in AWS",
        found="AWS has none of this name" if certain else "none that is certainly it",
        reason="it was deleted, or never applied" if certain else "AWS names it in a way that the source does not know",
        remedy=f"terraform apply -target='{source.address}'"
        if certain
        else "name the state of the environment in the contract: state = …",
    )


def _remedy(source: Resource, wrong: list[Difference]) -> str:
    names = ", ".join(one.attribute for one in wrong)
    return (
        f"terraform apply -target='{source.address}'\nor, if AWS is right, bring {names} into the source\n"
        f"or, if it is somebody else's:\nlifecycle {{\n  ignore_changes = [{names}]\n}}"
    )


def _shown(value: Value) -> str:
    return "not set" if value is None else render(value)
