"""Failures that are made in the sandbox, as they happen in an account: by calls that somebody makes there.

The names are those by which playbooks, stop causes and `infraspec drill` know them. A failure of a release registers a
revision of the task definition that cannot start; every other one changes what tasks need, and ends the tasks that run.
Source: Amazon ECS Developer Guide, "Stopped tasks error messages"; the API references of the services that are called.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.core.errors import SandboxError
from infraspec.sandbox.server_process import Account

_REGISTERED = (
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory", "volumes",
)  # fmt: skip
Holds: TypeAlias = Callable[[], bool]
"""Whether what was broken is still broken."""
Container: TypeAlias = dict[str, Any]
ReleaseChange: TypeAlias = Callable[[Container, "FailingService"], object]


class FailingService(Struct, frozen=True):
    """The service that a failure is about, in an account: the first one with a load balancer, or else the first one."""

    account: Account
    cluster: str
    service: Mapping[str, Any]
    definition: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the service."""
        return str(self.service["serviceName"])

    @property
    def secrets(self) -> list[str]:
        """The ARNs of the secrets that its first container reads, with what follows them."""
        named = [str(one["valueFrom"]) for one in self.definition["containerDefinitions"][0].get("secrets", ())]
        return [text for text in named if ":secretsmanager:" in text]


