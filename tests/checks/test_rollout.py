from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.services.rollout import check_rollout
from infraspec.checks.services.rollout_state import without_running_services, without_services
from infraspec.contract.live import Rollout
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.fleet import expected_revisions
from tests.live.fleet import (
    DENIED,
    GROUP,
    IGNORING,
    SERVICE,
    SOURCE,
    Cluster,
    deployment,
    fleet,
    revision,
    service_deployment,
    stopped,
    task,
)
from tests.live.test_services import in_shared

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
BROKEN = "Service deployment rolled back because the circuit breaker threshold was exceeded."


def rolled_back() -> Cluster:
    """Return a service that runs 15 because 16 could not start."""
    cluster = Cluster(newest=16, deployments=[service_deployment(16, "ROLLBACK_SUCCESSFUL", BROKEN)])
    cluster.tasks.append(stopped(16))
    return cluster


def under_way(states: Sequence[str] = ("healthy", "healthy"), **counts: Any) -> Cluster:
    """Return a service whose deployment of 16 has not ended."""
    cluster = Cluster(newest=16, deployments=[service_deployment(16, "IN_PROGRESS")], states=list(states))
    primary = deployment(16, state="IN_PROGRESS", **{"runningCount": 0, **counts})
    cluster.service |= {"taskDefinition": revision(16), "deployments": [primary, deployment(15, "ACTIVE")]}
    cluster.service["pendingCount"] = 2
    return cluster


def service(**changes: Any) -> Cluster:
    """Return a healthy service with some of its attributes changed."""
    cluster = Cluster()
    cluster.service |= changes
    return cluster


def judged(
    directory: Path, cluster: Cluster, text: str = SOURCE, *, given: str = "", waited: int = 0, **rules: Any
) -> dict[str, Finding]:
    """Return the findings by subject."""
    expected = expected_revisions(given, ["web"])
    found = replace(fleet(directory, cluster, text), waited=waited)
    findings = check_rollout(found, Rollout(**rules), expected)
    return {finding.subject: finding for finding in findings}


def test_a_healthy_service_is_proven(tmp_path: Path) -> None:
    """Existence, revision, deployment, counts, targets and circuit breaker are each judged."""
    findings = judged(tmp_path, Cluster())

    assert list(findings) == ["service", "revision", "deployment", "counts", "targets of web", "circuit breaker"]
    assert {finding.verdict for finding in findings.values()} == {PROVEN}
    assert {finding.address for finding in findings.values()} == {"aws_ecs_service.web"}
    assert not any(finding.advice for finding in findings.values())
    assert findings["revision"].related[0].address == SERVICE


