from pathlib import Path

from infraspec.ecs.fleet import declared_services
from infraspec.live.facts.services import read_fleet
from tests.live.fleet import (
    GROUP,
    NOW,
    SERVICE,
    SOURCE,
    Cluster,
    deployment,
    fleet,
    revision,
    service_deployment,
    source,
    stopped,
    task,
)


def test_a_service_is_read_whole(tmp_path: Path) -> None:
    """Deployments, tasks, targets and the task definition are joined to the service."""
    cluster = Cluster(newest=16, deployments=[service_deployment(16, "ROLLBACK_SUCCESSFUL", "it failed")])
    cluster.tasks.append(stopped(16))

    (one,) = fleet(tmp_path, cluster).services
    live = one.live

    assert live is not None
    assert (live.arn, live.desired, live.running, live.cluster_name) == (SERVICE, 2, 2, "shop")
    assert one.newest == revision(16)
    assert one.running is not None
    assert one.running.address == revision(15)
    assert live.last is not None
    assert (live.last.status, live.last.task_definition) == ("ROLLBACK_SUCCESSFUL", revision(16))
    assert [target.state for target in live.target_groups[0].targets] == ["healthy", "healthy"]
    assert [(one.revision, one.has_stopped) for one in live.tasks] == [
        ("web:15", False),
        ("web:15", False),
        ("web:16", True),
    ]


def test_the_newest_service_deployment_comes_first(tmp_path: Path) -> None:
    """Whatever the order is in which AWS lists them."""
    older, newer = service_deployment(15, "SUCCESSFUL", minutes_ago=90), service_deployment(16, "STOPPED")

    (one,) = fleet(tmp_path, Cluster(deployments=[older, newer])).services

    assert one.live is not None
    assert one.live.last is not None
    assert one.live.last.status == "STOPPED"


def test_calls_are_batched(tmp_path: Path) -> None:
    """Twelve services cost two calls to describe them, a hundred tasks one, and each target group one."""
    text = SOURCE + "".join(
        f"""
    resource "aws_ecs_service" "web{number}" {{
      name            = "web{number}"
      cluster         = "shop"
      task_definition = "web"
    }}
"""
        for number in range(11)
    )
    cluster = Cluster(tasks=[task(15, str(number)) for number in range(100)])
    cluster.further = [
        {**cluster.service, "serviceName": f"web{number}", "serviceArn": f"{SERVICE}{number}"} for number in range(11)
    ]
    calls = cluster.calls()

    read_fleet(calls, declared_services(source(tmp_path, text)))

    assert calls.count("ecs", "describe_clusters") == 1
    assert calls.count("ecs", "list_services") == 1
    assert calls.count("ecs", "describe_services") == 2
    assert calls.count("ecs", "list_tasks") == 2
    assert calls.count("ecs", "describe_tasks") == 1
    assert calls.count("ecs", "list_service_deployments") == 12


def test_other_services_and_single_tasks_are_kept(tmp_path: Path) -> None:
    """What runs in the same cluster is known, though the source does not declare it."""
    cluster = Cluster()
    cluster.further = [{**cluster.service, "serviceName": "old", "serviceArn": f"{SERVICE}-old"}]
    cluster.tasks.append(stopped(9, group="family:nightly"))

    found = fleet(tmp_path, cluster)

    assert [service.name for service in found.others] == ["old"]
    assert [one.group for one in found.tasks] == ["service:web", "service:web", "family:nightly"]
    assert found.read == NOW


def test_no_cluster(tmp_path: Path) -> None:
    """A cluster that does not exist is not asked for its services."""
    cluster = Cluster(answers={("ecs", "list_clusters"): {"clusterArns": []}})
    calls = cluster.calls()

    (one,) = read_fleet(calls, declared_services(source(tmp_path))).services

    assert (one.live, one.cluster_exists) == (None, False)
    assert calls.count("ecs", "list_services") == 0


def test_task_sets_are_deployments(tmp_path: Path) -> None:
    """A service that CodeDeploy deploys has task sets instead."""
    cluster = Cluster()
    del cluster.service["taskDefinition"]
    cluster.service |= {
        "deployments": [],
        "deploymentController": {"type": "CODE_DEPLOY"},
        "loadBalancers": [],
        "taskSets": [
            {
                "id": "ecs-svc/1",
                "status": "PRIMARY",
                "taskDefinition": revision(15),
                "runningCount": 2,
                "computedDesiredCount": 2,
                "stabilityStatus": "STEADY_STATE",
                "loadBalancers": [{"targetGroupArn": GROUP}],
            }
        ],
    }

    (one,) = fleet(tmp_path, cluster).services

    assert one.live is not None
    assert one.live.primary is not None
    assert (one.live.task_definition, one.live.primary.rollout_state) == (revision(15), "COMPLETED")
    assert one.live.target_groups[0].arns == (GROUP,)


def test_a_target_group_that_is_gone(tmp_path: Path) -> None:
    """It is kept by its ARN, and no error."""
    cluster = Cluster(answers={("elbv2", "describe_target_health"): None})

    (one,) = fleet(tmp_path, cluster).services

    assert one.live is not None
    assert one.live.target_groups[0].missing == (GROUP,)


def test_the_primary_deployment_comes_first(tmp_path: Path) -> None:
    """Whatever the order is in which AWS lists them."""
    cluster = Cluster()
    cluster.service["deployments"] = [deployment(15, "ACTIVE"), deployment(16)]

    (one,) = fleet(tmp_path, cluster).services

    assert one.live is not None
    assert [entry.status for entry in one.live.deployments] == ["PRIMARY", "ACTIVE"]


SHARED = """
    provider "aws" {
      alias = "shared"
      assume_role {
        role_arn = ROLE
      }
    }
"""


def in_shared(role: str) -> str:
    """Return the source with its service by a provider that assumes a role."""
    text = SHARED.replace("ROLE", role) + SOURCE
    return text.replace('"aws_ecs_service" "web" {', '"aws_ecs_service" "web" {\n      provider = aws.shared')


def test_a_service_of_another_account_is_not_asked_for(tmp_path: Path) -> None:
    """One of its name here is another one."""
    cluster = Cluster()
    calls = cluster.calls()
    text = in_shared('"arn:aws:iam::222233334444:role/deploy"')

    (one,) = read_fleet(calls, declared_services(source(tmp_path, text))).services

    assert (one.live, one.elsewhere) == (None, "222233334444")
    assert calls.asked == []


def test_a_service_of_an_account_that_nobody_knows_is_not_asked_for(tmp_path: Path) -> None:
    """What is unknown of it is said."""
    calls = Cluster().calls()
    text = 'variable "role" {}\n' + in_shared("var.role")

    (one,) = read_fleet(calls, declared_services(source(tmp_path, text))).services

    assert (one.live, one.elsewhere, one.declared.key) == (None, "", None)
    assert "aws_caller_identity.account_id (aws.shared)" in str(one.declared.unknown)
    assert calls.asked == []
