"""Whether a rolling deployment of a service has room: for one task more than it is to have, or for one less.

Source: Amazon ECS API Reference, "DeploymentConfiguration": at least minimumHealthyPercent of the tasks have to run
(rounded up) and at most maximumPercent of them may (rounded down), so that with neither a task to start nor one to
stop a deployment never begins; CreateService refuses 100 and 100 for it. Other strategies and controllers, and daemons,
count otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, SourceChange
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import Unknown, Value, is_known
from infraspec.ecs.fleet import DeclaredService, declared_services
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["task-definitions"]
_MOST, _LEAST = "deployment_maximum_percent", "deployment_minimum_healthy_percent"
_DEFAULTS = {_MOST: 200, _LEAST: 100}
_BLOCKS = (("deployment_controller", "type", "ECS"), ("deployment_configuration", "strategy", "ROLLING"))
"""The blocks that say how a service is deployed, with what their arguments are where they are absent."""
_COUNTS = range(1, 101)
"""Numbers of tasks that are tried where others set it: whole percent of more of them leave room where these do."""
_EXPECTED = "room to start a task more, or to stop one, while a deployment runs"
_REMEDY = f"{_MOST} = 200"


def deployments(plan: Plan) -> Iterator[Finding]:
    """Judge each service that is deployed by replacing its tasks step by step."""
    for declared in declared_services(plan):
        resource = declared.resource
        how = [(resource.stated("scheduling_strategy"), "REPLICA")]
        how += [(resource.of_block(block, name), usual) for block, name, usual in _BLOCKS]
        if all(value in (None, usual) or not is_known(value) for value, usual in how):
            yield _judge(declared, next((value for value, _ in how if not is_known(value)), None))


def _judge(declared: DeclaredService, strategy: Value) -> Finding:
    resource = declared.resource
    subject = RULE.about(resource, "deployment", resource.location_of(_MOST))
    most, least = (_percent(resource, name) for name in (_MOST, _LEAST))
    unknown = next((value for value in (most, least) if not isinstance(value, int)), None)
    if unknown is not None or not isinstance(most, int) or not isinstance(least, int):
        return _leave_open(subject, unknown)
    is_set = isinstance(declared.least, int) and declared.least > 0
    counts = [declared.least] if isinstance(declared.least, int) and is_set else _COUNTS
    blocked = next((count for count in counts if _is_blocked(count, least, most)), None)
    if blocked is None:
        return subject.proven(f"between {least} % and {most} % of the tasks may run, which leaves room")
    found = f"of {blocked} {'task' if blocked == 1 else 'tasks'}, at least {least} % and at most {most} %: {blocked}"
    if strategy is not None:
        return _leave_open(subject, strategy)
    if not is_set:
        reason = f"others set the number of tasks; while it is {blocked}, no deployment can start or stop one"
        return subject.undetermined(expected=_EXPECTED, found=found, reason=reason, remedy=_REMEDY)
    reason = "ECS may neither start nor stop a task, so that no deployment of the service ever begins"
    finding = subject.violated(expected=_EXPECTED, found=found, reason=reason, remedy=_REMEDY)
    change = SourceChange("arguments", resource.address, entries=((_MOST, "200"),))
    return replace(finding, changes=(change,))


def _percent(resource: Resource, name: str) -> Value:
    value = resource.stated(name)
    return _DEFAULTS[name] if value is None else int(value) if isinstance(value, int | float) else value


def _is_blocked(count: int, least: int, most: int) -> bool:
    return count * most // 100 <= count <= -(-count * least // 100)


def _leave_open(subject: Subject, unknown: Value) -> Finding:
    named = unknown if isinstance(unknown, Unknown) else Unknown(_MOST)
    found, reason = f"cannot be decided: {named.address} is unknown", "the value is needed to decide it"
    return subject.undetermined(expected=_EXPECTED, found=found, reason=reason, remedy=how_to_know(named))
