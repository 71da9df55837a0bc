from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.core.errors import ResourceRefusalError, RunnerPermissionError
from infraspec.ecs.fleet import declared_services
from infraspec.ecs.start import Refusal, StartFacts, StartLogGroup, StoredImage, StoredRole, StoredValue
from infraspec.live.facts.services import read_fleet
from infraspec.live.facts.start_readings import start_facts
from tests.live.answers import Answer
from tests.live.fleet import NOW, REGISTRY, SECRET, Cluster, source, task

DIGEST, OTHER = "sha256:" + "0" * 64, "sha256:" + "1" * 64
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DEFINITION: dict[str, Any] = {
    "container": {
        "secrets": [
            {"name": "URL", "valueFrom": f"{SECRET}:url::"},
            {"name": "KEY", "valueFrom": f"{SECRET}:key::"},
            {"name": "LEVEL", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/level"},
            {"name": "MODE", "valueFrom": "mode"},
            {"name": "SHARED", "valueFrom": "arn:aws:ssm:eu-west-1:444455556666:parameter/shared"},
        ],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}},
    },
    "taskRoleArn": "arn:aws:iam::111122223333:role/apps/task",
}


def images(imageIds: list[Mapping[str, str]], **_: Any) -> Mapping[str, Any] | None:  # noqa: N803 - AWS's name
    """Answer that there is an image v15 of the digest that runs."""
    there = {"v15": DIGEST, DIGEST: DIGEST}
    found = [there[value] for image in imageIds for value in image.values() if value in there]
    return {"imageDetails": [{"imageDigest": digest} for digest in found]} if found else None


ANSWERS: dict[tuple[str, str], Answer] = {
    ("ecr", "describe_repositories"): {"repositories": [{}]},
    ("ecr", "describe_images"): images,
    ("secretsmanager", "describe_secret"): {"ARN": SECRET, "LastChangedDate": NOW},
    ("ssm", "describe_parameters"): {"Parameters": [{"Name": "/shop/level", "LastModifiedDate": NOW}]},
    ("iam", "get_role"): {"Role": {"AssumeRolePolicyDocument": TRUST}},
    ("logs", "describe_log_groups"): {"logGroups": [{"logGroupName": "/ecs/web"}, {"logGroupName": "/ecs/web2"}]},
    ("ec2", "describe_subnets"): {"Subnets": [{"SubnetId": "subnet-1", "AvailableIpAddressCount": 8}]},
    ("ec2", "describe_security_groups"): {"SecurityGroups": [{"GroupId": "sg-1"}]},
}


