"""Rule `log-groups`: the log groups of the source, and those that containers log to, exist and are as it says.

Sources: Amazon CloudWatch Logs User Guide, "Change log data retention" (without one, events are kept for ever);
Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch" (a task does not start without its group).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infraspec.checks.comparison import Bound, same
from infraspec.checks.existence import left_open
from infraspec.checks.whereabouts import looked_at
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.finding import Finding, Related, Verdict
from infraspec.iam.answer import Answer
from infraspec.monitoring.log_group import LogGroup
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Unknown, Value, render

RULE = "log-groups"
_TYPE = "aws_cloudwatch_log_group"


def log_group_names(plan: Plan, task_definitions: Sequence[TaskDefinition]) -> list[str]:
    """Return the names of the log groups of a source and of its containers, so far as they are known."""
    attributes = Bound(plan, plan).attributes
    own = (attributes.name(one) for one in plan.managed(_TYPE))
    used = (name for name, _, _ in _used(task_definitions, Bound(plan, plan)))
    return sorted({name for name in (*own, *used) if isinstance(name, str)})


def check_log_groups(
    plan: Plan, live: Plan, groups: Mapping[str, LogGroup], task_definitions: Sequence[TaskDefinition]
) -> list[Finding]:
    """Judge each log group of a source, and each other one that a container logs to; `groups` are those of AWS."""
    bound = Bound(plan, live)
    used = list(_used(task_definitions, bound))
    users = dict.fromkeys(definition.resource for _, definition, _ in used if definition.resource is not None)
    here, others = looked_at(RULE, [*plan.managed(_TYPE), *users], bound.whereabouts)
    sources = {render(bound.value(bound.attributes.name(one))): one for one in here if one.type == _TYPE}
    findings = [finding for name, source in sources.items() for finding in _of_source(source, name, groups, bound)]
    left = [one for one in used if one[1].resource in {None, *here} and render(one[0]) not in sources]
    return [*findings, *(left_open(plan, _of_container(*one, groups)) for one in left), *others]


def _used(task_definitions: Sequence[TaskDefinition], bound: Bound) -> Iterator[tuple[Value, TaskDefinition, str]]:
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


def _of_source(source: Resource, name: str, groups: Mapping[str, LogGroup], bound: Bound) -> Iterator[Finding]:
    group = groups.get(name)
    if group is None:
        unknown = not isinstance(bound.value(bound.attributes.name(source)), str)
        absent = _finding(
            source,
            Verdict.UNDETERMINED if unknown else Verdict.VIOLATED,
            "",
            expected=f"a log group {name}",
            found="its name is not known before apply" if unknown else "AWS has none of this name",
            reason="what is written to it is lost, and a task that logs to it does not start",
        )
        yield left_open(bound.plan, absent)
        return
    days = bound.value(source.get("retention_in_days")) or 0
    key = bound.value(source.get("kms_key_id")) or ""
    yield _compared(
        source, group, "retention", attribute="retention_in_days", expected=days, found=group.retention_days
    )
    yield _compared(source, group, "key", attribute="kms_key_id", expected=key, found=group.kms_key)


def _compared(
    source: Resource, group: LogGroup, subject: str, *, attribute: str, expected: Value, found: Value
) -> Finding:
    answer = same(expected, found)
    if answer is Answer.YES:
        return _finding(source, Verdict.PROVEN, subject, reason=_said(attribute, found), arn=group.arn)
    certain = answer is Answer.NO
    return _finding(
        source,
        Verdict.VIOLATED if certain else Verdict.UNDETERMINED,
        subject,
        expected=_said(attribute, expected),
        found=_said(attribute, found),
        reason="AWS has it otherwise than the source" if certain else "the source does not know it before apply",
        arn=group.arn,
        path=attribute,
    )


def _said(attribute: str, value: Value) -> str:
    nothing = "kept for ever" if attribute == "retention_in_days" else "no key of one's own"
    return f"{attribute} {render(value)}" if value else nothing


def _of_container(name: Value, definition: TaskDefinition, container: str, groups: Mapping[str, LogGroup]) -> Finding:
    subject = f'container "{container}"'
    shown = render(name)
    if shown in groups:
        related = (Related("log group", groups[shown].arn),)
        return Finding(RULE, Verdict.PROVEN, definition.address, subject, reason=f"{shown} exists", related=related)
    unknown = not isinstance(name, str)
    return Finding(
        RULE,
        Verdict.UNDETERMINED if unknown else Verdict.VIOLATED,
        definition.address,
        subject,
        expected=f"a log group {shown}",
        found="its name is not known before apply" if unknown else "AWS has none of this name",
        reason="a task that logs to it does not start",
        remedy=f'resource "aws_cloudwatch_log_group" "{container}" {{\n  name              = "{shown}"\n'
        "  retention_in_days = 365\n}",
    )


def _finding(
    source: Resource,
    verdict: Verdict,
    subject: str,
    *,
    expected: str = "",
    found: str = "",
    reason: str = "",
    arn: str = "",
    path: str = "",
) -> Finding:
    related = (Related("log group", arn),) if arn else ()
    location = source.location_of(path) if path else source.location
    remedy = "" if verdict is Verdict.PROVEN else f"terraform apply -target='{source.address}'"
    return Finding(RULE, verdict, source.address, subject, location, expected, found, reason, remedy, related)
