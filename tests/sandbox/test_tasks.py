"""Tasks of no service, revisions that are gone, and the digests of images."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from infraspec.sandbox.running import Running
from tests.sandbox.test_enforcement import ACCOUNT, REGION, code_of, document

REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tasks"
EXECUTION = f"arn:aws:iam::{ACCOUNT}:role/tasks"


@pytest.fixture(scope="module")
def network(empty: Running) -> dict[str, Any]:
    """Make a cluster, a network, a repository with an image and an execution role that may pull it."""
    client = empty.account.client
    client("ecs").create_cluster(clusterName="tasks")
    client("ecr").create_repository(repositoryName="tasks")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"digest": "sha256:" + "1" * 64}
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    client("ecr").put_image(repositoryName="tasks", imageManifest=json.dumps(manifest), imageTag="1")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    client("iam").create_role(RoleName="tasks", AssumeRolePolicyDocument=document(trust))
    pull = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    client("iam").put_role_policy(RoleName="tasks", PolicyName="pull", PolicyDocument=document(pull))
    vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = client("ec2").create_security_group(GroupName="tasks", Description="tasks", VpcId=vpc)["GroupId"]
    return {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}


def digest_of(running: Running) -> str:
    """Return the digest of the image in the repository."""
    (image,) = running.account.client("ecr").describe_images(repositoryName="tasks")["imageDetails"]
    return str(image["imageDigest"])


def registered(running: Running, image: str, role: str = EXECUTION, **container: Any) -> str:
    """Register a task definition with one container, and return its ARN."""
    told = running.account.client("ecs").register_task_definition(
        family="tasks",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[{"name": "app", "image": image, **container}],
    )
    return str(told["taskDefinition"]["taskDefinitionArn"])


def run(running: Running, definition: str, network: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Run a task, and return what describe_tasks says of it."""
    ecs = running.account.client("ecs")
    told = ecs.run_task(
        cluster="tasks", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network, **more
    )
    (task,) = ecs.describe_tasks(cluster="tasks", tasks=[told["tasks"][0]["taskArn"]])["tasks"]
    found: dict[str, Any] = dict(task)
    return found


def test_a_task_runs_until_it_is_stopped(empty: Running, network: dict[str, Any]) -> None:
    """It is listed by who started it, keeps the cluster from being deleted, and stops."""
    ecs = empty.account.client("ecs")
    task = run(empty, registered(empty, f"{REPOSITORY}:1"), network, startedBy="somebody")
    assert ("RUNNING", "family:tasks", "somebody") == (task["lastStatus"], task["group"], task["startedBy"])
    assert [task["taskArn"]] == ecs.list_tasks(cluster="tasks", startedBy="somebody")["taskArns"]
    assert "ClusterContainsTasksException" == code_of(empty.account, "ecs", "delete_cluster", cluster="tasks")
    ecs.stop_task(cluster="tasks", task=task["taskArn"])
    assert [] == ecs.list_tasks(cluster="tasks", startedBy="somebody")["taskArns"]
    assert 0 == ecs.describe_clusters(clusters=["tasks"])["clusters"][0]["runningTasksCount"]


def test_the_digest_of_an_image_is_told(empty: Running, network: dict[str, Any]) -> None:
    """A running container has the digest of what was pulled, by tag and by digest."""
    digest = digest_of(empty)
    for image in (f"{REPOSITORY}:1", f"{REPOSITORY}@{digest}"):
        task = run(empty, registered(empty, image), network)
        assert [digest] == [container["imageDigest"] for container in task["containers"]]
        empty.account.client("ecs").stop_task(cluster="tasks", task=task["taskArn"])


FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "a digest that is not there": (
        {"image": f"{REPOSITORY}@sha256:{hashlib.sha256(b'gone').hexdigest()}"},
        "CannotPullContainerError",
    ),
    "a tag that is not there": ({"image": f"{REPOSITORY}:2"}, "CannotPullContainerError"),
    "a role that is not there": (
        {"image": f"{REPOSITORY}:1", "role": f"{EXECUTION}-gone"},
        "unable to assume the role",
    ),
    "a secret that may not be read": (
        {
            "image": f"{REPOSITORY}:1",
            "secrets": [{"name": "A", "valueFrom": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:tasks-AbCdEf"}],
        },
        "is not authorized to perform: secretsmanager:GetSecretValue",
    ),
    "a log group that is not there": (
        {
            "image": f"{REPOSITORY}:1",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "gone", "awslogs-region": REGION, "awslogs-stream-prefix": "app"},
            },
        },
        "The specified log group does not exist",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_task_that_cannot_start_stops(empty: Running, network: dict[str, Any], name: str) -> None:
    """It has AWS's reason, and the code of a task that did not start."""
    settings, reason = FAILURES[name]
    task = run(empty, registered(empty, **settings), network)
    assert ("STOPPED", "TaskFailedToStart") == (task["lastStatus"], task["stopCode"])
    assert reason in task["stoppedReason"]


def test_a_role_that_overrides_starts_the_task(empty: Running, network: dict[str, Any]) -> None:
    """Its execution role is the one that the request names."""
    definition = registered(empty, f"{REPOSITORY}:1", f"{EXECUTION}-gone")
    task = run(empty, definition, network, overrides={"executionRoleArn": EXECUTION})
    assert "RUNNING" == task["lastStatus"]
    empty.account.client("ecs").stop_task(cluster="tasks", task=task["taskArn"])


def test_a_network_has_to_be_given(empty: Running, network: dict[str, Any]) -> None:
    """A task definition with awsvpc does not run without subnets."""
    assert network
    definition = registered(empty, f"{REPOSITORY}:1")
    request = {"cluster": "tasks", "taskDefinition": definition}
    assert "InvalidParameterException" == code_of(empty.account, "ecs", "run_task", **request)


def test_a_revision_that_was_deregistered_starts_nothing(empty: Running, network: dict[str, Any]) -> None:
    """RunTask, CreateService and UpdateService refuse it; a service that has it runs on, and keeps its cluster."""
    ecs = empty.account.client("ecs")
    definition = registered(empty, f"{REPOSITORY}:1")
    settings = {"cluster": "tasks", "launchType": "FARGATE", "networkConfiguration": network}
    ecs.create_service(**settings, serviceName="kept", taskDefinition=definition, desiredCount=1)
    ecs.deregister_task_definition(taskDefinition=definition)
    again = {"cluster": "tasks", "service": "kept", "taskDefinition": definition}
    create = {**settings, "serviceName": "new", "taskDefinition": definition, "desiredCount": 1}
    assert ["ClientException"] * 3 == [
        code_of(empty.account, "ecs", "run_task", **settings, taskDefinition=definition),
        code_of(empty.account, "ecs", "create_service", **create),
        code_of(empty.account, "ecs", "update_service", **again),
    ]
    assert 1 == ecs.describe_services(cluster="tasks", services=["kept"])["services"][0]["runningCount"]
    assert "ClusterContainsServicesException" == code_of(empty.account, "ecs", "delete_cluster", cluster="tasks")
    ecs.delete_service(cluster="tasks", service="kept", force=True)
    assert "" == code_of(empty.account, "ecs", "delete_cluster", cluster="tasks")
