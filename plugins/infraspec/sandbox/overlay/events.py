"""EventBridge: what services emit, and what is put on a bus, goes to the rules that take it and on to their targets.

A pattern is matched where the checks match it, in infraspec.monitoring.event_rules. Sources: Amazon EventBridge User
Guide, "Events from AWS services", "Amazon EventBridge input transformation" and "Using resource-based policies for
Amazon EventBridge"; Amazon ECS Developer Guide, "Amazon ECS events".
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partialmethod
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import Rule, events_backends
from moto.logs.models import logs_backends
from moto.sqs.models import sqs_backends

from infraspec.monitoring.event_rules import takes
from infraspec.sandbox.overlay.alarm_actions import lets, publish
from infraspec.sandbox.overlay.inbox import MESSAGES
from infraspec.sandbox.overlay.targets import Place

EVENTS = "events.amazonaws.com"
_READS_TOO = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_VARIABLE = re.compile(r"<([\w.-]+)>")
_WRITES = ("logs:CreateLogStream", "logs:PutLogEvents")


def install() -> None:
    """Deliver what is put on a bus in the same way."""
    Rule.send_to_targets = partialmethod(_send, Rule.send_to_targets)


def emit(place: Place, source: str, kind: str, detail: Mapping[str, Any], resources: tuple[str, ...] = ()) -> None:
    """Put an event of a service on the default bus."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": place.account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": place.region,
        "resources": list(resources),
        "detail": json.loads(json.dumps(detail, default=_plain)),
    }
    bus = events_backends[place.account][place.region].event_buses.get("default")
    for rule in list(bus.rules.values()) if bus is not None else ():
        _deliver(rule, event)


def _plain(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else str(value)


def _send(rule: Any, original: Callable[..., None], event: dict[str, Any], **more: Any) -> None:
    """Deliver what PutEvents puts on a bus; what goes to an archive or another bus goes as moto has it."""
    own, rule.targets = rule.targets, [one for one in rule.targets if ":events:" in one["Arn"]]
    try:
        if rule.state != "DISABLED":
            original(rule, event, **more)
    finally:
        rule.targets = own
    told = {name: value for name, value in event.items() if name != "ingestion-time"}
    if not isinstance(told["time"], str):
        told["time"] = datetime.fromtimestamp(float(told["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _deliver(rule, told)


def _deliver(rule: Any, event: Mapping[str, Any]) -> None:
    pattern = rule.event_pattern.get_pattern()
    is_read = event["detail-type"].endswith("via CloudTrail") and event["detail"].get("readOnly") is True
    if not pattern or rule.state == "DISABLED" or (is_read and rule.state != _READS_TOO):
        return
    taken = takes(pattern, event)
    if taken or (taken is None and rule.event_pattern.matches_event(event)):
        for target in rule.targets:
            _to_target(rule, target, input_of(rule, target, event))


def _to_target(rule: Any, target: Mapping[str, Any], message: str) -> None:
    """Deliver to a target whose policy lets EventBridge; what is neither topic, queue nor log group is recorded."""
    _, partition, service, region, account, name = target["Arn"].split(":", 5)
    place = Place(account, region, partition)
    match service:
        case "sns":
            publish(target["Arn"], EVENTS, rule.arn, message)
        case "sqs":
            _to_queue(rule, target, place, name, message)
        case "logs":
            _to_log(place, name.removeprefix("log-group:").removesuffix(":*"), message)
        case "lambda":
            if _lets_in(rule, target["Arn"], place, name):
                _record(rule, target, service, message)
        case "events":
            pass
        case _:
            _record(rule, target, service, message)


def _record(rule: Any, target: Mapping[str, Any], service: str, message: str) -> None:
    MESSAGES.append(
        {"topic": rule.arn, "protocol": service, "endpoint": target["Arn"], "subject": "", "message": message}
    )


def _told(rule: Any, account: str) -> dict[str, str]:
    return {"aws:SourceArn": rule.arn, "aws:SourceAccount": account}


def _lets_in(rule: Any, arn: str, place: Place, name: str) -> bool:
    """Tell whether the policy of a function lets the rule call it."""
    functions = lambda_backends[place.account][place.region]._lambdas
    found = functions.get_function_by_name_with_qualifier(name.removeprefix("function:").partition(":")[0], None)
    policy = found.policy.get_policy() if found is not None and found.policy is not None else None
    return policy is not None and lets(
        arn, json.dumps(policy), "lambda:InvokeFunction", EVENTS, _told(rule, place.account)
    )


def _to_queue(rule: Any, target: Mapping[str, Any], place: Place, name: str, message: str) -> None:
    backend = sqs_backends[place.account][place.region]
    queue = backend.queues.get(name)
    policy = queue.policy if queue is not None else None
    text = policy if isinstance(policy, str) else json.dumps(policy or {})
    if policy and lets(target["Arn"], text, "sqs:SendMessage", EVENTS, _told(rule, place.account)):
        group = target.get("SqsParameters", {}).get("MessageGroupId")
        backend.send_message(name, message, group_id=group, validate_group_id=False)


def _to_log(place: Place, group: str, message: str) -> None:
    """Write to a log group, if a resource policy of CloudWatch Logs lets EventBridge."""
    backend = logs_backends[place.account][place.region]
    stream = str(uuid.uuid4())
    arn = place.arn("logs", f"log-group:{group}:log-stream:{stream}")
    texts = [one.policy_document for one in backend.resource_policies.values()]
    told = {"aws:SourceAccount": place.account}
    if group in backend.groups and all(
        any(lets(arn, text, action, EVENTS, told) for text in texts) for action in _WRITES
    ):
        backend.create_log_stream(group, stream)
        backend.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": message}])


def input_of(rule: Any, target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return what a target is given of an event."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    template = str(transformer["InputTemplate"])
    return _VARIABLE.sub(lambda match: _put(template[: match.start()], values, match), template)


def _put(before: str, values: Mapping[str, Any], match: re.Match[str]) -> str:
    """Return a variable as JSON, or as plain text where it is within quotes."""
    if match[1] not in values:
        return match[0]
    value, quotes = values[match[1]], len(re.findall(r'(?<!\\)"', before))
    if value is None:
        return "" if quotes % 2 else "null"
    if quotes % 2 == 0:
        return json.dumps(value)
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]


def _at(event: Any, path: str) -> Any:
    """Return what a path such as `$.detail.containers[0].name` leads to, None if it leads nowhere."""
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        if name:
            event = event.get(name) if isinstance(event, Mapping) else None
        else:
            event = event[int(index)] if isinstance(event, list) and int(index) < len(event) else None
    return event
