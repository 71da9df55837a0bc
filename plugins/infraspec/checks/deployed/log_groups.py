"""Rule `log-groups`: the log groups of the source, and those that containers log to, exist and are as it says.

Sources: Amazon CloudWatch Logs User Guide, "Change log data retention" (without one, events are kept for ever);
Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch" (a task does not start without its group).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infraspec.checks.common.live_comparison import ResolvedSource, looked_at, same
from infraspec.checks.common.unknown_remedies import left_open
from infraspec.core.finding import Finding, Related
from infraspec.core.rules import RULES
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, render
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.monitoring.live_readings import LogGroup
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["log-groups"]

_TYPE = "aws_cloudwatch_log_group"


def log_group_names(plan: Plan, task_definitions: Sequence[TaskDefinition]) -> list[str]:
    """Return the names of the log groups of a source and of its containers, so far as they are known."""
    attributes = ResolvedSource(plan, plan).attributes
    own = (attributes.name(one) for one in plan.managed(_TYPE))
    used = (name for name, _, _ in _used(task_definitions, ResolvedSource(plan, plan)))
    return sorted({name for name in (*own, *used) if isinstance(name, str)})


def check_log_groups(
    plan: Plan, live_plan: Plan, log_groups: Mapping[str, LogGroup], task_definitions: Sequence[TaskDefinition]
) -> list[Finding]:
    """Judge each log group of a source, and each other one that a container logs to; `log_groups` are those of AWS."""
    bound = ResolvedSource(plan, live_plan)
    used = list(_used(task_definitions, bound))
    users = dict.fromkeys(definition.resource for _, definition, _ in used if definition.resource is not None)
    here, others = looked_at(RULE, [*plan.managed(_TYPE), *users], bound.whereabouts)
    sources = {render(bound.value(bound.attributes.name(one))): one for one in here if one.type == _TYPE}
    findings = [finding for name, source in sources.items() for finding in _of_source(source, name, log_groups, bound)]
    left = [one for one in used if one[1].resource in {None, *here} and render(one[0]) not in sources]
    return [*findings, *(left_open(plan, _of_container(*one, log_groups)) for one in left), *others]


def _used(
    task_definitions: Sequence[TaskDefinition], bound: ResolvedSource
) -> Iterator[tuple[Value, TaskDefinition, str]]:
    """Yield the log groups that containers name and do not make themselves, of the region that is asked."""
    for definition in task_definitions:
        for container in definition.containers:
            options = container.log_options
            name = options.get("awslogs-group")
            makes = str(options.get("awslogs-create-group", "false")).lower() == "true"
            region = bound.value(options.get("awslogs-region"))
            own = bound.plan.region if isinstance(region, Unknown) else bound.live.region
            elsewhere = region not in (None, own)
            if container.log_driver == "awslogs" and name is not None and not makes and not elsewhere:
                yield bound.value(name), definition, container.name


def _of_source(source: Resource, name: str, groups: Mapping[str, LogGroup], bound: ResolvedSource) -> Iterator[Finding]:
    group = groups.get(name)
    if group is None:
        unknown = not isinstance(bound.value(bound.attributes.name(source)), str)
        yield left_open(bound.plan, RULE.about(source).say("unnamed" if unknown else "absent", name=name))
        return
    days = bound.value(source.stated("retention_in_days")) or 0
    key = bound.value(source.stated("kms_key_id")) or ""
    yield _compared(source, group, "retention", "retention_in_days", expected=days, found=group.retention_days)
    yield _compared(source, group, "key", "kms_key_id", expected=key, found=group.kms_key)


def _compared(
    source: Resource, group: LogGroup, name: str, attribute: str, *, expected: Value, found: Value
) -> Finding:
    answer, related = same(expected, found), [Related("log group", group.arn)]
    if answer is Truth.YES:
        return RULE.about(source, name, related=related).proven(_said(attribute, found))
    subject = RULE.about(source, name, source.location_of(attribute), related)
    wording = "changed" if answer is Truth.NO else "not-known"
    if name == "retention" and isinstance(expected, int) and isinstance(found, int) and found > expected > 0:
        wording = "kept-longer"
    return subject.say(wording, expected=_said(attribute, expected), found=_said(attribute, found))


def _said(attribute: str, value: Value) -> str:
    nothing = "kept for ever" if attribute == "retention_in_days" else "no key of one's own"
    return f"{attribute} {render(value)}" if value else nothing


def _of_container(name: Value, definition: TaskDefinition, container: str, groups: Mapping[str, LogGroup]) -> Finding:
    shown, narrowed = render(name), f'container "{container}"'
    if shown in groups:
        group = Related("log group", groups[shown].arn)
        return RULE.about(definition.address, narrowed, related=[group]).proven(f"{shown} exists")
    unknown, subject = not isinstance(name, str), RULE.about(definition.address, narrowed)
    return subject.say("container-unnamed" if unknown else "container-absent", shown=shown, container=container)
