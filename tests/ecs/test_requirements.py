"""What task definitions and their services need, each requirement whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.core.unknown import Unknown, Value, concatenate, render
from infraspec.ecs.access_table import NAMED_ROLES
from infraspec.ecs.required_access import required_access, unknown_volumes
from infraspec.ecs.requirement import AccessContext, Key, Requirement
from infraspec.ecs.service_access import ExecuteCommand, ServiceConnect
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.workloads.access_table import workload_roles
from infraspec.workloads.named_roles import NamedRoles
from tests.checks.access_cases import ACCOUNT, CASES, OTHER_ACCOUNT, REGION, Case, arn, resource
from tests.whole_results import Transcript, described

CACHED = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/quay/app:1"
FILE = "arn:aws:s3:::app-config/app.env"
LOGS = {"awslogs-group": "/ecs/app", "awslogs-region": REGION}
SESSIONS = {"logging": "OVERRIDE"}


def context_of(plan: Plan, **given: Any) -> AccessContext:
    """Return where a task runs, without keys, rules and secrets unless they are given."""
    return AccessContext(AwsAttributes(plan), plan.account, plan.region, **given)


def lines(requirements: Iterable[Requirement]) -> list[str]:
    """Write each requirement on a line, nothing left out."""
    return [_line(one) for one in requirements]


def _line(one: Requirement) -> str:
    need, doubt = one.need, one.doubt
    said = f"{one.access.role}: {one.action} on {render(one.resource)} for {need} [{need.path} = {render(need.named)}]"
    parts = {
        "row": f"{one.access.feature}, {one.access.resource}",
        "at": need.location,
        "doubt": doubt and doubt.reason,
        "unknown": doubt and doubt.unknown,
        "remedy": doubt and doubt.remedy,
        "undecidable": one.undecidable,
        "or": one.alternative and render(one.alternative),
        "via": one.via and render(one.via),
        "keys": one.keys and described(one.keys),
        "by": one.anonymous and "anybody",
    }
    return "\n".join([said, *(f"  {name}: {part}" for name, part in parts.items() if part)])


def needs(plan: Plan, *definitions: TaskDefinition, **given: Any) -> list[str]:
    """Return the lines of all that the task definitions of a plan need, their sessions and proxies included."""
    found = []
    context = context_of(plan, **given)
    sessions = ExecuteCommand(context.attributes, lambda key, _: Unknown(f"the ARN of {render(key)}"))
    proxies = ServiceConnect(context.attributes)
    for definition in definitions or task_definitions(plan):
        found += required_access(definition, context)
        found += sessions.requirements(definition, context)
        found += proxies.requirements(definition, context)
    unknown = [f"{one.address}: {why}" for one, why in (*sessions.services.unknown, *proxies.unknown_services)]
    hidden = [f"{path}: {why}" for one in definitions or task_definitions(plan) for path, why in unknown_volumes(one)]
    return [*lines(found), *unknown, *hidden]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_row_of_the_table(case: Case, transcript: Transcript) -> None:
    """The feature of a row asks for the row's actions, and for all else that belongs to it."""
    transcript(needs(case.plan()))


