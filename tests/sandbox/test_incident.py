"""The incident of the requirements, replayed on the API: v15 is healthy, v16 fails as it did, and fixed it runs."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.ecs.stop_cause import FailureClass, classify
from infraspec.sandbox.running import Running, start
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CLUSTER, SERVICE = "daily-report-tool-prod-cluster", "daily-report-tool-prod-backend"
BEFORE = "    resources = var.secret_arns\n"
AFTER = (
    "    resources = concat(var.secret_arns, "
    '["arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:${var.name_prefix}-jwt-v2-??????"])\n'
)


@pytest.fixture
def running() -> Iterator[Running]:
    """Run a sandbox of its own that holds v15."""
    with start(contracts.load(FIXTURES / "daily-report-tool"), "prod") as sandbox:
        yield sandbox


def _plan(directory: Path) -> Plan:
    return Environments(contracts.load(directory)).plan("prod")


def _mended(directory: Path) -> Path:
    """Return the source of v16 with the statement that lacks the new secret fixed."""
    copy = copytree(FIXTURES / "incident-v16", directory / "fixed")
    file = copy / "terraform/modules/iam/main.tf"
    text = file.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    file.write_text(text.replace(BEFORE, AFTER), encoding="utf-8")
    return copy


def _service(running: Running) -> dict[str, Any]:
    ecs = running.account.client("ecs")
    found: dict[str, Any] = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    return found


def _revision(running: Running) -> int:
    return int(_service(running)["taskDefinition"].rpartition(":")[2])


def _stopped(running: Running) -> list[dict[str, Any]]:
    ecs = running.account.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    return [task for task in tasks if task["stopCode"] == "TaskFailedToStart"]


def _statuses(running: Running) -> list[str]:
    ecs = running.account.client("ecs")
    made = ecs.list_service_deployments(cluster=CLUSTER, service=SERVICE)["serviceDeployments"]
    return [one["status"] for one in made]


def test_the_incident(running: Running, tmp_path: Path) -> None:
    """v16 names a secret that its role may not read: it is rolled back, and with the permission it runs."""
    assert (_revision(running), _service(running)["runningCount"], _stopped(running)) == (1, 3, [])

    assert running.apply(_plan(FIXTURES / "incident-v16")) == ()
    assert (_revision(running), _service(running)["runningCount"]) == (1, 3)
    assert _statuses(running) == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    reasons = [task["stoppedReason"] for task in _stopped(running)]
    assert {classify(reason) for reason in reasons} == {FailureClass.SECRET_ACCESS_DENIED}
    assert all("secret:daily-report-tool-prod-jwt-v2-" in reason for reason in reasons)

    assert running.apply(_plan(_mended(tmp_path))) == ()
    assert (_revision(running), _service(running)["runningCount"]) == (2, 3)
    assert _statuses(running)[0] == "SUCCESSFUL"


def test_applying_the_same_plan_again_changes_nothing(running: Running) -> None:
    """No revision is registered, no deployment made."""
    assert running.apply(_plan(FIXTURES / "daily-report-tool")) == ()
    assert (_revision(running), len(_statuses(running))) == (1, 1)


def test_what_the_plan_has_no_more_is_deleted(running: Running) -> None:
    """Going back from v16 to v15 schedules the new secret for deletion."""
    secrets = running.account.client("secretsmanager")
    running.apply(_plan(FIXTURES / "incident-v16"))
    assert secrets.describe_secret(SecretId="daily-report-tool-prod-jwt-v2")
    running.apply(_plan(FIXTURES / "daily-report-tool"))
    assert secrets.describe_secret(SecretId="daily-report-tool-prod-jwt-v2")["DeletedDate"]