CASES: dict[str, tuple[Callable[[], Cluster], str, Verdict, str]] = {
    "rolled back": (rolled_back, "deployment", VIOLATED, "ROLLBACK_SUCCESSFUL"),
    "another revision runs": (rolled_back, "revision", VIOLATED, "web:15"),
    "rollback under way": (
        lambda: Cluster(newest=16, deployments=[service_deployment(16, "ROLLBACK_IN_PROGRESS")]),
        "deployment",
        VIOLATED,
        "ROLLBACK_IN_PROGRESS",
    ),
    "rollback failed": (
        lambda: Cluster(deployments=[service_deployment(15, "ROLLBACK_FAILED")]),
        "deployment",
        VIOLATED,
        "ROLLBACK_FAILED",
    ),
    "stopped by hand": (
        lambda: Cluster(newest=16, deployments=[service_deployment(16, "STOPPED", "stopped by a user")]),
        "deployment",
        VIOLATED,
        "stopped by a user",
    ),
    "under way": (under_way, "deployment", UNDETERMINED, "0 of 2 tasks of web:16"),
    "under way, its revision": (under_way, "revision", UNDETERMINED, "web:15 is still running"),
    "under way, its counts": (under_way, "counts", UNDETERMINED, "2 pending, in 2 deployments"),
    "failing": (lambda: under_way(failedTasks=3), "deployment", VIOLATED, "3 failed"),
    "failing, its revision": (lambda: under_way(failedTasks=3), "revision", VIOLATED, "web:15 is still running"),
    "failing, its counts": (lambda: under_way(failedTasks=3), "counts", VIOLATED, "2 pending"),
    "failed without history": (
        lambda: Cluster(deployments=[], service=service(deployments=[deployment(15, state="FAILED")]).service),
        "deployment",
        VIOLATED,
        "FAILED",
    ),
    "no history": (lambda: Cluster(deployments=[]), "deployment", PROVEN, ""),
    "no state at all": (
        lambda: Cluster(deployments=[], service=service(deployments=[deployment(15, state="")]).service),
        "deployment",
        PROVEN,
        "",
    ),
    "no state, two deployments": (
        lambda: Cluster(
            deployments=[],
            service=service(deployments=[deployment(15, state=""), deployment(14, "ACTIVE", state="")]).service,
        ),
        "deployment",
        UNDETERMINED,
        "2 deployments",
    ),
    "too few": (lambda: service(runningCount=1), "counts", VIOLATED, "1 running"),
    "scaled to nothing": (lambda: service(desiredCount=0, runningCount=0), "counts", VIOLATED, "0 are desired"),
    "unhealthy": (
        lambda: Cluster(states=["healthy", "unhealthy"]),
        "targets of web",
        VIOLATED,
        "10.0.0.2:80 is unhe",
    ),
    "draining": (lambda: Cluster(states=["healthy", "draining"]), "targets of web", PROVEN, ""),
    "fewer than tasks": (lambda: Cluster(states=["healthy"]), "targets of web", VIOLATED, "1 of the 2 tasks that run"),
    "only draining": (lambda: Cluster(states=["draining"]), "targets of web", VIOLATED, "no targets"),
    "unhealthy while the deployment is under way": (
        lambda: under_way(states=["healthy", "unhealthy"]),
        "targets of web",
        UNDETERMINED,
        "10.0.0.2:80 is unhealthy",
    ),
    "unhealthy while the deployment fails": (
        lambda: under_way(states=["healthy", "unhealthy"], failedTasks=3),
        "targets of web",
        VIOLATED,
        "10.0.0.2:80 is unhealthy",
    ),
    "initial": (lambda: Cluster(states=["healthy", "initial"]), "targets of web", UNDETERMINED, "initial"),
    "no targets": (lambda: Cluster(states=[]), "targets of web", VIOLATED, "no targets"),
    "no target group": (
        lambda: Cluster(answers={("elbv2", "describe_target_health"): None}),
        "targets of web",
        VIOLATED,
        f"there is no target group {GROUP}",
    ),
    "no circuit breaker": (lambda: service(deploymentConfiguration={}), "circuit breaker", VIOLATED, "not enabled"),
    "a breaker that does not go back": (
        lambda: service(deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}}),
        "circuit breaker",
        VIOLATED,
        "does not roll back",
    ),
    "inactive": (lambda: service(status="DRAINING"), "service", VIOLATED, "DRAINING"),
    "no active revision": (lambda: Cluster(newest=0), "revision", VIOLATED, "none"),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str, tmp_path: Path) -> None:
    """Each way in which a rollout is not done has its verdict, and says what was found."""
    make, subject, verdict, found = CASES[case]

    finding = judged(tmp_path, make())[subject]

    assert (finding.verdict, finding.advice) == (verdict, False)
    assert found in finding.found
    if verdict is not PROVEN:
        assert finding.expected
        assert finding.reason
        assert finding.remedy


def test_the_reason_of_a_stopped_task_is_whole(tmp_path: Path) -> None:
    """Its cause stands at the end of a long text."""
    assert DENIED in judged(tmp_path, rolled_back())["deployment"].reason


def test_the_same_reason_is_said_once(tmp_path: Path) -> None:
    """Each task has an id of its own in its text, and each request."""
    cluster = rolled_back()
    other = DENIED.replace("/0a1b ", "/2c3d ").replace("request id: 1", "request id: 2")
    assert other != DENIED
    cluster.tasks.append(stopped(16, other))

    assert judged(tmp_path, cluster)["deployment"].reason == DENIED


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """What is still under way after the time that the contract gives is not done."""
    findings = judged(tmp_path, under_way(), waited=600)

    assert findings["deployment"].verdict is VIOLATED
    assert "after 600 seconds" in findings["deployment"].found
    assert findings["counts"].verdict is VIOLATED
    targets = judged(tmp_path, under_way(states=["healthy", "unhealthy"]), waited=600)["targets of web"]
    assert targets.verdict is VIOLATED


def test_a_rollback_of_what_is_not_meant_any_more(tmp_path: Path) -> None:
    """When the source went back as well, the failed deployment is history."""
    cluster = Cluster(deployments=[service_deployment(16, "ROLLBACK_SUCCESSFUL", BROKEN)])

    finding = judged(tmp_path, cluster)["deployment"]

    assert (finding.verdict, finding.advice) == (PROVEN, True)


