"""What a release needs that Terraform does not bring: images from the pipeline, values of secrets from the operators.

The sandbox plays these people: it pushes an image for each name of a repository that a task definition uses, and puts
an invented value into each secret that has none, with the JSON keys that are read from it.
"""

from __future__ import annotations

import hashlib
import json
import operator
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, field

from infraspec.core.unknown import JsonText, MissingVariable, Sensitive, Text, Unknown, Value, encode_json, unknowns
from infraspec.ecs.references import EcrImage, ecr_image, values_from
from infraspec.sandbox.local_providers import DATA
from infraspec.sandbox.server_process import Account
from infraspec.terraform.plan import Plan, Resource

_STEP = re.compile(r"\.|\[(\d+)\]|\[\"([^\"]*)\"\]")


class Unresolved(Exception):  # noqa: N818 - it is a state of a value, not a fault
    """A value depends on something that has not been created."""


class Created(Struct):
    """What has been created, by address: its configured values, and the attributes that AWS assigned."""

    plan: Plan
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def resolve(self, value: Value) -> Any:
        """Return a value that is known in all parts. Raises Unresolved.

        A variable that nobody gave a value, such as one that a pipeline sets, becomes text that says so.
        """
        if isinstance(value, Sensitive):
            return self.resolve(value.reveal())
        if isinstance(value, Unknown):
            return self._attribute(value)
        if isinstance(value, JsonText):
            return encode_json(self.resolve(value.tree))
        if isinstance(value, Text):
            parts = map(self.resolve, value.parts)
            return "".join(part if isinstance(part, str) else encode_json(part) for part in parts)
        if isinstance(value, Mapping):
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item) for item in value]
        return value

    def _attribute(self, unknown: Unknown) -> Any:
        found = self.plan.find(unknown)
        if found is None:
            if isinstance(unknown.cause, MissingVariable):
                return unknown.cause.in_sandbox
            raise Unresolved(f"{unknown.address} is unknown")
        resource, path = found
        if resource.mode == "data" and resource.type not in DATA:
            raise Unresolved(f"{unknown.address} is unknown: set it under [known] of the contract")
        if resource.mode == "managed" and resource.address not in self.attributes:
            raise Unresolved(f"{resource.address} has not been created")
        try:
            return _walk(
                self.attributes[resource.address] if resource.mode == "managed" else self._read(resource), path
            )
        except (KeyError, IndexError, TypeError):
            raise Unresolved(f"{unknown.address} is not among what creation returns") from None

    def _read(self, resource: Resource) -> dict[str, Any]:
        """Return what a data source returns that asks nobody."""
        values = {name: self.resolve(value) for name, value in resource.values.items()}
        return {**values, **DATA[resource.type](values)}


def references(resource: Resource, plan: Plan) -> Iterator[str]:
    """Yield the addresses of the managed resources that a resource's values wait for, through data sources too."""
    for value in resource.values.values():
        for unknown in unknowns(value):
            found = plan.find(unknown)
            if found is None or found[0].address == resource.address:
                continue
            if found[0].mode == "managed":
                yield found[0].address
            elif found[0].type in DATA:
                yield from references(found[0], plan)


def _walk(value: Any, path: str) -> Any:
    for step in filter(None, _STEP.split(path)):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


_ARN_FIELDS = 7
_MINUTES = 5
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def deliver(account: Account, containers: Sequence[Mapping[str, Any]]) -> None:
    """Push the images and put the values that container definitions name, where they are missing."""
    for container in containers:
        image = ecr_image(container.get("image"))
        if isinstance(image, EcrImage) and image.account == account.account and image.region == account.region:
            _push(account, str(container["image"]))
    for arn, keys in _read(containers).items():
        put_value(account, arn, keys)


def put_value(account: Account, arn: str, keys: Iterable[str] = ()) -> None:
    """Put an invented value into a secret that has none; a JSON object if keys are read from it."""
    client = account.client("secretsmanager")
    try:
        described = client.describe_secret(SecretId=arn)
    except client.exceptions.ResourceNotFoundException:
        return  # of another account, or never created: the task will say so
    if described.get("DeletedDate") or described.get("VersionIdsToStages"):
        return
    names = sorted(keys)
    value = json.dumps({name: secrets.token_urlsafe(24) for name in names}) if names else secrets.token_urlsafe(24)
    client.put_secret_value(SecretId=arn, SecretString=value)


