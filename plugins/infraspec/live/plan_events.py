"""The rules of EventBridge that exist on the default bus, and their targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_RULE, _TARGET = "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"
_ATTRIBUTES = {
    "Name": "name",
    "Arn": "arn",
    "EventPattern": "event_pattern",
    "State": "state",
    "ScheduleExpression": "schedule_expression",
    "Description": "description",
    "EventBusName": "event_bus_name",
}


def event_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the rules, each with its targets."""
    for rule in scope.calls.pages("events", "list_rules", "Rules"):
        name, arn = rule["Name"], rule["Arn"]
        if not scope.belongs(_RULE, name, tags=scope.tags_of(arn)):
            continue
        answer = scope.calls.ask("events", "list_tags_for_resource", ResourceARN=arn) or {}
        values = {**chosen(rule, _ATTRIBUTES), "id": name}
        yield scope.resource(_RULE, name, address=arn, values=values, tags=tag_map(answer.get("Tags")))
        for target in scope.calls.pages("events", "list_targets_by_rule", "Targets", Rule=name):
            held = {"rule": name, "target_id": target["Id"], "arn": target["Arn"], "role_arn": target.get("RoleArn")}
            yield scope.resource(_TARGET, name, target["Arn"], address=f"{arn} target {target['Id']}", values=held)
