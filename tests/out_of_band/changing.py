"""How a change is made: something is described, edited by paths, and put back as an operator would."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from tests.out_of_band.account import Deployed

DATA = Path(__file__).parent / "data"
_PLACE = re.compile(r"<(module[^<>]+)>")
Edits = Mapping[str, Any]
"""Path of what is put back → its new value; an empty table takes it out."""


class Change(Struct, frozen=True):
    """A change that somebody makes, and what has to be said of it.

    `verdict` is that of one of `rules` at least, or `clean` where nothing new may be said. `edits` are those of the
    `kind`, which `of` names one of. `contract` are tables that the contract has besides.
    """

    name: str
    kind: str
    of: str
    edits: Any
    verdict: str
    rules: tuple[str, ...] = ()
    contract: Mapping[str, Any] = field(default_factory=dict)

    def make(self, deployed: Deployed) -> None:
        """Make it."""
        KINDS[self.kind](_Operator(deployed), self.of, self.edits)


_VERDICTS = {"harmful": "violated", "unknown": "undetermined", "harmless": "clean"}


def read_changes(path: Path = DATA / "changes.toml") -> Iterator[Change]:
    """Yield the changes of the table."""
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["changes"]:
        of = entry.get("of", "")
        for heading, verdict in _VERDICTS.items():
            for name, edits in entry.get(heading, {}).items():
                told = f"{entry['kind']}{f' {of}' if of else ''}: {name}"
                rules = tuple(entry["rules"]) if verdict != "clean" else ()
                yield Change(told, entry["kind"], of, edits, verdict, rules, entry.get("contract", {}))


class _Operator(Struct):
    """Who makes a change: the clients of one who may do everything, and the names of what was applied."""

    deployed: Deployed

    def __getitem__(self, service: str) -> Any:
        return self.deployed.account.client(service)

    def resolved(self, value: Any) -> Any:
        """Return a value whose `<address attribute>` is what was applied."""
        match value:
            case dict():
                return {self.resolved(name): self.resolved(one) for name, one in value.items()}
            case list():
                return [self.resolved(one) for one in value]
            case str():
                return _PLACE.sub(self._named, value)
            case _:
                return value

    def _named(self, found: re.Match[str]) -> str:
        address, _, attribute = found[1].rpartition(" ")
        return str(self.deployed.applied.attributes[address.replace("'", '"')][attribute])

    def edited(self, tree: Any, edits: Edits) -> Any:
        """Return a copy of a tree with what the edits put at its paths."""
        made = json.loads(json.dumps(tree))
        for path, value in self.resolved(edits).items():
            _put(made, path.split("/"), value)
        return made


def _put(tree: Any, steps: list[str], value: Any) -> None:
    step, *rest = steps
    key: Any = int(step) if isinstance(tree, list) else step
    if rest:
        if isinstance(tree, dict):
            tree.setdefault(key, {})
        _put(tree[key], rest, value)
    elif value == {}:
        del tree[key]
    elif isinstance(tree, list) and key == len(tree):
        tree.append(value)
    else:
        tree[key] = value


def _taken(operator: _Operator, service: str, operation: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a description the operation that makes it takes as parameters."""
    members = operator[service].meta.service_model.operation_model(operation).input_shape.members
    return {name: value for name, value in described.items() if name in members and value not in (None, [], "")}


NAME = "daily-report-tool-prod"
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{'1' * 64}", "size": 1, "mediaType": "application/vnd.docker.container.image.v1"},
        "layers": [],
    }
)
_CLUSTER, _SERVICE = f"{NAME}-cluster", f"{NAME}-backend"


def _pipeline(operator: _Operator, _of: str, edits: Edits) -> None:
    """Push an image as a pipeline does, and have the service run a revision with it."""
    pushed = operator["ecr"].put_image(repositoryName=_SERVICE, imageManifest=_MANIFEST, imageTag="v16")["image"]
    image = operator.resolved("<module.ecs.aws_ecr_repository.this repository_url>")
    tag = pushed["imageId"]["imageTag"]
    _revision(operator, "", {"containerDefinitions/0/image": f"{image}:{tag}", **edits})


def _revision(operator: _Operator, _of: str, edits: Edits) -> None:
    """Register a revision that differs, and have the service run it."""
    ecs = operator["ecs"]
    found = ecs.describe_task_definition(taskDefinition=_SERVICE, include=["TAGS"])
    described = _taken(operator, "ecs", "RegisterTaskDefinition", found["taskDefinition"])
    made = ecs.register_task_definition(**operator.edited(described, edits), tags=found.get("tags", []))
    ecs.update_service(
        cluster=_CLUSTER, service=_SERVICE, taskDefinition=made["taskDefinition"]["taskDefinitionArn"]
    )  # fmt: skip