def test_the_state_of_the_source_says_the_revision(tmp_path: Path) -> None:
    """A revision that is written down wins over a newer one that somebody registered."""
    text = SOURCE.replace("aws_ecs_task_definition.web.arn", '"web:15"')

    assert judged(tmp_path, Cluster(newest=16), text)["revision"].verdict is PROVEN
    assert judged(tmp_path, Cluster(newest=15), text.replace('"web:15"', '"web:14"'))["revision"].verdict is VIOLATED


def test_a_pipeline_says_what_it_deployed(tmp_path: Path) -> None:
    """Where Terraform ignores the task definition, only who deploys knows which revision is meant."""
    cluster = Cluster(newest=16)

    assert judged(tmp_path, Cluster(), IGNORING)["revision"].verdict is PROVEN
    assert judged(tmp_path, cluster, IGNORING)["revision"].verdict is UNDETERMINED
    assert judged(tmp_path, cluster, IGNORING, newest=True)["revision"].verdict is VIOLATED


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ("15", PROVEN),
        ("web=15", PROVEN),
        ("web:15", PROVEN),
        (revision(15), PROVEN),
        ("v15", PROVEN),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:v15", PROVEN),
        ("16", VIOLATED),
        ("web:16", VIOLATED),
        ("v16", VIOLATED),
        ("5", VIOLATED),
        ("other:15", VIOLATED),
    ],
)
def test_expected_revision(given: str, verdict: Verdict, tmp_path: Path) -> None:
    """A revision by number, name or ARN, or an image by name or tag."""
    assert judged(tmp_path, Cluster(newest=16), IGNORING, given=given)["revision"].verdict is verdict


def test_a_service_that_is_not_there(tmp_path: Path) -> None:
    """Nothing but its absence is said."""
    cluster = service(serviceName="other")

    findings = judged(tmp_path, cluster)

    assert findings["service"].advice  # of the other one
    (absent,) = [f for f in check_rollout(fleet(tmp_path, cluster), Rollout(), {}) if not f.advice]
    assert absent.verdict is VIOLATED
    assert absent.found == "the cluster shop has no service of this name"


@pytest.mark.parametrize(
    ("cluster", "text", "reason"),
    [
        (Cluster(), SOURCE, ""),
        (service(serviceName="other"), SOURCE, "no service of the source exists: see the rule rollout"),
        (Cluster(), "", "the source has no services"),
    ],
)
def test_without_a_service_that_runs_there_is_nothing_to_judge(
    cluster: Cluster, text: str, reason: str, tmp_path: Path
) -> None:
    """A rule about what runs is skipped, and says what is missing."""
    found = fleet(tmp_path, cluster, text)
    assert (reason, "" if text else reason) == (without_running_services(found), without_services(found))


def test_an_unknown_name(tmp_path: Path) -> None:
    """A service whose name is known only after apply is not looked for."""
    text = SOURCE.replace('name            = "web"', "name            = uuid()")

    finding = judged(tmp_path, Cluster(), text)["service"]

    assert (finding.verdict, finding.found) == (UNDETERMINED, "uuid() is unknown")


def test_a_service_that_is_not_in_the_source_is_said(tmp_path: Path) -> None:
    """It is not judged."""
    cluster = Cluster()
    cluster.further = [{**cluster.service, "serviceName": "old", "serviceArn": f"{SERVICE}-old", "runningCount": 0}]

    findings = check_rollout(fleet(tmp_path, cluster), Rollout(), {})

    (other,) = [finding for finding in findings if finding.address == f"{SERVICE}-old"]
    assert (other.verdict, other.advice) == (PROVEN, True)


def test_nothing_is_desired_and_nothing_meant(tmp_path: Path) -> None:
    """A service that the source scales to nothing is said, and is no violation."""
    text = SOURCE.replace("desired_count   = 2", "desired_count   = 0")

    findings = judged(tmp_path, service(desiredCount=0, runningCount=0), text)

    assert (findings["counts"].verdict, findings["counts"].advice) == (PROVEN, True)
    assert "targets of web" not in findings