def cluster(**answers: Answer) -> Cluster:
    """Return a cluster whose service needs something of every kind; `answers` by operation take the place of others."""
    named = {name: service for service, name in ANSWERS}
    changed = {(named[name], name): answer for name, answer in answers.items()}
    made = Cluster(definition=DEFINITION, answers={**ANSWERS, **changed})
    network = {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1", "sg-2"]}
    made.service["networkConfiguration"] = {"awsvpcConfiguration": network}
    return made


def facts(directory: Path, made: Cluster) -> StartFacts:
    """Ask for what the next start needs."""
    calls = made.calls()
    (one,) = read_fleet(calls, declared_services(source(directory))).services
    return start_facts(calls, one)


def test_everything_is_asked_for(tmp_path: Path) -> None:
    """The image that runs, each secret and parameter once, roles, log groups, subnets and security groups."""
    found = facts(tmp_path, cluster())

    digests = frozenset({DIGEST})
    assert found.images == (StoredImage("app", f"{REGISTRY}:v15", named=DIGEST, running=digests, kept=digests),)
    assert [(one.kind, one.target, one.exists) for one in found.values] == [
        ("secret", SECRET, True),
        ("parameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/level", True),
        ("parameter", "mode", False),
        ("parameter", "arn:aws:ssm:eu-west-1:444455556666:parameter/shared", None),
    ]
    assert found.values[0].readers == ('container "app", secret "URL"', 'container "app", secret "KEY"')
    assert found.roles == (
        StoredRole("execution", "arn:aws:iam::111122223333:role/execution", TRUST),
        StoredRole("task", "arn:aws:iam::111122223333:role/apps/task", TRUST),
    )
    assert found.log_groups == (StartLogGroup("app", "/ecs/web", exists=True),)
    assert found.network.subnets == {"subnet-1": 8, "subnet-2": None}
    assert found.network.security_groups == {"sg-1": True, "sg-2": False}


def test_a_service_of_another_region_is_asked_for_there(tmp_path: Path) -> None:
    """What names no region is of the service's: its parameters, log groups and network."""
    made = cluster()
    arn = made.service["serviceArn"].replace("eu-west-1", "us-east-1")
    calls = made.calls()
    (one,) = read_fleet(calls, declared_services(source(tmp_path))).services
    assert one.live is not None
    calls.asked.clear()

    found = start_facts(calls, replace(one, live=replace(one.live, arn=arn)))

    asked = {name: parameters.get("region") for _, name, parameters in calls.asked}
    there = ("describe_parameters", "describe_log_groups", "describe_subnets", "describe_security_groups")
    assert {asked[name] for name in there} == {"us-east-1"}
    assert (asked["describe_secret"], asked["get_role"]) == (None, None)
    in_ireland = [one.exists for one in found.values if ":ssm:eu-west-1:111122223333:" in one.target]
    assert in_ireland == [None]


def test_nothing_of_a_value_is_read(tmp_path: Path) -> None:
    """Only operations that describe are used."""
    calls = cluster().calls()
    (one,) = read_fleet(calls, declared_services(source(tmp_path))).services

    start_facts(calls, one)

    assert not [name for _, name, _ in calls.asked if name.startswith("get_") and name != "get_role"]


def test_what_is_gone(tmp_path: Path) -> None:
    """A repository, a secret, a role and a log group that do not exist are no errors."""
    found = facts(
        tmp_path,
        cluster(describe_repositories=None, describe_secret=None, get_role=None, describe_log_groups={"logGroups": []}),
    )

    assert not found.images[0].has_repository
    assert found.values[0] == StoredValue("secret", SECRET, found.values[0].readers, exists=False)
    assert [role.trust for role in found.roles] == [None, None]
    assert not found.log_groups[0].exists


@pytest.mark.parametrize(
    ("image", "named"),
    [(f"{REGISTRY}:v15", DIGEST), (f"{REGISTRY}@{DIGEST}", DIGEST), (REGISTRY, ""), (f"{REGISTRY}@{OTHER}", "")],
)
def test_an_image_by_tag_and_by_digest(image: str, named: str, tmp_path: Path) -> None:
    """A reference without a tag means latest."""
    made = cluster()
    made.definition = {"container": {"image": image}}

    assert facts(tmp_path, made).images[0].named == named


def test_another_registry_is_not_asked(tmp_path: Path) -> None:
    """Of an image that is not in ECR nothing is known."""
    made = cluster()
    made.definition = {"container": {"image": "nginx:1"}}

    assert facts(tmp_path, made).images == (StoredImage("app", "nginx:1", in_ecr=False),)


def test_a_digest_that_is_gone(tmp_path: Path) -> None:
    """A task may run an image that the repository does not have any more."""
    made = cluster()
    made.tasks = [task(15, containers=[{"name": "app", "imageDigest": OTHER}])]

    (image,) = facts(tmp_path, made).images

    assert (image.running, image.kept, image.named) == (frozenset({OTHER}), frozenset(), DIGEST)


def denied(**_: Any) -> Mapping[str, Any]:
    """Answer that the runner may not look."""
    raise RunnerPermissionError("the runner may not look")


@pytest.mark.parametrize("operation", ["describe_repositories", "describe_images"])
def test_an_image_of_another_account_may_not_be_looked_at(operation: str, tmp_path: Path) -> None:
    """Its owner shows it or does not: the rest is looked at all the same."""
    made = cluster(**{operation: denied})
    reference = REGISTRY.replace("111122223333", "444455556666") + ":v15"
    made.definition = {"container": {"image": reference}}

    found = facts(tmp_path, made)

    assert found.images == (StoredImage("app", reference, is_seen=False),)
    assert found.roles


def test_a_secret_of_another_account_may_not_be_looked_at(tmp_path: Path) -> None:
    """Likewise."""
    secret = SECRET.replace("111122223333", "444455556666")
    made = cluster(describe_secret=denied)
    made.definition = {"container": {"secrets": [{"name": "URL", "valueFrom": secret}]}}

    (found,) = facts(tmp_path, made).values

    assert (found.target, found.exists) == (secret, None)


def refused(**_: Any) -> Mapping[str, Any]:
    """Answer that the policy of what is asked for keeps the runner out."""
    raise ResourceRefusalError("no", found="its policy", remedy="allow it there")


@pytest.mark.parametrize("operation", ["describe_repositories", "describe_images"])
def test_a_repository_whose_policy_keeps_the_runner_out_is_one_that_is_not_seen(operation: str, tmp_path: Path) -> None:
    """The rest is looked at all the same."""
    found = facts(tmp_path, cluster(**{operation: refused}))

    refusal = Refusal("its policy", "allow it there")
    assert found.images == (StoredImage("app", f"{REGISTRY}:v15", is_seen=False, refused=refusal),)
    assert found.values
    assert found.roles


def test_a_secret_whose_policy_keeps_the_runner_out_is_one_that_is_not_seen(tmp_path: Path) -> None:
    """Likewise."""
    found = facts(tmp_path, cluster(describe_secret=refused))

    secret, *_ = found.values
    assert (None, Refusal("its policy", "allow it there")) == (secret.exists, secret.refused)
    assert found.roles


@pytest.mark.parametrize("operation", ["describe_repositories", "describe_images", "describe_secret"])
def test_a_permission_of_the_own_account_is_missing(operation: str, tmp_path: Path) -> None:
    """What is asked with it is not seen, and says the permission to add; the rest is looked at."""
    found = facts(tmp_path, cluster(**{operation: denied}))

    refusals = {*(one.refused for one in found.images), *(one.refused for one in found.values)} - {None}
    assert {Refusal("the runner may not look", "")} == refusals
    assert found.roles


@pytest.mark.parametrize(("said", "pinned"), [({}, True), ({"versionConsistency": "disabled"}, False)])
def test_a_digest_is_kept_unless_the_container_says_no(
    said: Mapping[str, str], tmp_path: Path, *, pinned: bool
) -> None:
    """With versionConsistency disabled each task pulls what the reference stands for then."""
    made = cluster()
    made.definition = {"container": {"image": f"{REGISTRY}:v15", **said}}

    assert facts(tmp_path, made).images[0].is_pinned is pinned


def test_an_image_of_several_platforms(tmp_path: Path) -> None:
    """ECR says of a reference that it stands for an index."""
    index = {"imageDigest": OTHER, "imageManifestMediaType": "application/vnd.oci.image.index.v1+json"}

    (image,) = facts(tmp_path, cluster(describe_images={"imageDetails": [index]})).images

    assert (image.named, image.is_index) == (OTHER, True)