CONTAINERS: dict[str, Mapping[str, Value]] = {
    "an image of Docker Hub": {"image": "nginx:1"},
    "an image of another account and region": {"image": f"{OTHER_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/app:1"},
    "an image that is not known": {"image": Unknown("var.image")},
    "an image that is not known, with credentials": {
        "image": Unknown("var.image"), "repositoryCredentials": {"credentialsParameter": "registry"}},
    "an image whose repository is not known": {
        "image": concatenate([f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/", Unknown("var.app"), ":1"])},
    "a cached image": {"image": CACHED},
    "a log group": {"logConfiguration": {"logDriver": "awslogs", "options": LOGS}},
    "a log group and a prefix": {
        "logConfiguration": {"logDriver": "awslogs", "options": {**LOGS, "awslogs-stream-prefix": "web"}}},
    "a log group that the driver makes": {
        "logConfiguration": {"logDriver": "awslogs", "options": {**LOGS, "awslogs-create-group": "True"}}},
    "a log group that the driver may make": {
        "logConfiguration": {"logDriver": "awslogs",
            "options": {**LOGS, "awslogs-create-group": concatenate([Unknown("var.create"), ""])}}},
    "a log group that the driver does not make": {
        "logConfiguration": {"logDriver": "awslogs", "options": {**LOGS, "awslogs-create-group": "false"}}},
    "a log group of another region": {
        "logConfiguration": {"logDriver": "awslogs", "options": {**LOGS, "awslogs-region": "us-east-1"}}},
    "a log driver without a group": {"logConfiguration": {"logDriver": "awslogs", "options": {}}},
    "another log driver": {"logConfiguration": {"logDriver": "fluentd", "options": LOGS}},
    "a container of unknown name": {
        "name": Unknown("var.name"),
        "logConfiguration": {"logDriver": "awslogs", "options": {**LOGS, "awslogs-stream-prefix": "web"}}},
    "a secret by its name": {"secrets": [{"name": "DB", "valueFrom": "db"}]},
    "a parameter by its path": {"secrets": [{"name": "DB", "valueFrom": "/app/db"}]},
    "a parameter by its ARN": {"secrets": [{"name": "DB", "valueFrom": arn("ssm", "parameter/app/db")}]},
    "a parameter that stands for a secret": {
        "secrets": [{"name": "DB", "valueFrom": arn("ssm", "parameter/aws/reference/secretsmanager/db")}]},
    "a secret with its JSON key": {
        "secrets": [{"name": "DB", "valueFrom": arn("secretsmanager", "secret:db-AbCdEf:password::")}]},
    "a secret that is not known": {"secrets": [{"name": "DB", "valueFrom": Unknown("var.secret")}]},
    "a secret whose ARN is not whole": {"secrets": [{"name": "DB", "valueFrom": arn("secretsmanager", "secret:db")}]},
    "secrets of which one is not known": {
        "secrets": [Unknown("var.s"), {"name": "DB", "valueFrom": concatenate(["arn:aws:", Unknown("var.rest")])}]},
    "a secret of the log driver": {
        "logConfiguration": {"logDriver": "splunk", "options": {},
            "secretOptions": [{"name": "token", "valueFrom": arn("secretsmanager", "secret:splunk-AbCdEf")}]}},
    "credentials of a registry by name": {"repositoryCredentials": {"credentialsParameter": "registry"}},
    "credentials of a registry by ARN": {
        "repositoryCredentials": {"credentialsParameter": arn("secretsmanager", "secret:registry-AbCdEf")}},
    "two environment files": {
        "environmentFiles": [{"type": "s3", "value": FILE}, {"type": "s3", "value": Unknown("var.file")}]},
    "a file of a bucket that is not known": {
        "environmentFiles": [{"type": "s3", "value": concatenate([Unknown("aws_s3_bucket.b.arn"), "/a/app.env"])}]},
    "a router that reads an object": {
        "firelensConfiguration": {"options": {"config-file-type": "s3", "config-file-value": FILE}}},
    "a router that reads a file": {
        "firelensConfiguration": {"options": {"config-file-type": "file", "config-file-value": "/fluent.conf"}}},
    "a router of unknown kind": {
        "firelensConfiguration": {"options": {"config-file-type": Unknown("var.kind"), "config-file-value": FILE}}},
    "a credential spec in a file": {"credentialSpecs": ["credentialspec:file://spec.json"]},
    "a credential spec in a bucket": {"credentialSpecs": [f"credentialspecdomainless:{FILE}"]},
    "a credential spec in a parameter": {"dockerSecurityOptions": [f"credentialspec:{arn('ssm', 'parameter/spec')}"]},
    "a credential spec that is not known": {"credentialSpecs": [Unknown("var.spec")]},
    "a credential spec whose place is not known": {
        "credentialSpecs": [concatenate(["credentialspec:", Unknown("var.spec")])]},
    "a credential spec elsewhere": {"credentialSpecs": ["credentialspec:https://example.com/spec.json"]},
    "options of Docker": {"dockerSecurityOptions": ["no-new-privileges"]},
}  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers(container: Mapping[str, Value], transcript: Transcript) -> None:
    """A container asks for what it names, each with its place, its doubt and its remedy."""
    key, row = Key(Unknown("aws_kms_key.main.arn")), CASES[0].row
    plan = Case(row, "", "", container).plan()
    transcript(needs(plan))
    given = {"key_of": lambda *_: key, "is_cached": lambda _: True, "exists": lambda _: False, "on_fargate": True}
    transcript(needs(plan, **given, secret_named=lambda name: arn("secretsmanager", f"secret:{name}-AbCdEf")))


def _efs(system: Value, iam: Value = "ENABLED", point: Value = None) -> dict[str, Value]:
    authorization = [{"access_point_id": point, "iam": iam}]
    return {"efs_volume_configuration": [{"file_system_id": system, "authorization_config": authorization}]}


def _s3_files(system: Value, **more: Value) -> dict[str, Value]:
    return {"s3files_volume_configuration": [{"file_system_arn": system, **more}]}


def _fsx(credentials: Value) -> dict[str, Value]:
    authorization = [{"credentials_parameter": credentials}]
    return {"fsx_windows_file_server_volume_configuration": [
        {"file_system_id": "fs-1", "authorization_config": authorization}]}  # fmt: skip


VOLUMES: dict[str, Value] = {
    "EFS with IAM": [_efs("fs-1")],
    "EFS of the plan, through an access point": [
        _efs(Unknown("aws_efs_file_system.data.id"), point=Unknown("aws_efs_access_point.app.id"))],
    "EFS without IAM": [_efs("fs-1", "DISABLED"), _efs("fs-1", None)],
    "EFS of which that is not known": [_efs("fs-1", Unknown("var.iam"))],
    "S3 Files": [_s3_files("arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1", access_point_arn=FILE)],
    "FSx with a secret": [_fsx(arn("secretsmanager", "secret:ad-AbCdEf"))],
    "FSx with a parameter": [_fsx("/ad")],
    "FSx without credentials": [_fsx(None)],
    "a directory of the host": [{"host_path": "/data"}],
    "volumes that are not known": Unknown("var.volumes"),
    "a volume that is not known": [Unknown("var.volume")],
    "a file system that is not known": [{"efs_volume_configuration": [Unknown("var.efs")]}],
    "an authorization that is not known": [
        {"efs_volume_configuration": [{"file_system_id": "fs-1", "authorization_config": [Unknown("var.iam")]}]}],
}  # fmt: skip
MOUNTS: dict[str, Value] = {
    "nowhere": None,
    "to read": [{"sourceVolume": "data", "readOnly": True}, {"sourceVolume": "other", "readOnly": False}],
    "to write": [{"sourceVolume": "data"}],
    "to read, perhaps": [{"sourceVolume": "data", "readOnly": Unknown("var.ro")}],
    "perhaps": [{"sourceVolume": Unknown("var.volume"), "readOnly": False}],
    "by what is not known": [Unknown("var.point")],
}


@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
@pytest.mark.parametrize("volumes", VOLUMES.values(), ids=VOLUMES)
def test_volumes(volumes: Value, mount: Value, transcript: Transcript) -> None:
    """A file system is mounted by a role, written to where a container may, and what hides that is named."""
    named = [{"name": "data", **one} if isinstance(one, dict) else one for one in volumes] \
        if isinstance(volumes, list) else volumes  # fmt: skip
    systems = (resource("aws_efs_file_system.data"), resource("aws_efs_access_point.app"))
    container = {} if mount is None else {"mountPoints": mount}
    transcript(needs(Case(CASES[0].row, "", "", container, {"volume": named}, systems).plan()))


@pytest.mark.parametrize("encrypted", ["ENABLED", "DISABLED", None, Unknown("var.encrypted")], ids=str)
def test_a_file_system_that_anybody_mounts(encrypted: Value, transcript: Transcript) -> None:
    """Without IAM a file system that has a policy lets in anybody, and its conditions see whether TLS is used."""
    volumes = [_efs("fs-1", None), {"efs_volume_configuration": [Unknown("var.efs")]}]
    named = [{"name": f"data{number}", **one} for number, one in enumerate(volumes)]
    named[0]["efs_volume_configuration"][0]["transit_encryption"] = encrypted
    plan = Case(CASES[0].row, "", "", {"mountPoints": MOUNTS["to write"]}, {"volume": named}).plan()
    transcript(needs(plan, has_policy=lambda target: "fs-1" in render(target)))


def test_volumes_of_a_file(transcript: Transcript) -> None:
    """Volumes of task definition JSON are read as those of Terraform, and placed in the file."""
    fsx = {"fileSystemId": "fs-1", "authorizationConfig": {"credentialsParameter": arn("ssm", "parameter/ad")}}
    volumes = [
        {"name": "share", "fsxWindowsFileServerVolumeConfiguration": fsx},
        {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-2", "authorizationConfig": {"iam": "ENABLED"}}},
        {"name": "lake", "s3filesVolumeConfiguration": {"fileSystemArn": arn("s3files", "file-system/fs-3")}},
        {"name": "scratch"},
    ]
    text = json.dumps({"family": "web", "containerDefinitions": [{"name": "web", "image": "a"}], "volumes": volumes})
    plan = Plan("source", (), account=ACCOUNT, region=REGION)
    transcript(needs(plan, TaskDefinition.from_json(text, "web.json")))


def _plan(*services: Mapping[str, Value], cluster: Value = None) -> Plan:
    base = Case(CASES[0].row, "", "").plan()
    own = [
        resource(f"aws_ecs_service.s{number}", **{
            "name": f"s{number}", "cluster": Unknown("aws_ecs_cluster.main.id"), "task_definition": "app", **service})
        for number, service in enumerate(services)
    ]  # fmt: skip
    configuration = [{"execute_command_configuration": [cluster]}] if cluster else []
    return base.replaced(resources=(*base.resources, *own, _cluster(configuration)))


def _cluster(configuration: Value) -> Resource:
    return resource("aws_ecs_cluster.main", name="main", configuration=configuration)


NAMES: list[Value] = [
    "app", "app:3", "other", arn("ecs", "task-definition/app:3"), Unknown("aws_ecs_task_definition.app.arn"),
    Unknown("aws_ecs_task_definition.app.family"), Unknown("var.task_definition"), Unknown("aws_ecs_cluster.main.arn"),
    concatenate(["app:", Unknown("aws_ecs_task_definition.app.revision")]), "a b", None,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_services_by_the_name_of_their_task_definition(name: Value, transcript: Transcript) -> None:
    """ECS Exec and Service Connect concern the task definition that a service runs, and are unknown where that is."""
    proxy = [{"enabled": True, "log_configuration": [{"log_driver": "awslogs", "options": LOGS}]}]
    transcript(
        needs(_plan({"task_definition": name, "enable_execute_command": True, "service_connect_configuration": proxy}))
    )


def test_the_revision_that_a_service_names(transcript: Transcript) -> None:
    """Of two revisions of a family the service runs the one that it names."""
    plan = _plan({"task_definition": arn("ecs", "task-definition/app:3"), "enable_execute_command": True})
    app = plan.by_address["aws_ecs_task_definition.app"]
    both = [replace(app, address=one, values={**app.values, "arn": arn("ecs", f"task-definition/app:{one[-1]}")})
            for one in ("aws_ecs_task_definition.r3", "aws_ecs_task_definition.r4")]  # fmt: skip
    for order in (both, both[::-1]):
        transcript(needs(plan.replaced(resources=(*order, *(one for one in plan.resources if one is not app)))))


SESSION_LOGS: dict[str, dict[str, Value]] = {
    "a key": {"kms_key_id": "alias/sessions"},
    "no logging": {"logging": "NONE", "log_configuration": [{"s3_bucket_name": "sessions"}]},
    "a group": SESSIONS | {"log_configuration": [{"cloud_watch_log_group_name": "/ecs/sessions"}]},
    "a group and a key": {"kms_key_id": Unknown("aws_kms_key.main.arn")} | SESSIONS | {
        "log_configuration": [{"cloud_watch_log_group_name": "/s", "cloud_watch_encryption_enabled": True}]},
    "a group that may be encrypted": SESSIONS | {
        "log_configuration": [
            {"cloud_watch_log_group_name": "/s", "cloud_watch_encryption_enabled": Unknown("var.encrypted")}]},
    "a bucket": SESSIONS | {"log_configuration": [{"s3_bucket_name": "sessions"}]},
    "a bucket, a prefix and encryption": SESSIONS | {
        "log_configuration": [
            {"s3_bucket_name": "sessions", "s3_key_prefix": "exec/", "s3_bucket_encryption_enabled": "true"}]},
    "nothing": SESSIONS,
}  # fmt: skip


@pytest.mark.parametrize("enabled", [True, False, "false", Unknown("var.debug")], ids=str)
@pytest.mark.parametrize("cluster", SESSION_LOGS.values(), ids=SESSION_LOGS)
def test_sessions_and_their_logs(cluster: Value, enabled: Value, transcript: Transcript) -> None:
    """A session needs its channel, its key, and the log that its cluster asks for, with what looks at encryption."""
    transcript(needs(_plan({"enable_execute_command": enabled}, cluster=cluster)))


@pytest.mark.parametrize(
    "cluster", ["main", "other", arn("ecs", "cluster/main"), Unknown("aws_ecs_cluster.main.arn"),
                Unknown("aws_ecs_service.s0.id"), Unknown("var.cluster"), None], ids=str,
)  # fmt: skip
def test_clusters_by_name(cluster: Value, transcript: Transcript) -> None:
    """The configuration of a cluster counts by whatever name a service has it."""
    transcript(needs(_plan({"enable_execute_command": True, "cluster": cluster}, cluster=SESSION_LOGS["a key"])))


PROXIES: dict[str, Value] = {
    "off": [{"enabled": False, "log_configuration": [{"log_driver": "awslogs", "options": LOGS}]}],
    "no log": [{"enabled": True}],
    "perhaps": [{"enabled": Unknown("var.mesh"), "log_configuration": [{"log_driver": "awslogs", "options": LOGS}]}],
    "not known": Unknown("var.connect"),
    "a log that is not known": [{"enabled": True, "log_configuration": Unknown("var.log")}],
    "options that are not known": [
        {"enabled": True, "log_configuration": [{"log_driver": "awslogs", "options": Unknown("var.options")}]}],
    "a driver that is not known": [
        {"enabled": True, "log_configuration": [{"log_driver": Unknown("var.driver"), "options": LOGS}]}],
    "a secret of the driver": [{"enabled": True, "log_configuration": [
        {"log_driver": "splunk", "options": {}, "secret_option": [{"name": "token", "value_from": "/splunk"}]}]}],
}  # fmt: skip


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
def test_proxies(proxy: Value, transcript: Transcript) -> None:
    """The proxy of Service Connect is a container of the task; what hides its log is named."""
    transcript(needs(_plan({"service_connect_configuration": proxy})))


def test_a_service_that_may_not_be_there(transcript: Transcript) -> None:
    """What a service asks for is doubtful where it is not certain that there is one."""
    plan = _plan({"enable_execute_command": True})
    unsure = [replace(one, key="?") if one.type == "aws_ecs_service" else one for one in plan.resources]
    transcript(needs(plan.replaced(resources=tuple(unsure))))


def _own(place: str, **beside: Value) -> Value:
    """Write a role between blocks: its attribute, last on the path, is in the innermost one, with what is beside it."""
    *blocks, attribute = place.split(".")
    tree: Value = {attribute: Unknown("aws_iam_role.own.arn"), **beside}
    for block in reversed(blocks):
        tree = {block: [tree]}
    return tree


RULE_ARN = arn("elasticloadbalancing", "listener-rule/app/main/1/2/3")
APP, CLUSTER = Unknown("aws_ecs_task_definition.app.arn"), Unknown("aws_ecs_cluster.main.arn")
NAMING: dict[str, tuple[str, Any]] = {
    "volumes": ("aws_ecs_service", _own("volume_configuration.managed_ebs_volume.role_arn", kms_key_id="alias/ebs")),
    "volumes without a key": ("aws_ecs_service", _own("volume_configuration.managed_ebs_volume.role_arn")),
    "volumes that are not known": ("aws_ecs_service", {"volume_configuration": [Unknown("var.volume")]}),
    "no block is known": ("aws_ecs_service", {"volume_configuration": Unknown("var.volumes")}),
    "TLS of Service Connect": ("aws_ecs_service", _own(
        "service_connect_configuration.service.tls.role_arn", kms_key=Unknown("aws_kms_key.main.arn"),
        issuer_cert_authority=[{"aws_pca_authority_arn": arn("acm-pca", "certificate-authority/a")}])),
    "VPC Lattice": ("aws_ecs_service", _own(
        "vpc_lattice_configurations.role_arn", target_group_arn=Unknown("aws_vpclattice_target_group.web.arn"))),
    "blue/green with a rule": ("aws_ecs_service", {"load_balancer": [{
        "target_group_arn": arn("elasticloadbalancing", "targetgroup/blue/1"),
        **_own("advanced_configuration.role_arn", production_listener_rule=RULE_ARN,
            alternate_target_group_arn=arn("elasticloadbalancing", "targetgroup/green/2"))}]}),
    "blue/green with a listener that is not known": ("aws_ecs_service", {"load_balancer": [
        _own("advanced_configuration.role_arn", production_listener_rule=Unknown("var.listener"))]}),
    "a hook": ("aws_ecs_service", {"deployment_configuration": [
        _own("lifecycle_hook.role_arn", hook_target_arn=arn("lambda", "function:check"))]}),
    "load balancers": ("aws_ecs_service", _own("iam_role", load_balancer=[{"elb_name": "classic"}])),
    "a role that AWS chooses": ("aws_ecs_service", {"iam_role": Unknown("aws_ecs_service.own.iam_role")}),
    "the role of AWS for ECS": ("aws_ecs_service", {
        "iam_role": "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}),
    "a proxy that is off": ("aws_ecs_service", {"service_connect_configuration": [
        {"enabled": False, **_own("service.tls.role_arn")}]}),
    "Express": ("aws_ecs_express_gateway_service", _own("infrastructure_role_arn")),
    "a rule of EventBridge": ("aws_cloudwatch_event_target", _own(
        "role_arn", arn=CLUSTER, ecs_target=[{"task_definition_arn": APP}])),
    "a family without a revision": ("aws_cloudwatch_event_target", _own(
        "role_arn", arn=CLUSTER, ecs_target=[{"task_definition_arn": arn("ecs", "task-definition/app")}])),
    "a family with its revision": ("aws_cloudwatch_event_target", _own(
        "role_arn", arn=CLUSTER, ecs_target=[{"task_definition_arn": arn("ecs", "task-definition/other:3")}])),
    "a rule for something else": ("aws_cloudwatch_event_target", _own("role_arn", arn=arn("lambda", "function:f"))),
    "a rule that may be for ECS": ("aws_cloudwatch_event_target", _own(
        "role_arn", arn=CLUSTER, ecs_target=Unknown("var.targets"))),
    "a schedule": ("aws_scheduler_schedule", _own(
        "target.role_arn", arn=CLUSTER, ecs_parameters=[{"task_definition_arn": Unknown("var.task_definition")}])),
    "a rule without a role": ("aws_cloudwatch_event_target", {
        "arn": CLUSTER, "ecs_target": [{"task_definition_arn": APP}]}),
}  # fmt: skip
PROFILES: dict[str, Value] = {
    "a role of the plan": Unknown("aws_iam_role.instances.name"),
    "the name of a role of the plan": "instances",
    "the name of another role": "elsewhere",
    "a role that is not known": Unknown("var.role"),
    "no role": None,
}
"""The role of the instance profile of managed instances."""
NAMING |= {
    f"managed instances, {name}": ("aws_ecs_capacity_provider", {"managed_instances_provider": [_own(
        "infrastructure_role_arn",
        instance_launch_template=[{"ec2_instance_profile_arn": Unknown("aws_iam_instance_profile.own.arn")}])]})
    for name in PROFILES
}  # fmt: skip


@pytest.mark.parametrize("name", NAMING)
def test_roles_that_blocks_name(name: str, transcript: Transcript) -> None:
    """A service, provider or target names a role, which needs what stands in the blocks around it."""
    type_, values = NAMING[name]
    base = _plan(cluster={"kms_key_id": "alias/sessions"})
    profile = resource("aws_iam_instance_profile.own", name="own", role=PROFILES.get(name.rpartition(", ")[2]))
    roles = resource("aws_iam_role.own", name="own"), resource("aws_iam_role.instances", name="instances")
    plan = base.replaced(resources=(*base.resources, *roles, profile, resource(f"{type_}.own", name="own", **values)))
    rows = (*NAMED_ROLES, *workload_roles()["task-access"])
    context, named = context_of(plan), NamedRoles(AwsAttributes(plan), rows)
    for role in named:
        doubt = role.doubt and role.doubt.unknown
        transcript([f"{role.access.feature}: {render(role.value)} at {role.place}, {doubt}"])
        transcript(lines(named.requirements(role, "own", context)))
