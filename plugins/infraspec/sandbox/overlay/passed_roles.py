"""The roles that a request passes to a service: whoever asks needs iam:PassRole on each.

Sources: IAM User Guide, "Grant a user permissions to pass a role to an AWS service"; Service Authorization Reference,
the dependent actions of each operation; Amazon ECS Developer Guide, "Amazon ECS task execution IAM role": whoever runs
a task passes the roles of its task definition, or those that override them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.ecs.models import ecs_backends

from infraspec.sandbox.overlay.targets import Parameters, Place

_PASSED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ecs", "RegisterTaskDefinition"): ("taskRoleArn", "executionRoleArn"),
    ("ecs", "RunTask"): ("overrides.taskRoleArn", "overrides.executionRoleArn"),
    ("ecs", "StartTask"): ("overrides.taskRoleArn", "overrides.executionRoleArn"),
    ("ecs", "CreateService"): ("role",),
    ("lambda", "CreateFunction"): ("Role",),
    ("lambda", "UpdateFunctionConfiguration"): ("Role",),
    ("events", "PutRule"): ("RoleArn",),
    ("events", "PutTargets"): ("Targets.RoleArn",),
    ("scheduler", "CreateSchedule"): ("Target.RoleArn",),
    ("scheduler", "UpdateSchedule"): ("Target.RoleArn",),
    ("stepfunctions", "CreateStateMachine"): ("roleArn",),
    ("stepfunctions", "UpdateStateMachine"): ("roleArn",),
    ("logs", "PutSubscriptionFilter"): ("roleArn",),
    ("cloudtrail", "CreateTrail"): ("CloudWatchLogsRoleArn",),
    ("cloudtrail", "UpdateTrail"): ("CloudWatchLogsRoleArn",),
    ("rds", "CreateDBInstance"): ("MonitoringRoleArn",),
    ("rds", "ModifyDBInstance"): ("MonitoringRoleArn",),
}
"""By service and operation, the parameters that name the roles."""
_TASKS = "ecs-tasks.amazonaws.com"
_RECEIVERS = {"ecs": _TASKS, "stepfunctions": "states.amazonaws.com", "rds": "monitoring.rds.amazonaws.com"}


def passed_roles(service: str, action: str, parameters: Parameters, place: Place) -> dict[str, str]:
    """Return the ARNs of the roles that a request passes, with the service that each is passed to."""
    arns = [arn for path in _PASSED.get((service, action), ()) for arn in _at(parameters, path.split("."))]
    if (service, action) in {("ecs", "RunTask"), ("ecs", "StartTask")}:
        arns += _of_definition(parameters, place)
    receiver = _RECEIVERS.get(service, f"{service}.amazonaws.com")
    if (service, action) == ("ecs", "CreateService"):
        receiver = "ecs.amazonaws.com"
    full = (arn if arn.startswith("arn:") else place.arn("iam", f"role/{arn}", regional=False) for arn in arns)
    return dict.fromkeys(full, receiver)


def _of_definition(parameters: Parameters, place: Place) -> list[str]:
    """Return the roles of the task definition that is run, where nothing overrides them."""
    name = str(parameters.get("taskDefinition")).rpartition("/")[2]
    family, _, revision = name.partition(":")
    known: Mapping[int, Any] = ecs_backends[place.account][place.region].task_definitions.get(family, {})
    active = [number for number, one in known.items() if one.status == "ACTIVE"]
    definition = known.get(int(revision) if revision.isdigit() else max(active, default=0))
    overrides = parameters.get("overrides") or {}
    own = {"taskRoleArn": "task_role_arn", "executionRoleArn": "execution_role_arn"}
    roles = (getattr(definition, attribute, None) for name, attribute in own.items() if not overrides.get(name))
    return [str(role) for role in roles if role]


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _at(item, path)
    elif not path:
        if value:
            yield str(value)
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])