def services(account: Account) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the ECS services of an account, each with the name of its cluster."""
    ecs = account.client("ecs")
    found = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        shown = ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
        found += [(cluster.rpartition("/")[2], one) for one in shown]
    return found


def target_of(account: Account) -> FailingService:
    """Return the service that failures are about. Raises SandboxError if there is none."""
    found = sorted(services(account), key=lambda one: not one[1].get("loadBalancers"))
    if not found:
        raise SandboxError(
            "nothing can be made to fail: the sandbox has no ECS service",
            expected="an aws_ecs_service in the environment",
            remedy="rehearse an environment that has one: --env NAME",
        )
    cluster, service = found[0]
    definition = account.client("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])
    return FailingService(account, cluster, service, definition["taskDefinition"])


def _release(change: ReleaseChange) -> Callable[[FailingService], Holds]:
    """Make a failure that a release brings: a revision whose first container has the change."""

    def inject(target: FailingService) -> Holds:
        _deploy(target, change)
        return lambda: False  # whether the service has left it, its deployments tell

    return inject


def _deploy(target: FailingService, change: ReleaseChange) -> None:
    ecs = target.account.client("ecs")
    containers = json.loads(json.dumps(target.definition["containerDefinitions"]))
    change(containers[0], target)
    kept = {name: target.definition[name] for name in _REGISTERED if target.definition.get(name)}
    tags = ecs.list_tags_for_resource(resourceArn=target.definition["taskDefinitionArn"])["tags"]
    made = ecs.register_task_definition(**kept, containerDefinitions=containers, tags=tags)["taskDefinition"]
    ecs.update_service(cluster=target.cluster, service=target.name, taskDefinition=made["taskDefinitionArn"])


def _restart(target: FailingService) -> None:
    """Deploy the same revision again, and end the tasks that run: no new one starts."""
    ecs = target.account.client("ecs")
    ecs.update_service(cluster=target.cluster, service=target.name, forceNewDeployment=True)
    for task in ecs.list_tasks(cluster=target.cluster, serviceName=target.name)["taskArns"]:
        ecs.stop_task(cluster=target.cluster, task=task, reason="Host maintenance")


def _first_secret(container: Container, to: str) -> None:
    next(one for one in container["secrets"] if ":secretsmanager:" in one["valueFrom"])["valueFrom"] = to


def _secret_denied(container: Container, target: FailingService) -> None:
    _first_secret(container, target.account.arn("secretsmanager", f"secret:{target.name}-jwt-v2-AbCdEf"))


def _secret_missing(container: Container, target: FailingService) -> None:
    _first_secret(container, ":".join(target.secrets[0].split(":")[:7]) + "::NOT-STORED:")


def _reference_invalid(container: Container, target: FailingService) -> None:
    _first_secret(container, target.account.arn("secretsmanager", "secret"))


def _parameter_denied(container: Container, target: FailingService) -> None:
    container["secrets"][-1]["valueFrom"] = target.account.arn("ssm", f"parameter/{target.name}/log-format")


def _image_gone(container: Container, _target: FailingService) -> None:
    container["image"] = f"{container['image'].rpartition(':')[0]}:not-pushed"


def _log_group_gone(container: Container, _target: FailingService) -> None:
    container["logConfiguration"]["options"]["awslogs-group"] += "-gone"


def _key_missing(target: FailingService) -> Holds:
    with_key = next(text for text in target.secrets if len(text.split(":")) > 7 and text.split(":")[7])  # noqa: PLR2004
    arn, key = ":".join(with_key.split(":")[:7]), with_key.split(":")[7]
    secrets = target.account.client("secretsmanager")
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"renamed": "sandbox-value"}))
    _restart(target)
    return lambda: (
        key not in json.loads(secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"])
    )


def _pending_deletion(target: FailingService) -> Holds:
    secrets, arn = target.account.client("secretsmanager"), ":".join(target.secrets[-1].split(":")[:7])
    for named in target.secrets:
        arn = ":".join(named.split(":")[:7]) if "jwt" in named else arn
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    _restart(target)
    return lambda: "DeletedDate" in secrets.describe_secret(SecretId=arn)


def _key_disabled(target: FailingService) -> Holds:
    arn = ":".join(target.secrets[0].split(":")[:7])
    key = target.account.client("secretsmanager").describe_secret(SecretId=arn)["KmsKeyId"]
    kms = target.account.client("kms")
    kms.disable_key(KeyId=key)
    _restart(target)
    return lambda: not kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]


def _no_way_out(target: FailingService) -> Holds:
    ec2 = target.account.client("ec2")
    groups = target.service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]

    def ways() -> list[tuple[str, list[Any]]]:
        found = ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
        return [(one["GroupId"], [rule for rule in one["IpPermissionsEgress"] if _is_https(rule)]) for one in found]

    for group, rules in ways():
        if rules:
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
    _restart(target)
    return lambda: not any(rules for _, rules in ways())


def _is_https(rule: Mapping[str, Any]) -> bool:
    return bool(rule["IpProtocol"] == "-1" or rule.get("FromPort", 0) <= 443 <= rule.get("ToPort", 0))  # noqa: PLR2004


def _unhealthy(target: FailingService) -> Holds:
    """Deploy a revision that starts and does not answer: the load balancer takes its tasks out."""
    _deploy(target, lambda container, _target: container.setdefault("environment", []).append(_OTHER_PORT))
    balancing, groups = target.account.client("elbv2"), target.service["loadBalancers"]
    for one in groups:
        group = one["targetGroupArn"]
        shown = balancing.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        balancing.deregister_targets(TargetGroupArn=group, Targets=[each["Target"] for each in shown])
    return lambda: False


_RUNS = "available"
_OTHER_PORT = {"name": "LISTEN", "value": "127.0.0.1"}


def _database_stopped(target: FailingService) -> Holds:
    rds = target.account.client("rds")
    found = [
        one for one in rds.describe_db_instances()["DBInstances"] if "ReadReplicaSourceDBInstanceIdentifier" not in one
    ]
    name = found[0]["DBInstanceIdentifier"]
    rds.stop_db_instance(DBInstanceIdentifier=name)
    return lambda: rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"] != _RUNS


def _letter_lies(target: FailingService) -> Holds:
    sqs = target.account.client("sqs")
    queues = {url: _queue(sqs, url) for url in sqs.list_queues().get("QueueUrls", [])}
    dead = {
        json.loads(one["RedrivePolicy"])["deadLetterTargetArn"] for one in queues.values() if "RedrivePolicy" in one
    }
    url = next(url for url, one in queues.items() if one["QueueArn"] in dead)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    return lambda: _queue(sqs, url)["ApproximateNumberOfMessages"] != "0"


def _queue(sqs: Any, url: str) -> Mapping[str, str]:
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def _function_broken(target: FailingService) -> Holds:
    functions = target.account.client("lambda")
    name = functions.list_functions()["Functions"][0]["FunctionName"]
    before = functions.get_function_configuration(FunctionName=name)["Handler"]
    functions.update_function_configuration(FunctionName=name, Handler="moved.handle")
    return lambda: functions.get_function_configuration(FunctionName=name)["Handler"] != before


def _schedule_off(target: FailingService) -> Holds:
    schedules = target.account.client("scheduler")
    name = schedules.list_schedules()["Schedules"][0]["Name"]
    found = schedules.get_schedule(Name=name)
    kept = ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target", "GroupName")
    schedules.update_schedule(**{key: found[key] for key in kept if key in found}, State="DISABLED")
    return lambda: schedules.get_schedule(Name=name)["State"] != "ENABLED"


def _rotation_stuck(target: FailingService) -> Holds:
    secrets = target.account.client("secretsmanager")
    arn = next(one["ARN"] for one in secrets.list_secrets()["SecretList"] if one.get("RotationEnabled"))
    secrets.put_secret_value(SecretId=arn, SecretString="sandbox-half-rotated", VersionStages=["AWSPENDING"])
    functions = target.account.client("lambda")
    function = secrets.describe_secret(SecretId=arn)["RotationLambdaARN"]
    statements = json.loads(functions.get_policy(FunctionName=function)["Policy"])["Statement"]
    for one in statements:
        functions.remove_permission(FunctionName=function, StatementId=one["Sid"])

    def holds() -> bool:
        stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"].values()
        return any("AWSPENDING" in one for one in stages)

    return holds


class Injection(Struct, frozen=True):
    """A failure: what happens, and the calls that make it."""

    what: str
    inject: Callable[[FailingService], Holds]

    def make(self, target: FailingService) -> Holds:
        """Make it, and return whether it still holds. Raises SandboxError where there is nothing that could fail so."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the static path never imports it

        try:
            return self.inject(target)
        except (BotoCoreError, ClientError, LookupError, StopIteration) as error:
            raise SandboxError(
                "the failure cannot be made here",
                place=self.what,
                expected="what it is about, in the environment: such as a secret, a queue, a function",
                found=f"{type(error).__name__}: {error}".rstrip(": "),
                remedy="rehearse the page in an environment that has it: --env NAME",
            ) from None


