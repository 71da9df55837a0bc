"""CloudTrail's event history: the calls that changed something, those that were refused, and reads of secrets.

A trail writes them to its own log group too, as far as its role lets it. Of the parameters only what names something is
kept: no value of a secret is ever in it.

Sources: AWS CloudTrail API Reference, LookupEvents; AWS CloudTrail User Guide, "CloudTrail record contents", "Sending
events to CloudWatch Logs" and "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult
from moto.logs.models import logs_backends

from infraspec.sandbox.overlay.decisions import SandboxIdentity, allowed, ask, of_entity
from infraspec.sandbox.overlay.events import emit
from infraspec.sandbox.overlay.targets import Place

_READS = re.compile(r"^(Get|List|Describe|Batch(Get|Check)|Head|Lookup|Simulate|Filter|Query|Scan|Test|Check|Select)")
_NAMING = re.compile(
    r"(id|name|arn|cluster|family|service|taskdefinition|bucket|key|rule|endpoint|protocol)$", re.IGNORECASE
)
_MOST = 5000
_EVENTS: deque[dict[str, Any]] = deque(maxlen=_MOST)


def install() -> None:
    """Answer lookup_events, which moto does not."""
    CloudTrailResponse.lookup_events = _lookup


def record(
    response: Any, who: SandboxIdentity, action: str, parameters: dict[str, Any], error: tuple[str, str] | None = None
) -> None:
    """Keep a call, if it is one that is looked up later, and put it on the bus."""
    reads = _READS.match(action) is not None
    if reads and error is None and action != "GetSecretValue":
        return
    place = Place(response.current_account, response.region, response.partition)
    keep(place, response.boto3_service_name, who, action, parameters, error=error)


def keep(
    place: Place,
    service: str,
    who: SandboxIdentity,
    action: str,
    parameters: dict[str, Any],
    *,
    error: tuple[str, str] | None = None,
) -> None:
    """Keep a call of somebody, also one that a service of AWS makes with a role, and put it on the bus."""
    now, identifier = datetime.now(UTC), str(uuid.uuid4())
    reads = _READS.match(action) is not None
    named = {key: value for key, value in parameters.items() if isinstance(value, str) and _NAMING.search(key)}
    prefix = _SOURCES.get(service, service)
    told: dict[str, Any] = {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole" if who.role else "IAMUser", "arn": who.arn},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{prefix}.amazonaws.com",
        "eventName": action,
        "awsRegion": place.region,
        "requestParameters": {key[:1].lower() + key[1:]: value for key, value in named.items()},
        "readOnly": reads,
        "eventID": identifier,
        "recipientAccountId": place.account,
    }
    if error is not None:
        told |= {"errorCode": error[0], "errorMessage": error[1]}
    _EVENTS.append(
        {
            "EventId": identifier,
            "EventName": action,
            "ReadOnly": str(reads).lower(),
            "EventTime": now,
            "EventSource": f"{prefix}.amazonaws.com",
            "Username": who.arn.rpartition("/")[2] or who.arn.rpartition(":")[2],
            "Resources": [{"ResourceName": value} for value in named.values()],
            "CloudTrailEvent": json.dumps(told),
        }
    )
    emit(place, f"aws.{prefix}", "AWS API Call via CloudTrail", told)
    for region, backend in cloudtrail_backends[place.account].items():
        for trail in backend.trails.values():
            if (
                trail.status.is_logging
                and (trail.is_multi_region or region == place.region)
                and _takes(trail, reads=reads)
            ):
                _write(Place(place.account, region, place.partition), trail, json.dumps(told))


def _takes(trail: Any, *, reads: bool) -> bool:
    """Tell whether a trail logs what reads, or what changes something; one without selectors logs both."""
    kinds = {one.get("ReadWriteType", "All") for one in trail.event_selectors} or {"All"}
    return bool(kinds & {"All", "ReadOnly" if reads else "WriteOnly"})


def _write(place: Place, trail: Any, message: str) -> None:
    """Write a line to the log group of a trail, if it has one and its role may."""
    group = str(trail.cw_log_group_arn or "").partition(":log-group:")[2].removesuffix(":*")
    logs, role = logs_backends[place.account][place.region], trail.cw_role_arn
    who = of_entity(place.account, place.partition, role) if role else None
    if group not in logs.groups or who is None:
        return
    stream = f"{place.account}_CloudTrail_{place.region}"
    arn = place.arn("logs", f"log-group:{group}:log-stream:{stream}")
    asked = (ask(who, action, arn, account=place.account, region=place.region) for action in _WRITES)
    if all(allowed(who, one) for one in asked):
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": message}])


_WRITES = ("logs:CreateLogStream", "logs:PutLogEvents")

_SOURCES = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tagging"}


def _lookup(response: Any) -> Any:
    body = json.loads(response.body) if isinstance(response.body, str) and response.body else {}
    parameters = dict(getattr(response, "params", None) or body)
    found = [event for event in reversed(_EVENTS) if _wanted(event, parameters)]
    return ActionResult(page("Events", found, parameters.get("MaxResults") or 50, parameters.get("NextToken")))


def page(key: str, items: list[Any], size: Any, begin: Any, following: str = "NextToken") -> dict[str, Any]:
    """Return a page of items, and where the next one begins if there is one."""
    end = int(begin or 0) + int(size)
    return {key: items[int(begin or 0) : end], **({following: str(end)} if end < len(items) else {})}


def _wanted(event: dict[str, Any], parameters: dict[str, Any]) -> bool:
    moment = event["EventTime"].timestamp()
    if not _seconds(parameters.get("StartTime"), 0) <= moment <= _seconds(parameters.get("EndTime"), moment):
        return False
    for attribute in parameters.get("LookupAttributes") or ():
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        if key == "ResourceName":
            if value not in {one["ResourceName"] for one in event["Resources"]}:
                return False
        elif event.get(key) != value:
            return False
    return True


def _seconds(value: Any, default: float) -> float:
    if value is None:
        return default
    return float(value.timestamp() if isinstance(value, datetime) else value)
