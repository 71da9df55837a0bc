"""The task definitions that exist: those that services run, and the newest active revision of each family."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import block, chosen
from infraspec.terraform.plan import Resource

TYPE = "aws_ecs_task_definition"
_ATTRIBUTES = {
    "taskDefinitionArn": "arn",
    "family": "family",
    "revision": "revision",
    "executionRoleArn": "execution_role_arn",
    "taskRoleArn": "task_role_arn",
    "networkMode": "network_mode",
    "requiresCompatibilities": "requires_compatibilities",
    "cpu": "cpu",
    "memory": "memory",
}


def task_definition_resources(scope: Scope, services: Iterable[Resource]) -> Iterator[Resource]:
    """Yield the task definitions of the services, then the newest revisions of the environment's families.

    The revision that runs has the address of the source; another of the same family has its ARN.
    """
    running = dict.fromkeys(str(service.get("task_definition")) for service in services)
    families = dict.fromkeys(arn.rpartition("/")[2].rpartition(":")[0] for arn in running if arn != "None")
    active = scope.calls.pages("ecs", "list_task_definition_families", "families", status="ACTIVE")
    families |= dict.fromkeys(family for family in active if scope.belongs(TYPE, family))
    seen: set[str] = set()
    taken: set[str] = set()
    for name in [arn for arn in running if arn != "None"] + [family for family in families if family in active]:
        answer = scope.calls.ask("ecs", "describe_task_definition", taskDefinition=name, include=["TAGS"]) or {}
        described = answer["taskDefinition"]
        arn = described["taskDefinitionArn"]
        if arn in seen:
            continue
        seen.add(arn)
        resource = _resource(scope, described, tag_map(answer.get("tags")))
        yield replace(resource, address=arn) if resource.address in taken else resource
        taken.add(resource.address)


def _resource(scope: Scope, described: Mapping[str, Any], tags: Mapping[str, str]) -> Resource:
    values = {
        **chosen(described, _ATTRIBUTES),
        "container_definitions": json.dumps(described["containerDefinitions"]),
        "volume": [one for volume in described.get("volumes") or () for one in block(volume)],
    }
    return scope.resource(TYPE, described["family"], address=described["taskDefinitionArn"], values=values, tags=tags)