def settle(account: Account) -> None:
    """Do what time and people do after a first apply: alarms get data, and e-mail addresses are confirmed.

    A metric of AWS that new alarms look at gets values that are harmless to them, unless what it is of tells values of
    its own, and the alarms leave INSUFFICIENT_DATA, as they do in AWS minutes after what they watch runs.
    """
    cloudwatch, sns = account.client("cloudwatch"), account.client("sns")
    new = cloudwatch.describe_alarms(StateValue="INSUFFICIENT_DATA")["MetricAlarms"]
    for alarms in _by_metric(new):
        metric = {name: alarms[0][name] for name in ("Namespace", "MetricName", "Dimensions")}
        value = _told(cloudwatch, metric)
        if value is None:
            value = _harmless(alarms)
            data = _measured(alarms, value)
            cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=data)
        for alarm in alarms:
            _move(cloudwatch, alarm, is_breaching=_BREACHES[alarm["ComparisonOperator"]](value, alarm["Threshold"]))
    for alarm in new:
        if not _is_of_aws(alarm):
            _move(cloudwatch, alarm, is_breaching=False)
    for page in sns.get_paginator("list_subscriptions").paginate():
        for subscription in page["Subscriptions"]:
            if subscription["SubscriptionArn"] == "PendingConfirmation":
                sns.confirm_subscription(TopicArn=subscription["TopicArn"], Token=subscription["Endpoint"])


_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def _is_of_aws(alarm: Mapping[str, Any]) -> bool:
    return str(alarm.get("Namespace", "")).startswith("AWS/") and alarm["ComparisonOperator"] in _BREACHES


def _by_metric(alarms: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """Return the alarms that look at a metric of AWS, those of one metric together."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for alarm in filter(_is_of_aws, alarms):
        dimensions = sorted((one["Name"], one["Value"]) for one in alarm["Dimensions"])
        found.setdefault(json.dumps([alarm["Namespace"], alarm["MetricName"], dimensions]), []).append(alarm)
    return found.values()


def _told(cloudwatch: Any, metric: Mapping[str, Any]) -> float | None:
    """Return what a metric says by itself of the last minutes; None if it has no data."""
    now = datetime.now(UTC)
    query = {"Id": "told", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    start = now - timedelta(minutes=_MINUTES)
    answer = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=start, EndTime=now)
    return next((float(value) for value in answer["MetricDataResults"][0]["Values"]), None)


def _measured(alarms: Sequence[Mapping[str, Any]], value: float) -> list[dict[str, Any]]:
    """Return the data of a metric that had one value in each of the last minutes, and in each period of its alarms."""
    now, metric = datetime.now(UTC), {name: alarms[0][name] for name in ("MetricName", "Dimensions")}
    ages = {60 * minutes for minutes in range(1, _MINUTES + 1)}
    ages |= {int(one["Period"]) * number for one in alarms for number in range(1, int(one["EvaluationPeriods"]))}
    return [{**metric, "Value": value, "Timestamp": now - timedelta(seconds=age)} for age in sorted(ages)]


def _harmless(alarms: Sequence[Mapping[str, Any]]) -> float:
    """Return a value on the good side of the thresholds of all alarms of a metric, where there is one.

    An alarm on a sum adds up however many of them there are.
    """
    upper = [
        min(float(one["Threshold"]), 0.0) if one.get("Statistic") == "Sum" else float(one["Threshold"])
        for one in alarms
        if one["ComparisonOperator"].startswith("Greater")
    ]
    lower = [float(one["Threshold"]) for one in alarms if one["ComparisonOperator"].startswith("Less")]
    if upper and lower:
        return (max(lower) + min(upper)) / 2
    return min(upper) / 2 if upper else max(lower) * 2 + 1


def _move(cloudwatch: Any, alarm: Mapping[str, Any], *, is_breaching: bool) -> None:
    state, told = ("ALARM", "all datapoints were") if is_breaching else ("OK", "no datapoints were")
    reason = f"Threshold Crossed: {told} breaching"
    cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)


def _read(containers: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return the JSON keys that are read of each secret, by the secret's ARN."""
    found: dict[str, set[str]] = {}
    for text in (text for container in containers for text in values_from(container)):
        fields = text.split(":")
        if fields[:1] == ["arn"] and fields[2:3] == ["secretsmanager"]:
            keys = found.setdefault(":".join(fields[:_ARN_FIELDS]), set())
            keys.update(filter(None, fields[_ARN_FIELDS : _ARN_FIELDS + 1]))
    return found


def _push(account: Account, image: str) -> None:
    """Push an image by its tag; one that is named by its digest cannot be invented."""
    path = image.partition("/")[2]
    repository, _, tag = path.partition("@")[0].partition(":")
    if "@" in path:
        return
    client = account.client("ecr")
    digest = hashlib.sha256(path.encode()).hexdigest()
    layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1, "digest": f"sha256:{digest}"}
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": f"sha256:{digest}"}
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST_TYPE, "config": config, "layers": [layer]}
    try:
        client.put_image(
            repositoryName=repository,
            imageManifest=json.dumps(manifest),
            imageTag=tag or "latest",
            imageManifestMediaType=_MANIFEST_TYPE,
        )
    except (
        client.exceptions.RepositoryNotFoundException,
        client.exceptions.ImageAlreadyExistsException,
        client.exceptions.ImageTagAlreadyExistsException,
    ):
        return
