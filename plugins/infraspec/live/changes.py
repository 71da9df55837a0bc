"""What AWS CloudTrail says of who changed a service, its roles and its secrets.

Sources: AWS CloudTrail API Reference, LookupEvents (management events of 90 days, one attribute a call, two calls a
second); AWS CloudTrail User Guide, "Global service events": those of IAM are in one region of a partition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.errors import InfraspecError
from infraspec.process.changes import Change, Changes

_IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_ECS = ("UpdateService", "RegisterTaskDefinition", "DeregisterTaskDefinition")
_SECRETS = ("DeleteSecret", "UpdateSecret", "PutSecretValue", "PutResourcePolicy")
_IAM = (
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "CreatePolicyVersion",
    "SetDefaultPolicyVersion",
    "PutRolePermissionsBoundary",
    "UpdateAssumeRolePolicy",
)


def changes_of(calls: Calls, names: Sequence[str], since: datetime, region: str | None = None) -> Changes:
    """Look up the operations that name one of `names`, such as a service, a role, a secret, in the region of these.

    If CloudTrail cannot be asked, the note says why, and which permission is missing.
    """
    found: list[Change] = []
    try:
        for place, operations in _asked(calls, region or calls.region):
            for operation in operations:
                events = calls.pages(
                    "cloudtrail",
                    "lookup_events",
                    "Events",
                    region=None if place == calls.region else place,
                    LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": operation}],
                    StartTime=since,
                )
                found += filter(None, (_change(event, names) for event in events))
    except InfraspecError as error:
        return Changes(since, _sorted(found), f"CloudTrail was not asked for all: {error}")
    return Changes(since, _sorted(found))


def _asked(calls: Calls, region: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield region, (*_ECS, *_SECRETS)
    yield _IAM_REGIONS.get(calls.partition, calls.region), _IAM


def _sorted(found: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda change: change.at, reverse=True))


def _change(event: Mapping[str, Any], names: Sequence[str]) -> Change | None:
    """Read an event if it is about one of the names; nothing of its parameters is kept but these names."""
    record = _record(event)
    text = json.dumps([record.get(key) for key in ("requestParameters", "resources", "responseElements")])
    text += json.dumps([one.get("ResourceName") for one in event.get("Resources") or ()])
    about = tuple(name for name in names if _is_in(name, text))
    if not about:
        return None
    who = (record.get("userIdentity") or {}).get("arn") or event.get("Username") or "nobody that CloudTrail names"
    return Change(event["EventTime"], event["EventName"], who, about, record.get("errorCode") or "")


def _is_in(name: str, text: str) -> bool:
    """Tell whether a text has a name, whole, or with the suffix of a secret's ARN."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?:-[A-Za-z0-9]{{6}}\b(?=[^\w-]))?(?![\w-])", text) is not None


def _record(event: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        record = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
