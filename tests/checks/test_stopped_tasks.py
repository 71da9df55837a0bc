from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.services.stopped_tasks import check_stopped_tasks
from infraspec.core.finding import Finding, Verdict
from infraspec.process.markdown import parse_page
from infraspec.process.playbooks import Playbook, playbook_of
from tests.live.fleet import (
    DENIED,
    NOW,
    SECRET,
    Cluster,
    deployment,
    fleet,
    revision,
    service_deployment,
    stopped,
    task,
)

PAGE = """---
id: secret-access-denied
language: en
owner: platform
failure_classes: [secret-access-denied]
targets: {confirm: 5}
---
"""
PLAYBOOKS: list[Playbook] = [playbook_of(parse_page(PAGE, "docs/playbooks/en/secret-access-denied.md"))]
CRASH: dict[str, Any] = {"containers": [{"name": "app", "exitCode": 137}], "code": "EssentialContainerExited"}


def judged(directory: Path, *tasks: dict[str, Any], **cluster: Any) -> list[Finding]:
    """Judge a service that has had these tasks besides the two that run."""
    made = Cluster(**cluster)
    made.tasks += tasks
    return check_stopped_tasks(fleet(directory, made), PLAYBOOKS, {"web"})


def rolled_back() -> dict[str, Any]:
    """Return what makes a cluster one that went back from revision 16."""
    return {"newest": 16, "deployments": [service_deployment(16, "ROLLBACK_SUCCESSFUL", "circuit breaker")]}


def test_tasks_that_did_not_start(tmp_path: Path) -> None:
    """One finding for one cause: how many, when, the whole text, what it names, and the playbook."""
    first, second = stopped(16), stopped(16, DENIED.replace("0a1b", "2c3d"), name="t")

    (finding,) = judged(tmp_path, first, second, **rolled_back())

    assert finding.verdict is Verdict.VIOLATED
    assert (finding.address, finding.subject) == ("aws_ecs_service.web", "web:16: secret-access-denied")
    assert finding.found == "2 tasks of web:16 failed to start, the last at 2026-11-25 08:55:00 UTC"
    assert finding.reason == DENIED
    related = {one.role: one.address for one in finding.related}
    assert related["role"] == "arn:aws:iam::111122223333:role/execution"
    assert related["secret"] == SECRET
    assert related["playbook"] == "docs/playbooks/en/secret-access-denied.md"
    assert finding.remedy.startswith("follow docs/playbooks/en/secret-access-denied.md\n")


def test_two_causes_are_two_findings(tmp_path: Path) -> None:
    """Another secret is another cause."""
    other = stopped(16, DENIED.replace("db-AbCdEf", "jwt-AbCdEf"), name="t")

    findings = judged(tmp_path, stopped(16), other, **rolled_back())

    assert [finding.verdict for finding in findings] == [Verdict.VIOLATED] * 2


def test_a_crash_shows_its_exit_code(tmp_path: Path) -> None:
    """The exit code stands beside what ECS says."""
    (finding,) = judged(tmp_path, stopped(15, "Essential container in task exited", **CRASH))

    assert finding.verdict is Verdict.VIOLATED
    assert finding.reason == 'Essential container in task exited\ncontainer "app": exit code 137'


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Scaling activity initiated by (deployment ecs-svc/15)", "ServiceSchedulerInitiated"),
        ("Task stopped by user", "UserInitiated"),
        ("Your Spot Task was interrupted.", "SpotInterruption"),
    ],
)
def test_what_is_no_fault(reason: str, code: str, tmp_path: Path) -> None:
    """Scaling, deployments and users stop tasks too; it is said what was looked at."""
    (finding,) = judged(tmp_path, stopped(14, reason, code))

    assert finding.verdict is Verdict.PROVEN
    assert finding.reason.startswith("of 1 stopped tasks: 1 ")
    assert finding.reason.endswith("ECS shows a stopped task for about an hour")


def test_a_start_that_failed_and_was_got_over(tmp_path: Path) -> None:
    """Tasks of the same revision have started since: that is said as advice."""
    late = task(15, "3", startedAt=NOW - timedelta(minutes=1))

    (finding,) = judged(tmp_path, stopped(15), late)

    assert (finding.verdict, finding.advice) == (Verdict.PROVEN, True)


def test_a_crash_is_not_got_over_by_starting_again(tmp_path: Path) -> None:
    """ECS starts a task in the place of a crashed one; the next one may crash too."""
    late = task(15, "3", startedAt=NOW - timedelta(minutes=1))

    (finding,) = judged(tmp_path, stopped(15, "Essential container in task exited", **CRASH), late)

    assert finding.verdict is Verdict.VIOLATED


def test_an_older_revision_is_history(tmp_path: Path) -> None:
    """A revision that was replaced with success does not run any more."""
    (finding,) = judged(tmp_path, stopped(14))

    assert (finding.verdict, finding.advice) == (Verdict.PROVEN, True)


def test_a_deployment_under_way(tmp_path: Path) -> None:
    """While a deployment goes on, what fails fails now."""
    cluster = Cluster(deployments=[service_deployment(15, "IN_PROGRESS")])
    cluster.service |= {"deployments": [deployment(15, state="IN_PROGRESS")], "taskDefinition": revision(15)}
    cluster.tasks.append(stopped(15))

    (finding,) = check_stopped_tasks(fleet(tmp_path, cluster), [], ())

    assert finding.verdict is Verdict.VIOLATED
    assert finding.remedy == "infraspec diagnose --service web names the statement and the fix"


def test_a_job_that_failed(tmp_path: Path) -> None:
    """A task of the cluster without a service is judged by itself."""
    job = stopped(3, "Essential container in task exited", group="family:nightly", **CRASH)

    (own, finding) = judged(tmp_path, job)

    assert own.verdict is Verdict.PROVEN
    assert (finding.verdict, finding.address) == (Verdict.VIOLATED, revision(3))
    assert finding.remedy.startswith("aws ecs describe-tasks --cluster ")


def test_a_job_of_somebody_else(tmp_path: Path) -> None:
    """In a cluster that others use too, a task of a family that the source does not know is said, and not judged."""
    other = revision(3).replace("/web:", "/nightly:")
    job = stopped(3, "Essential container in task exited", group="family:nightly", taskDefinitionArn=other, **CRASH)

    (_, finding) = judged(tmp_path, job)

    assert (finding.verdict, finding.advice) == (Verdict.PROVEN, True)
    assert finding.found.endswith("the source does not know its family")