def scaled(minimum: str, identity: str = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.web.name}") -> str:
    """Return the source with Application Auto Scaling of a service, which leaves its count to that."""
    return (
        SOURCE.replace("desired_count   = 2", "lifecycle { ignore_changes = [desired_count] }")
        + f"""
    variable "least" {{ type = number }}
    resource "aws_appautoscaling_target" "web" {{
      service_namespace  = "ecs"
      scalable_dimension = "ecs:service:DesiredCount"
      resource_id        = "{identity}"
      min_capacity       = {minimum}
      max_capacity       = 4
    }}
"""
    )


SCHEDULED = """
    resource "aws_appautoscaling_scheduled_action" "night" {
      name               = "night"
      service_namespace  = "ecs"
      scalable_dimension = "ecs:service:DesiredCount"
      resource_id        = aws_appautoscaling_target.web.resource_id
      schedule           = "cron(0 20 * * ? *)"
      scalable_target_action {
        min_capacity = 0
      }
    }
"""
COUNTED = {
    "its least is 0": (scaled("0"), PROVEN),
    "its least is 0, its count is not left to others": (
        scaled("0").replace("lifecycle { ignore_changes = [desired_count] }", "desired_count = 2"),
        PROVEN,
    ),
    "its least is 1": (scaled("1"), VIOLATED),
    "its least is not known": (scaled("var.least"), UNDETERMINED),
    "its least changes by the clock": (scaled("1") + SCHEDULED, UNDETERMINED),
    "another service is scaled": (scaled("1", "service/shop/other"), PROVEN),
    "a service that is not known is scaled": (scaled("1", "${var.service}") + 'variable "service" {}', UNDETERMINED),
    "its count is left to others": (IGNORING.replace("task_definition]", "desired_count]"), PROVEN),
    "its count is not known": (
        SOURCE.replace("desired_count   = 2", "desired_count = var.count_of_tasks") + 'variable "count_of_tasks" {}',
        UNDETERMINED,
    ),
}


@pytest.mark.parametrize("case", COUNTED)
def test_nothing_is_desired(case: str, tmp_path: Path) -> None:
    """Whether a service may be scaled to nothing is said by its scalable target, or else by its count."""
    text, verdict = COUNTED[case]

    finding = judged(tmp_path, service(desiredCount=0, runningCount=0), text)["counts"]

    assert (finding.verdict, finding.advice) == (verdict, verdict is PROVEN)
    assert finding.remedy


def test_blue_green_needs_no_circuit_breaker(tmp_path: Path) -> None:
    """It is for rolling deployments of ECS."""
    assert "circuit breaker" not in judged(tmp_path, service(deploymentConfiguration={"strategy": "BLUE_GREEN"}))
    assert "circuit breaker" not in judged(tmp_path, service(deploymentController={"type": "CODE_DEPLOY"}))


def test_the_task_set_of_before_may_wait(tmp_path: Path) -> None:
    """CodeDeploy keeps it for a while after the traffic has gone over."""
    cluster = service(deploymentController={"type": "CODE_DEPLOY"}, deployments=[], runningCount=4)
    cluster.deployments = []
    cluster.service["taskSets"] = [
        {
            "id": str(number),
            "status": status,
            "taskDefinition": revision(number),
            "computedDesiredCount": 2,
            "runningCount": 2,
            "stabilityStatus": "STEADY_STATE",
        }
        for number, status in ((15, "PRIMARY"), (14, "ACTIVE"))
    ]
    cluster.tasks += [task(14), task(14, "2")]

    findings = judged(tmp_path, cluster)

    assert findings["counts"].verdict is PROVEN
    assert findings["revision"].verdict is UNDETERMINED


def test_tasks_of_an_older_revision(tmp_path: Path) -> None:
    """The service is set to what is meant, and a task of the one before still runs."""
    cluster = Cluster()
    cluster.tasks[1] = task(14)

    finding = judged(tmp_path, cluster)["revision"]

    assert finding.verdict is VIOLATED
    assert finding.found == "web:14 is still running"


def test_a_service_of_another_account_is_not_judged(tmp_path: Path) -> None:
    """That it was left out is said; of an account that is not known it is UNDETERMINED."""
    found = {}
    for role in ('"arn:aws:iam::222233334444:role/deploy"', "var.role"):
        text = 'variable "role" {}\n' + in_shared(role)
        (one,) = check_rollout(fleet(tmp_path, Cluster(), text), Rollout(), {})
        found[role] = (one.verdict, one.advice, one.found)
    known, unknown = found.values()
    assert (Verdict.PROVEN, True, "web is in account 222233334444") == known
    assert (Verdict.UNDETERMINED, False, "aws_caller_identity.account_id (aws.shared) is unknown") == unknown