def _service(operator: _Operator, _of: str, edits: Edits) -> None:
    """Change the service."""
    (found,) = operator["ecs"].describe_services(cluster=_CLUSTER, services=[_SERVICE])["services"]
    first = {path.partition("/")[0] for path in edits}
    given = {name: found[name] for name in first if name in found}
    operator["ecs"].update_service(cluster=_CLUSTER, service=_SERVICE, **operator.edited(given, edits))


def _alarm(operator: _Operator, of: str, edits: Edits) -> None:
    """Put an alarm that differs."""
    found = operator["cloudwatch"].describe_alarms(AlarmNames=[f"{NAME}-{of}"], AlarmTypes=["MetricAlarm"])
    (alarm,) = found["MetricAlarms"]
    taken = _taken(operator, "cloudwatch", "PutMetricAlarm", {**alarm, "ActionsEnabled": alarm["ActionsEnabled"]})
    operator["cloudwatch"].put_metric_alarm(**operator.edited(taken, edits))


def _composite(operator: _Operator, of: str, edits: Edits) -> None:
    """Put a composite alarm that differs."""
    found = operator["cloudwatch"].describe_alarms(AlarmNames=[f"{NAME}-{of}"], AlarmTypes=["CompositeAlarm"])
    taken = _taken(operator, "cloudwatch", "PutCompositeAlarm", found["CompositeAlarms"][0])
    operator["cloudwatch"].put_composite_alarm(**operator.edited(taken, edits))


def _filter(operator: _Operator, of: str, edits: Edits) -> None:
    """Put a metric filter that differs."""
    pages = operator["logs"].get_paginator("describe_metric_filters").paginate()
    (found,) = (one for page in pages for one in page["metricFilters"] if one["filterName"] == f"{NAME}-{of}")
    operator["logs"].put_metric_filter(**operator.edited(_taken(operator, "logs", "PutMetricFilter", found), edits))


def _rule(operator: _Operator, of: str, edits: Edits) -> None:
    """Put a rule of EventBridge that differs."""
    found = operator["events"].describe_rule(Name=f"{NAME}-{of}")
    operator["events"].put_rule(**operator.edited(_taken(operator, "events", "PutRule", found), edits))


def _target(operator: _Operator, of: str, edits: Edits) -> None:
    """Put the target of a rule, `RULE/ID`, that differs."""
    rule, _, identity = of.partition("/")
    targets = operator["events"].list_targets_by_rule(Rule=f"{NAME}-{rule}")["Targets"]
    (found,) = (one for one in targets if one["Id"] == identity)
    operator["events"].put_targets(Rule=f"{NAME}-{rule}", Targets=[operator.edited(found, edits)])


def _policy(operator: _Operator, of: str, edits: Edits) -> None:
    """Make a version of a managed policy that differs the default."""
    iam, arn = operator["iam"], operator.resolved(of)
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    text = json.dumps(operator.edited(document, edits))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)


def _trust(operator: _Operator, of: str, edits: Edits) -> None:
    """Change who may assume a role."""
    document = operator["iam"].get_role(RoleName=f"{NAME}-{of}")["Role"]["AssumeRolePolicyDocument"]
    text = json.dumps(operator.edited(document, edits))
    operator["iam"].update_assume_role_policy(RoleName=f"{NAME}-{of}", PolicyDocument=text)


def _key_policy(operator: _Operator, of: str, edits: Edits) -> None:
    """Change the policy of a key, which its alias names."""
    kms = operator["kms"]
    key = kms.describe_key(KeyId=f"alias/{NAME}-{of}")["KeyMetadata"]["KeyId"]
    document = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(operator.edited(document, edits)))


def _topic_policy(operator: _Operator, of: str, edits: Edits) -> None:
    """Change the policy of a topic."""
    arn = operator.resolved(f"<module.monitoring.aws_sns_topic.level['{of}'] arn>")
    document = json.loads(operator["sns"].get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    text = json.dumps(operator.edited(document, edits))
    operator["sns"].set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)


def _acl(operator: _Operator, of: str, entries: list[Edits]) -> None:
    """Put entries into the network ACL of a subnet."""
    subnet = operator.resolved(f"<{of} id>")
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (acl,) = operator["ec2"].describe_network_acls(Filters=filters)["NetworkAcls"]
    for entry in entries:
        operator["ec2"].create_network_acl_entry(NetworkAclId=acl["NetworkAclId"], Protocol="-1", **entry)


def _calls(operator: _Operator, _of: str, calls: list[list[Any]]) -> None:
    """Call operations, `service.operation` each with its parameters."""
    for name, parameters in calls:
        service, _, operation = name.partition(".")
        getattr(operator[service], operation)(**operator.resolved(parameters))


KINDS: Mapping[str, Callable[[_Operator, str, Any], None]] = {
    "acl": _acl,
    "alarm": _alarm,
    "calls": _calls,
    "composite": _composite,
    "filter": _filter,
    "key-policy": _key_policy,
    "pipeline": _pipeline,
    "policy": _policy,
    "revision": _revision,
    "rule": _rule,
    "service": _service,
    "target": _target,
    "topic-policy": _topic_policy,
    "trust": _trust,
}