FAILURES: Mapping[str, Injection] = {
    "secret-access-denied": Injection(
        "a release names a secret that the execution role may not read", _release(_secret_denied)
    ),
    "secret-missing": Injection("a release names a version of a secret that does not exist", _release(_secret_missing)),
    "secret-reference-invalid": Injection("a release names a secret in a wrong form", _release(_reference_invalid)),
    "parameter-unreadable": Injection(
        "a release names a parameter that the execution role may not read", _release(_parameter_denied)
    ),
    "image-pull-failed": Injection("a release names an image that was not pushed", _release(_image_gone)),
    "logging-failed": Injection("a release names a log group that does not exist", _release(_log_group_gone)),
    "deployment-rolled-back": Injection(
        "a deployment fails, and its circuit breaker rolls it back", _release(_image_gone)
    ),
    "secret-key-missing": Injection("the new value of a secret lacks a key, and the tasks end", _key_missing),
    "secret-pending-deletion": Injection("a secret is scheduled for deletion, and the tasks end", _pending_deletion),
    "kms-access-denied": Injection("the key of the secrets is disabled, and the tasks end", _key_disabled),
    "secret-connection": Injection("a security group allows no egress to port 443, and the tasks end", _no_way_out),
    "health-check-failing": Injection("a release starts and does not answer its health check", _unhealthy),
    "database-unreachable": Injection("the database is stopped", _database_stopped),
    "queue-backlog": Injection("a message lies in the dead-letter queue", _letter_lies),
    "function-errors": Injection("a function is changed by hand, and fails", _function_broken),
    "schedule-not-started": Injection("a schedule is disabled", _schedule_off),
    "rotation-failed": Injection("a rotation stops half-way: its function may not be called any more", _rotation_stuck),
}
"""The failures by the name that playbooks have for them in `failure_classes`."""


def sickness(account: Account) -> list[str]:
    """Return what keeps services and databases of an account from being healthy, in sentences; nothing if they are."""
    ecs, found = account.client("ecs"), outage(account)
    for cluster, service in services(account):
        name = service["serviceName"]
        made = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"]
        if made and made[0]["status"] != "SUCCESSFUL":
            found.append(f"service {name}: its last deployment is {made[0]['status']}")
    return found


def outage(account: Account) -> list[str]:
    """Return what users notice: services without all of their tasks or targets, databases that do not answer."""
    databases = account.client("rds").describe_db_instances()["DBInstances"]
    return [
        *(f"service {one['serviceName']}: {why}" for _, one in services(account) for why in _down(account, one)),
        *(
            f"database {one['DBInstanceIdentifier']}: it is {one['DBInstanceStatus']}"
            for one in databases
            if one["DBInstanceStatus"] != _RUNS
        ),
    ]


def _down(account: Account, service: Mapping[str, Any]) -> Iterator[str]:
    running, desired = service["runningCount"], service["desiredCount"]
    if running < desired:
        yield f"{running} of {desired} tasks run"
    for balancer in service.get("loadBalancers", ()):
        group = balancer["targetGroupArn"]
        shown = account.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        healthy = sum(one["TargetHealth"]["State"] == "healthy" for one in shown)
        if healthy < desired:
            yield f"{healthy} of {desired} targets are healthy"
